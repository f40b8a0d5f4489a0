//! The command blocks of README.md and docs/guide, run as they stand.
//!
//! A block marked `sh` is run by bash in a directory of its page's own, with `holotype` on the path; variables that it exports and
//! the directory it changes to hold for the blocks after it. A block whose last command goes on until Ctrl-C runs in the background, as in a
//! terminal of its own, once it says that it is ready, until the page ends. A block marked `sh checkout` belongs to a checkout of
//! the sources and is not run here: the test of the two commands in a clean system runs it.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::lab::{Lab, PROGRAM};

/// The address in the pages.
const ADDRESS: &str = "127.0.0.1:8004";

/// Commands that go on until Ctrl-C, and what they say when they are ready.
const LASTING: [(&str, &str); 4] = [
    ("holotype serve", "listening on"),
    ("holotype datapoint tail", "waiting"),
    ("holotype archive watch", "watching"),
    ("holotype worker", "working on"),
];

/// A block of commands, and the line it begins at.
struct Block {
    line: usize,
    text: String,
}

/// The blocks of a page that are to be run.
fn blocks(page: &Path) -> Vec<Block> {
    let text = std::fs::read_to_string(page).unwrap();
    let mut blocks = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let Some(mark) = line.trim_start().strip_prefix("```") else { continue };
        let body: Vec<&str> =
            lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim_start() != "```").collect();
        assert!(!matches!(mark, "" | "bash" | "shell" | "console"), "{}:{}: mark the block", page.display(), index + 1);
        if mark == "sh" {
            blocks.push(Block { line: index + 1, text: body.join("\n") });
        }
    }
    blocks
}

/// A page being read by somebody who types everything on it.
struct Reader {
    lab: Lab,
    address: String,
    lasting: Vec<Child>,
}

impl Reader {
    fn new() -> Self {
        let lab = Lab::bare();
        let bin = lab.folder().join("bin");
        std::fs::create_dir(&bin).unwrap();
        std::os::unix::fs::symlink(PROGRAM, bin.join("holotype")).unwrap();
        std::fs::create_dir(lab.folder().join("work")).unwrap();
        lab.file("state", format!("cd '{}'\n", lab.folder().join("work").display()));
        // The address of the pages, unless somebody on this machine has it.
        let free =
            std::net::TcpListener::bind(ADDRESS).or_else(|_| std::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = free.local_addr().unwrap().to_string();
        Self { lab, address, lasting: Vec::new() }
    }

    fn run(&mut self, page: &Path, block: &Block) {
        let place = format!("{}:{}", page.display(), block.line);
        let text = block.text.replace(ADDRESS, &self.address);
        let last = block.text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        match LASTING.iter().find(|(command, _)| last.starts_with(command)) {
            Some((_, ready)) => self.start(&place, &text, ready),
            None => self.finish(&place, &text),
        }
    }

    fn bash(&self, script: String) -> Command {
        let path = format!("{}:{}", self.lab.folder().join("bin").display(), std::env::var("PATH").unwrap());
        let clean = self.lab.command();
        let mut command = Command::new("bash");
        command.args(["-c", &script]).stdin(Stdio::null()).current_dir(self.lab.folder());
        for (name, value) in clean.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        // Where a reader who follows the pages would listen too.
        command.env_remove("HOLOTYPE_HOME").env("PATH", path).env("HOLOTYPE_LISTEN", &self.address);
        command
    }

    fn finish(&self, place: &str, text: &str) {
        let state = self.lab.folder().join("state").display().to_string();
        let keep = format!("{{ export -p; printf 'cd %q\\n' \"$PWD\"; }} > '{state}'");
        let output = self.bash(format!("set -aeuo pipefail; . '{state}'\n{text}\n{keep}")).output().unwrap();
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{place} ended with {}:\n{text}\n--\n{stdout}{stderr}", output.status);
    }

    fn start(&mut self, place: &str, text: &str, ready: &str) {
        let state = self.lab.folder().join("state").display().to_string();
        let mut command = self.bash(format!("exec 2>&1; set -euo pipefail; . '{state}'\n{text}"));
        let mut child = command.stdout(Stdio::piped()).process_group(0).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        self.lasting.push(child);
        let mut said = Vec::new();
        let mut lines = BufReader::new(stdout).lines();
        loop {
            let line = lines.next().unwrap_or_else(|| panic!("{place} ended too early:\n{}", said.join("\n"))).unwrap();
            let is_ready = line.contains(ready);
            said.push(line);
            if is_ready {
                break;
            }
        }
        // What it says from now on has to go somewhere.
        std::thread::spawn(move || lines.for_each(drop));
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        for child in self.lasting.iter_mut().rev() {
            if child.try_wait().unwrap().is_none() {
                // The shell and what it runs: the group that was made for them.
                kill_process_group(Pid::from_child(child), Signal::INT).ok();
                drop(child.wait());
            }
        }
    }
}

#[test]
fn every_block_of_commands_runs_as_it_stands() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut pages: Vec<PathBuf> =
        std::fs::read_dir(root.join("docs/guide")).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    pages.insert(0, root.join("README.md"));
    let mut count = 0;
    for page in pages {
        let mut reader = Reader::new();
        for block in blocks(&page) {
            reader.run(&page, &block);
            count += 1;
        }
    }
    assert!(count > 20, "only {count} blocks were found");
}
