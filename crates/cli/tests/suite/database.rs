//! `holotype db`

use crate::lab::Lab;

#[test]
fn a_backup_is_made_and_listed_in_each_way() {
    Lab::each_way(|way| {
        let file = way.lab.file("frame.fits", "light");
        way.run(["datapoint", "submit", "--file", file.to_str().unwrap()]).text();
        let name = way.run(["db", "backup", "--with-blobs"]).line();
        let listed = way.run(["db", "list", "--json"]).json();
        // A server makes backups by itself too.
        let made = listed["items"].as_array().unwrap().iter().find(|backup| backup["name"] == name.as_str());
        assert_eq!(made.unwrap_or_else(|| panic!("{}: {listed}", way.name))["with_blobs"], true);
        assert!(way.run(["db", "list"]).text().contains("included"), "{}", way.name);
    });
}

#[test]
fn a_backup_takes_the_place_of_what_is_there_only_when_it_is_confirmed() {
    let lab = Lab::new();
    lab.run(["datapoint", "submit", "--value", "1", "--id", "before"]).text();
    let name = lab.run(["db", "backup"]).line();
    lab.run(["datapoint", "submit", "--value", "2", "--id", "after"]).text();

    let plan = lab.run(["db", "restore", &name]);
    assert!(plan.text().contains("1 datapoints") && plan.stderr.contains("--yes"), "{plan:#?}");
    assert_eq!(lab.run(["datapoint", "count"]).text(), "2\n");

    let restored = lab.run(["db", "restore", &name, "--yes", "--json"]).json();
    assert!(restored["replaced"].is_string(), "{restored}");
    assert_eq!(lab.run(["datapoint", "value", "before"]).text(), "1");
    lab.run(["datapoint", "get", "after"]).fails(3);
}

#[test]
fn a_backup_with_its_blobs_makes_a_new_home() {
    let lab = Lab::new();
    let file = lab.file("frame.fits", "light");
    lab.run(["datapoint", "submit", "--id", "a", "--file", file.to_str().unwrap()]).text();
    let name = lab.run(["db", "backup", "--with-blobs"]).line();
    let folder = lab.home().join("backups").join(name);
    lab.run(["--home", "other", "db", "restore", folder.to_str().unwrap()]).text();
    assert_eq!(lab.run(["--home", "other", "datapoint", "value", "a"]).text(), "light");
    lab.run(["db", "restore", "no-such-backup"]).code.filter(|code| *code != 0).unwrap();
}

#[test]
fn what_needs_the_home_for_itself_is_refused_beside_a_server() {
    let lab = Lab::new();
    let name = lab.run(["db", "backup"]).line();
    let server = lab.serve();
    lab.run(["db", "restore", &name, "--yes"]).fails(6);
    lab.run(["db", "migrate"]).fails(6);
    for words in [&["db", "check"][..], &["db", "migrate"], &["db", "restore", &name]] {
        assert!(lab.run([&["--server", server.url.as_str()], words].concat()).fails(2).contains("--server"));
    }
}

#[test]
fn a_current_catalog_needs_no_migration() {
    let lab = Lab::new();
    let check = lab.run(["db", "check", "--json"]).json();
    assert_eq!((&check["current"], &check["schema_version"]), (&true.into(), &check["expected_version"]));
    assert!(lab.run(["db", "check"]).text().contains("as this program needs it"));
    assert!(lab.run(["db", "migrate"]).text().contains("nothing to do"));
}
