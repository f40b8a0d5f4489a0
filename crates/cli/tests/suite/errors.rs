//! What is wrong with the input, the home or the server, and how it is told.

use serde_json::Value;

use crate::lab::Lab;

#[test]
fn wrong_input_is_told_with_the_cure_and_ends_with_2() {
    let lab = Lab::new();
    for (words, says) in [
        (&["datapoint", "submit"][..], "required"),
        (&["datapoint", "submit", "--value", "cold"], "the value 'cold' is not JSON"),
        (&["datapoint", "submit", "--value", "@missing.json"], "missing.json"),
        (&["datapoint", "submit", "--value", "1", "--owner", "cat=1"], "'cat' cannot own"),
        (&["datapoint", "submit", "--value", "1", "--owner", "experiment=1"], "experiment_id"),
        (&["datapoint", "submit", "--value", "1", "--timestamp", "noon"], "data_timestamp"),
        (&["datapoint", "submit", "--document", "[1]"], "not a JSON object"),
        (&["datapoint", "query", r#"{"$where": "1"}"#], "$where"),
        (&["datapoint", "query", r#"{"a": {"$near": 1}}"#], "$near"),
        (&["datapoint", "query", r#"{"label": {"$regex": "("}}"#], "regular expression"),
        (&["datapoint", "get", ".."], "'..' cannot be sent"),
        (&["datapoint", "list", "--limit", "0"], "--limit"),
        (&["job", "show", "x"], "not a job id"),
        (&["--server", "ftp://lab.example", "datapoint", "list"], "http://"),
        (&["--server", "http://ada@lab.example", "datapoint", "list"], "user:token@host"),
        (&["nonsense"], "unrecognized"),
    ] {
        let outcome = lab.run(words);
        let expected = if words.contains(&"@missing.json") { 3 } else { 2 };
        assert!(outcome.fails(expected).contains(says), "{outcome:#?}");
        assert_eq!(outcome.stdout, "", "{outcome:#?}");
    }
}

#[test]
fn a_file_that_cannot_be_sent_is_named() {
    let lab = Lab::new();
    let missing = lab.run(["datapoint", "submit", "--file", "missing.fits"]);
    assert!(missing.fails(2).contains("missing.fits"), "{missing:#?}");
    let folder = lab.run(["datapoint", "submit", "--file", "."]);
    assert_ne!(folder.code, Some(0), "{folder:#?}");
    assert_eq!(lab.run(["datapoint", "count"]).text(), "0\n");
}

#[test]
fn with_json_an_error_is_json_on_stderr() {
    let lab = Lab::new();
    for (words, code, category) in [
        (&["datapoint", "get", "missing", "--json"][..], 3, "not_found"),
        (&["datapoint", "query", r#"{"$where": 1}"#, "--json"], 2, "invalid"),
        (&["--json", "nonsense"], 2, "invalid"),
        (&["--json", "--server", "http://127.0.0.1:9", "datapoint", "list"], 7, "unavailable"),
    ] {
        let outcome = lab.run(words);
        let error: Value =
            serde_json::from_str(outcome.fails(code)).unwrap_or_else(|error| panic!("{error}: {outcome:#?}"));
        assert_eq!(error["error"]["category"], category, "{outcome:#?}");
        assert_eq!(error["error"]["exit_code"], code, "{outcome:#?}");
        assert!(!error["error"]["message"].as_str().unwrap().is_empty(), "{outcome:#?}");
        assert_eq!(outcome.stdout, "", "{outcome:#?}");
    }
}

#[test]
fn a_place_without_a_home_names_the_command_that_makes_one() {
    let lab = Lab::bare();
    let refused = lab.run(["datapoint", "list"]);
    assert!(refused.fails(3).contains("init"), "{refused:#?}");
    assert!(!lab.home().exists(), "a command that reads makes no home");
}

#[test]
fn a_home_that_cannot_be_written_is_named() {
    let lab = Lab::bare();
    // Nobody can make files there, not even root.
    let refused = lab.run(["--home", "/sys/holotype", "init"]);
    assert!(refused.fails(7).contains("/sys/holotype"), "{refused:#?}");
}

#[test]
fn a_server_that_is_not_there_is_unavailable() {
    let lab = Lab::bare();
    // Bound and let go again: nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let refused = lab.run(["--server", &format!("http://127.0.0.1:{port}"), "datapoint", "list"]);
    let said = refused.fails(7);
    assert!(said.contains("no server answers") && said.contains("next: "), "{refused:#?}");
}

#[test]
fn a_wrong_token_is_refused_and_not_shown() {
    let lab = Lab::new();
    let server = lab.serve();
    let mut command = lab.command();
    command.env("HOLOTYPE_TOKEN", "holo_wrong").args(["--server", &server.url, "datapoint", "list"]);
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("next: ") && !said.contains("holo_wrong"), "{said}");
}

#[test]
fn a_password_in_the_address_is_not_shown() {
    let lab = Lab::bare();
    let refused = lab.run(["--server", "http://ada:sesame@127.0.0.1:9", "datapoint", "list"]);
    assert!(!refused.fails(7).contains("sesame"), "{refused:#?}");
}
