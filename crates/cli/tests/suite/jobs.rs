//! `holotype job`

use crate::lab::Lab;

#[test]
fn jobs_are_listed_shown_and_their_logs_read_in_each_way() {
    Lab::each_way(|way| {
        way.run(["store", "verify"]).text();
        // A server asks for upkeep by itself, so there may be more than the one.
        let jobs = way.run(["job", "list", "--kind", "store.verify", "--state", "succeeded", "--json"]).json();
        let id = jobs["items"][0]["id"].as_str().unwrap();
        let table = way.run(["job", "list", "--state", "succeeded"]);
        assert!(table.text().contains(id) && table.text().contains("100 %"), "{}: {table:#?}", way.name);
        assert!(!way.run(["job", "list", "--state", "failed"]).text().contains(id), "{}", way.name);
        assert!(!way.run(["job", "list", "--kind", "store.sweep"]).text().contains(id), "{}", way.name);
        assert!(way.run(["job", "show", id]).text().contains("succeeded (100 %)"), "{}", way.name);
        way.run(["job", "log", id]).text();
        way.run(["job", "log", id, "--follow"]).text();
        way.run(["job", "cancel", id]).fails(4);
        way.run(["job", "retry", id]).fails(4);
        way.run(["job", "show", "01JD3Z5N2V8Q0W4X6Y7Z8A9B0C"]).fails(3);
    });
}

#[test]
fn a_waiting_job_can_be_cancelled_and_tried_again() {
    let lab = Lab::new();
    let id = lab.run(["store", "verify", "--detach"]).line();
    assert_eq!(lab.run(["job", "cancel", &id]).text(), format!("{id} cancelled\n"));
    lab.run(["job", "log", &id, "--follow"]).fails(1);
    assert!(lab.run(["job", "retry", &id]).text().contains("succeeded"));
}
