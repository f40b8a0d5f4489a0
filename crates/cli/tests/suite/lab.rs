//! A home in a temporary directory, and the program run on it.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_holotype");

/// What a command did.
#[derive(Debug)]
pub(crate) struct Outcome {
    #[expect(dead_code, reason = "shown by Debug when a test fails")]
    pub(crate) words: String,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// The output of a command that must have done what it was asked for.
    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        assert_eq!(self.code, Some(0), "{self:#?}");
        &self.stdout
    }

    /// The output without its line end.
    #[track_caller]
    pub(crate) fn line(&self) -> String {
        self.text().trim_end().to_owned()
    }

    /// The output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let text = self.text();
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// What a command that must have ended with this code says on stderr.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32) -> &str {
        assert_eq!(self.code, Some(code), "{self:#?}");
        &self.stderr
    }
}

/// A directory with a home in it.
pub(crate) struct Lab {
    folder: TempDir,
}

impl Lab {
    /// A directory without a home.
    pub(crate) fn bare() -> Self {
        Self { folder: tempfile::Builder::new().prefix("holotype-cli-").tempdir().unwrap() }
    }

    /// A directory with an initialised home.
    pub(crate) fn new() -> Self {
        let lab = Self::bare();
        lab.run(["init"]).text();
        lab
    }

    /// The directory.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The home within the directory.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder().join("home")
    }

    /// A file within the directory.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The program, with nothing of the tester's own surroundings.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        command.current_dir(self.folder()).stdin(Stdio::null()).env("HOME", self.folder());
        command.env("HOLOTYPE_HOME", self.home());
        for (name, _) in std::env::vars() {
            let foreign = ["HOLOTYPE_", "DATA_", "OBJECT_STORAGE_", "MADSCI_", "XDG_"];
            if name != "HOLOTYPE_HOME" && foreign.iter().any(|prefix| name.starts_with(prefix)) {
                command.env_remove(name);
            }
        }
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Outcome {
        finish(self.command(), words, None)
    }

    /// Runs the program with something on stdin.
    pub(crate) fn run_with_input<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>, input: &[u8]) -> Outcome {
        finish(self.command(), words, Some(input))
    }

    /// Serves the home on a free port until the value is dropped.
    pub(crate) fn serve(&self) -> Server {
        self.serve_with(["--listen", "127.0.0.1:0"])
    }

    /// Serves the home as these flags say.
    pub(crate) fn serve_with<const N: usize>(&self, flags: [&str; N]) -> Server {
        let log = std::fs::File::create(self.folder().join("serve.log")).unwrap();
        let mut command = self.command();
        command.args(["--json", "serve"]).args(flags).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap_or_else(|_| {
            child.kill().unwrap();
            panic!("the server did not start: {}", std::fs::read_to_string(self.folder().join("serve.log")).unwrap())
        });
        let url = told["listening"][0].as_str().unwrap().to_owned();
        Server { child, url }
    }

    /// Every way to the same routes, one after the other: in process, over the socket of the home, over the network.
    pub(crate) fn each_way(test: impl Fn(&Way)) {
        let lab = Self::new();
        test(&Way { lab: &lab, name: "in process", words: vec![] });

        let lab = Self::new();
        let server = lab.serve();
        test(&Way { lab: &lab, name: "over the socket", words: vec![] });
        drop(server);

        let lab = Self::new();
        lab.run(["user", "create", "ada"]).text();
        let token = lab.run(["token", "create", "tests", "--user", "ada"]).line();
        let token = lab.file("token.txt", token);
        let server = lab.serve();
        let words = ["--server", &server.url, "--token-file", token.to_str().unwrap()].map(str::to_owned).to_vec();
        test(&Way { lab: &lab, name: "over the network", words });
    }
}

/// One way to run commands on a lab.
pub(crate) struct Way<'l> {
    pub(crate) lab: &'l Lab,
    pub(crate) name: &'static str,
    words: Vec<String>,
}

impl Way<'_> {
    /// Runs the program to its end.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Outcome {
        let mut command = self.lab.command();
        command.args(&self.words);
        finish(command, words, None)
    }
}

/// A running `holotype serve`.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) url: String,
}

impl Server {
    /// Asks it to end, as service managers do, and answers how it ended.
    pub(crate) fn end(&mut self) -> Option<i32> {
        signal(&self.child, Signal::TERM);
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.try_wait().unwrap().is_none() {
            self.end();
        }
    }
}

/// Sends a signal to one process.
pub(crate) fn signal(process: &Child, signal: Signal) {
    kill_process(Pid::from_child(process), signal).unwrap();
}

fn finish<S: AsRef<OsStr>>(mut command: Command, words: impl IntoIterator<Item = S>, input: Option<&[u8]>) -> Outcome {
    command.args(words).stdout(Stdio::piped()).stderr(Stdio::piped());
    if input.is_some() {
        command.stdin(Stdio::piped());
    }
    let words = command.get_args().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let mut child = command.spawn().unwrap();
    if let Some(input) = input {
        // A program that wants no more of it may close it early.
        drop(child.stdin.take().unwrap().write_all(input));
    }
    let output = child.wait_with_output().unwrap();
    Outcome {
        words,
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
