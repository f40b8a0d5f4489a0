//! `holotype init`, `holotype config`, `holotype doctor`

use crate::lab::Lab;

#[test]
fn a_home_is_made_once_and_kept() {
    let lab = Lab::bare();
    let made = lab.run(["init", "--json"]).json();
    assert_eq!((&made["created"], made["home"].as_str().unwrap()), (&true.into(), lab.home().to_str().unwrap()));
    lab.run(["datapoint", "submit", "--value", "1"]).text();
    assert_eq!(lab.run(["init", "--json"]).json()["created"], false);
    assert_eq!(lab.run(["datapoint", "count"]).text(), "1\n");
}

#[test]
fn the_nearest_home_upwards_is_taken() {
    let lab = Lab::bare();
    lab.run(["--home", ".holotype", "init"]).text();
    let deep = lab.folder().join("a/b");
    std::fs::create_dir_all(&deep).unwrap();
    let mut command = lab.command();
    command.env_remove("HOLOTYPE_HOME").current_dir(&deep).args(["config", "show"]);
    let output = command.output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains(lab.folder().join(".holotype").to_str().unwrap()), "{shown}");
}

#[test]
fn a_setting_says_where_it_was_set() {
    let lab = Lab::new();
    std::fs::write(lab.home().join("holotype.toml"), "jobs.workers = 4\n[store]\ngrace = \"2d\"\n").unwrap();
    let shown = lab.run(["config", "show", "--store-grace", "3d", "--json"]).json();
    let setting = |name: &str| {
        let settings = shown["settings"].as_array().unwrap();
        settings.iter().find(|setting| setting["key"] == name).unwrap().clone()
    };
    assert_eq!(setting("store.grace")["value"], "3d");
    assert_eq!(setting("store.grace")["from"], "flag --store-grace");
    assert_eq!(setting("jobs.workers")["from"].as_str().unwrap(), lab.home().join("holotype.toml").to_str().unwrap());
    assert_eq!(setting("log.format")["from"], "default");
    assert_eq!(shown["home_from"], "environment variable HOLOTYPE_HOME");
    assert!(lab.run(["config", "show"]).text().contains("jobs.workers"));
}

#[test]
fn a_setting_that_cannot_be_used_is_named() {
    let lab = Lab::new();
    std::fs::write(lab.home().join("holotype.toml"), "jobs.workers = \"many\"\n").unwrap();
    let refused = lab.run(["datapoint", "list"]);
    assert!(refused.fails(2).contains("jobs.workers"), "{refused:#?}");
    std::fs::write(lab.home().join("holotype.toml"), "jobs.wrkers = 2\n").unwrap();
    assert!(lab.run(["serve"]).fails(2).contains("jobs.wrkers"));
}

#[test]
fn a_doctor_finds_nothing_in_a_good_home_in_each_way() {
    Lab::each_way(|way| {
        let report = way.run(["doctor", "--json"]).json();
        assert_eq!(report["healthy"], true, "{}: {report}", way.name);
        assert!(way.run(["doctor"]).text().contains("good"), "{}", way.name);
    });
}

#[test]
fn a_doctor_says_what_is_wrong_and_ends_with_1() {
    let lab = Lab::bare();
    let report = lab.run(["doctor"]);
    assert_eq!(report.code, Some(1), "{report:#?}");
    assert!(report.stdout.contains("bad   home"), "{report:#?}");
    lab.run(["init"]).text();
    std::fs::write(lab.home().join("catalog.db"), "this is no database, and long enough to be one").unwrap();
    let report = lab.run(["doctor"]);
    assert!(report.code == Some(1) && report.stdout.contains("bad "), "{report:#?}");
}
