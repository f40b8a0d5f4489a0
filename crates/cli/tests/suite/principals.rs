//! `holotype user`, `holotype token`, `holotype project`

use crate::lab::Lab;

#[test]
fn users_come_and_go_in_each_way() {
    Lab::each_way(|way| {
        way.lab.file("password.txt", "correct horse battery staple\n");
        let password = way.lab.folder().join("password.txt");
        let password = password.to_str().unwrap();
        // The last administrator cannot be disabled.
        way.run(["user", "create", "first"]).text();
        let words = ["user", "create", "grace", "--admin", "--password-file", password, "--json"];
        let created = way.run(words).json();
        assert_eq!((&created["name"], &created["admin"]), (&"grace".into(), &true.into()), "{}", way.name);
        way.run(["user", "create", "grace"]).fails(4);
        way.run(["user", "password", "grace", "--password-file", password]).text();
        assert!(way.run(["user", "list"]).text().contains("grace"), "{}", way.name);

        let plan = way.run(["user", "disable", "grace"]);
        assert!(plan.stderr.contains("--yes"), "{}: {plan:#?}", way.name);
        let users = way.run(["user", "list", "--json"]).json();
        assert!(users["items"].as_array().unwrap().iter().all(|user| user["disabled"] == false), "{}", way.name);
        way.run(["user", "disable", "grace", "--yes"]).text();
        assert!(way.run(["user", "list"]).text().contains("disabled"), "{}", way.name);
        way.run(["user", "disable", "nobody", "--yes"]).fails(3);
    });
}

#[test]
fn a_token_is_shown_once_and_works_until_it_is_revoked() {
    let lab = Lab::new();
    assert!(lab.run(["token", "create", "bench"]).fails(2).contains("--user"));
    lab.run(["user", "create", "ada"]).text();
    let server = lab.serve();
    let created = lab.run(["token", "create", "bench", "--user", "ada", "--expires-in-days", "30", "--json"]).json();
    let (id, secret) = (created["id"].as_str().unwrap(), created["token"].as_str().unwrap());
    assert!(secret.starts_with("holo_"), "{created}");
    let listed = lab.run(["token", "list", "--user", "ada"]);
    assert!(
        listed.text().contains(id) && listed.text().contains("bench") && !listed.text().contains(secret),
        "{listed:#?}"
    );

    let address = server.url.replace("http://", &format!("http://ada:{secret}@"));
    lab.run(["--server", &address, "datapoint", "submit", "--value", "1"]).text();
    lab.run(["--server", &server.url, "datapoint", "count"]).fails(5);
    lab.run(["token", "revoke", id]).text();
    assert_eq!(lab.run(["--server", &address, "datapoint", "count"]).text(), "1\n");
    lab.run(["token", "revoke", id, "--yes"]).text();
    lab.run(["--server", &address, "datapoint", "count"]).fails(5);
}

#[test]
fn a_project_is_its_members_alone_in_each_way() {
    Lab::each_way(|way| {
        way.run(["user", "create", "charles"]).text();
        let id = way.run(["project", "create", "soil"]).line();
        assert!(way.run(["project", "list"]).text().contains(&id), "{}", way.name);
        way.run(["datapoint", "submit", "--project", "soil", "--value", "1", "--id", "a"]).text();
        assert_eq!(way.run(["datapoint", "count"]).text(), "0\n", "{}", way.name);
        assert_eq!(way.run(["datapoint", "count", "--project", &id]).text(), "1\n", "{}", way.name);

        assert_eq!(way.run(["project", "grant", "soil", "charles", "viewer"]).text(), "charles is viewer of soil\n");
        way.run(["project", "grant", "soil", "charles", "king"]).fails(2);
        assert!(way.run(["project", "members", "soil"]).text().contains("charles  viewer"), "{}", way.name);
        way.run(["project", "revoke", "soil", "charles"]).text();
        way.run(["project", "revoke", "soil", "charles", "--yes"]).text();
        assert!(!way.run(["project", "members", "soil"]).text().contains("charles"), "{}", way.name);

        let plan = way.run(["project", "delete", "soil"]);
        assert!(plan.text().contains("1 datapoints"), "{}: {plan:#?}", way.name);
        way.run(["project", "delete", "soil", "--yes"]).fails(4);
        way.run(["project", "create", "empty"]).text();
        way.run(["project", "delete", "empty", "--yes"]).text();
        way.run(["project", "members", "empty"]).fails(3);
    });
}
