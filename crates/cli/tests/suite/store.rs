//! `holotype store`

use std::path::{Path, PathBuf};

use crate::lab::Lab;

/// The files of all blobs of a home.
fn blobs(home: &Path) -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    walk(&home.join("store/blobs"), &mut found);
    found
}

#[test]
fn a_store_is_looked_at_verified_and_swept_in_each_way() {
    Lab::each_way(|way| {
        let file = way.lab.file("frame.fits", "light");
        way.run(["datapoint", "submit", "--file", file.to_str().unwrap()]).text();
        let status = way.run(["store", "status", "--json"]).json();
        assert_eq!((&status["blobs"], &status["bytes"], &status["reachable"]), (&1.into(), &5.into(), &true.into()));
        assert!(way.run(["store", "status"]).text().contains("1 (5 B)"), "{}", way.name);

        let report = way.run(["store", "verify", "--json"]).json();
        assert_eq!((&report["intact"], &report["bytes"]), (&1.into(), &5.into()), "{}: {report}", way.name);

        let plan = way.run(["store", "sweep"]);
        assert!(plan.text().contains("unreferenced") && plan.stderr.contains("--yes"), "{}: {plan:#?}", way.name);
        way.run(["store", "sweep", "--yes"]).text();
        assert_eq!(blobs(&way.lab.home()).len(), 1, "{}: what is named stays", way.name);
    });
}

#[test]
fn a_damaged_blob_is_found_and_ends_with_1() {
    let lab = Lab::new();
    let file = lab.file("frame.fits", "light");
    lab.run(["datapoint", "submit", "--file", file.to_str().unwrap()]).text();
    let blob = blobs(&lab.home()).pop().unwrap();
    let mut permissions = std::fs::metadata(&blob).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o600);
    std::fs::set_permissions(&blob, permissions).unwrap();
    std::fs::write(&blob, "night").unwrap();
    let verified = lab.run(["store", "verify"]);
    let said = verified.fails(1);
    assert!(said.contains("damaged") && said.contains("next: holotype job log "), "{verified:#?}");
}

#[test]
fn a_job_that_nobody_waits_for_is_done_by_the_next_server() {
    let lab = Lab::new();
    let id = lab.run(["store", "verify", "--detach"]).line();
    assert!(lab.run(["job", "show", &id]).text().contains("queued"));
    let _server = lab.serve();
    lab.run(["job", "log", &id, "--follow"]).text();
    assert_eq!(lab.run(["job", "show", &id, "--json"]).json()["state"], "succeeded");
}
