//! `holotype serve` and `holotype worker`

use std::process::Stdio;

use rustix::process::Signal;

use crate::lab::{Lab, signal};

#[test]
fn a_second_server_on_one_home_is_refused_by_name() {
    let lab = Lab::new();
    let server = lab.serve();
    let refused = lab.run(["serve", "--listen", "127.0.0.1:0"]);
    let said = refused.fails(6);
    assert!(said.contains(&format!("process {}", server.child.id())), "{refused:#?}");
    lab.run(["datapoint", "submit", "--value", "1"]).text();
}

#[test]
fn a_server_ends_cleanly_when_it_is_asked_to() {
    let lab = Lab::new();
    let mut server = lab.serve();
    assert!(lab.home().join("holotype.sock").exists());
    lab.run(["datapoint", "submit", "--value", "1"]).text();
    assert_eq!(server.end(), Some(0));
    assert!(!lab.home().join("holotype.sock").exists());
    assert_eq!(lab.run(["datapoint", "count"]).text(), "1\n");
}

#[test]
fn a_server_that_was_killed_leaves_a_home_that_works() {
    let lab = Lab::new();
    let mut server = lab.serve();
    lab.run(["datapoint", "submit", "--value", "1"]).text();
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    assert!(lab.home().join("holotype.sock").exists(), "a killed server cannot tidy up");
    assert_eq!(lab.run(["datapoint", "count"]).text(), "1\n");
    let _server = lab.serve();
    assert_eq!(lab.run(["datapoint", "count"]).text(), "1\n");
}

#[test]
fn an_address_that_others_can_reach_needs_a_user_first() {
    let lab = Lab::new();
    let refused = lab.run(["serve", "--listen", "0.0.0.0:0"]);
    assert!(refused.fails(5).contains("holotype user create"), "{refused:#?}");
}

#[test]
fn an_address_that_is_taken_is_named() {
    let lab = Lab::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = lab.run(["serve", "--listen", &address]);
    assert!(refused.fails(6).contains(&address), "{refused:#?}");
}

#[test]
fn a_directory_is_served_for_a_foreign_front_end() {
    let lab = Lab::new();
    std::fs::create_dir(lab.folder().join("dist")).unwrap();
    lab.file("dist/index.html", "<p>front end</p>");
    let server = lab.serve_with(["--listen", "127.0.0.1:0", "--static", "/app=dist"]);
    let output =
        std::process::Command::new("curl").args(["-sS", "--fail"]).arg(format!("{}app/", server.url)).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "<p>front end</p>");
}

#[test]
fn a_server_speaks_https_to_those_who_trust_its_certificate() {
    let lab = Lab::new();
    let fixture = |name| format!("{}/../server/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    let certificate = fixture("tls-certificate.pem");
    let key = fixture("tls-key.pem");
    let server = lab.serve_with(["--listen", "127.0.0.1:0", "--tls-certificate", &certificate, "--tls-key", &key]);
    assert!(server.url.starts_with("https://"), "{}", server.url);
    let trusted = lab.run(["--server", &server.url, "--ca-certificate", &certificate, "datapoint", "count"]);
    assert_eq!(trusted.text(), "0\n");
    let refused = lab.run(["--server", &server.url, "datapoint", "count"]);
    let said = refused.fails(7);
    assert!(said.contains("is not trusted") && said.contains("--ca-certificate"), "{refused:#?}");
}

#[test]
fn a_command_and_a_server_that_start_at_once_do_not_get_in_each_others_way() {
    let lab = Lab::new();
    // Many commands, each of which takes the home for a moment, while a server starts.
    let mut commands: Vec<_> = (0..6)
        .map(|number| {
            let mut command = lab.command();
            command.args(["datapoint", "submit", "--value", &number.to_string()]);
            command.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap()
        })
        .collect();
    let _server = lab.serve();
    for command in &mut commands {
        assert_eq!(command.wait().unwrap().code(), Some(0));
    }
    assert_eq!(lab.run(["datapoint", "count"]).text(), "6\n");
}

#[test]
fn a_worker_does_the_jobs_of_a_home_beside_other_commands() {
    let lab = Lab::new();
    let mut command = lab.command();
    command.args(["worker", "--quiet"]);
    let mut worker = command.spawn().unwrap();
    let id = lab.run(["store", "verify", "--detach"]).line();
    // Follows until the job has come to its end, whoever does it.
    lab.run(["job", "log", &id, "--follow"]).text();
    signal(&worker, Signal::TERM);
    assert_eq!(worker.wait().unwrap().code(), Some(0));
}

#[test]
fn a_demonstration_is_served_with_things_to_try() {
    use std::io::{BufRead, BufReader};
    let lab = Lab::bare();
    let mut command = lab.command();
    command.args(["demo", "--listen", "127.0.0.1:0", "--directory", "demo", "--json"]).stdout(Stdio::piped());
    let mut demo = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(demo.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let told: serde_json::Value = serde_json::from_str(&line).unwrap();
    for attempt in told["try"].as_array().unwrap().iter().take(2) {
        let output = std::process::Command::new("bash").args(["-c", attempt.as_str().unwrap()]).output().unwrap();
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && stdout.len() > 100, "{attempt}: {stdout}{stderr}");
    }
    signal(&demo, Signal::INT);
    assert_eq!(demo.wait().unwrap().code(), Some(0));
    assert!(lab.run(["demo", "--directory", "demo"]).fails(4).contains("is there already"));
}
