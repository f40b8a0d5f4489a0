//! Where output goes, and what happens when nobody takes it.

use std::process::Stdio;

use crate::lab::Lab;

#[test]
fn results_go_to_stdout_and_notes_to_stderr() {
    let lab = Lab::new();
    let loud = lab.run(["datapoint", "submit", "--value", "1"]);
    assert_eq!((loud.text().lines().count(), loud.stderr.as_str()), (1, "stored\n"));
    let quiet = lab.run(["datapoint", "submit", "--value", "1", "--quiet"]);
    assert_eq!((quiet.text().lines().count(), quiet.stderr.as_str()), (1, ""));
    let json = lab.run(["datapoint", "submit", "--value", "1", "--json"]);
    assert_eq!((json.text().lines().count(), json.stderr.as_str()), (1, ""));
}

#[test]
fn a_reader_that_goes_away_is_no_error_to_complain_about() {
    let lab = Lab::new();
    lab.run(["datapoint", "submit", "--value", "1"]).text();
    let mut child = lab.command();
    child.args(["datapoint", "list"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(141), ""));
}

#[test]
fn what_others_stored_cannot_steer_the_terminal() {
    let lab = Lab::new();
    lab.run(["datapoint", "submit", "--label", "\u{1b}[31mred", "--value", "\"\\u001b]0;x\\u0007\""]).text();
    for words in [&["datapoint", "list"][..], &["datapoint", "query", "{}"]] {
        let shown = lab.run(words);
        assert!(shown.text().contains("[31mred") && !shown.text().contains('\u{1b}'), "{shown:#?}");
    }
}

#[test]
fn completions_name_every_noun() {
    let lab = Lab::bare();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = lab.run(["completion", shell]);
        for noun in ["datapoint", "job", "lineage", "store", "db", "user", "token", "project", "config", "doctor"] {
            assert!(script.text().contains(noun), "{shell}: {noun}");
        }
    }
}

#[test]
fn every_list_is_items_and_a_way_on() {
    Lab::each_way(|way| {
        way.run(["user", "create", "grace"]).text();
        for words in [
            &["datapoint", "list"][..],
            &["datapoint", "query", "{}"],
            &["datapoint", "schema", "list"],
            &["job", "list"],
            &["user", "list"],
            &["token", "list", "--user", "grace"],
            &["project", "list"],
            &["db", "list"],
        ] {
            let list = way.run([words, &["--json"]].concat()).json();
            assert!(list["items"].is_array() && list.get("next").is_some(), "{}: {words:?}: {list}", way.name);
            let table = way.run(words);
            assert!(
                table.text().lines().next().unwrap().chars().all(|character| !character.is_lowercase()),
                "{table:#?}"
            );
        }
    });
}

#[test]
fn an_interrupted_command_says_so_with_130() {
    use std::io::{BufRead, BufReader};
    let lab = Lab::new();
    let _server = lab.serve();
    let mut command = lab.command();
    command.args(["datapoint", "tail"]).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut tail = command.spawn().unwrap();
    let mut lines = BufReader::new(tail.stderr.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("waiting"));
    crate::lab::signal(&tail, rustix::process::Signal::INT);
    assert_eq!(lines.next().unwrap().unwrap(), "interrupted");
    assert_eq!(tail.wait().unwrap().code(), Some(130));
}
