//! What is on the disk when a blob is acknowledged, and what a killed process leaves: seen from outside, on a real process.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures::TryStreamExt;
use holotype_core::{Digest, Instant};
use holotype_store::{Listed, Location, Store, Verdict};

use crate::contract::sample;

/// The example `store_put`, which is built with the tests.
pub(crate) fn example() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let path = tests.parent().and_then(Path::parent).unwrap().join("examples/store_put");
    assert!(path.exists(), "{} is not built: run 'cargo build -p holotype-store --examples'", path.display());
    path
}

fn start(root: &Path) -> Child {
    Command::new(example()).arg(root).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

/// A system call that succeeded, at the line of the trace where it returned.
struct Call<'t> {
    ended: usize,
    text: String,
    name: &'t str,
}

/// The calls of a trace by `strace -f -y`, also those that another thread's call cut in two.
fn calls(trace: &str) -> Vec<Call<'_>> {
    let mut begun = std::collections::HashMap::new();
    let mut calls = Vec::new();
    for (ended, line) in trace.lines().enumerate() {
        let Some((thread, text)) = line.split_once(' ') else { continue };
        let text = text.trim_start();
        if let Some(start) = text.strip_suffix(" <unfinished ...>") {
            begun.insert(thread, start);
            continue;
        }
        let whole = match text.split_once("resumed>") {
            Some((_, rest)) => format!("{}{rest}", begun.remove(thread).unwrap_or_default()),
            None => text.to_owned(),
        };
        let name = text.trim_start_matches("<... ").split(['(', ' ']).next().unwrap_or_default();
        calls.push(Call { ended, text: whole, name });
    }
    calls
}

fn line_of(calls: &[Call<'_>], what: &str, is_it: impl Fn(&Call<'_>) -> bool) -> usize {
    calls.iter().find(|call| is_it(call)).unwrap_or_else(|| panic!("no {what} in the trace")).ended
}

#[test]
fn file_and_folders_are_flushed_before_the_blob_is_acknowledged() {
    if Command::new("strace").arg("-V").output().is_err() {
        eprintln!("SKIPPED: strace is not installed ('make deps'): the order of flushes was not looked at");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap().join("store");
    let bytes = sample(1_000_000, 1);
    let name = Digest::of(&bytes).to_string();
    // The second time folders and blob are there already, and everything must be flushed all the same.
    for round in 1..=2 {
        let log = folder.path().join("trace");
        let mut child = Command::new("strace")
            .args(["-f", "-y", "-s", "100", "-e", "trace=fsync,fdatasync,rename,renameat,renameat2,write", "-o"])
            .args([&log, &example(), &root])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&bytes).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), name);

        let trace = std::fs::read_to_string(&log).unwrap();
        let calls = calls(&trace);
        let flush = |path: PathBuf| {
            let path = format!("<{}", path.display());
            line_of(&calls, &path, |call| {
                call.name == "fsync" && call.text.contains(&path) && call.text.ends_with("= 0")
            })
        };
        let shard = root.join("blobs").join(&name[0..2]).join(&name[2..4]);
        let file = flush(root.join("staging/"));
        let renamed = line_of(&calls, "rename", |call| {
            call.name.starts_with("rename") && call.text.contains(&format!("{}\"", shard.join(&name).display()))
        });
        let listed = flush(PathBuf::from(format!("{}>", shard.display())));
        let above = flush(PathBuf::from(format!("{}>", shard.parent().unwrap().display())));
        let top = flush(PathBuf::from(format!("{}>", root.join("blobs").display())));
        let answered = line_of(&calls, "answer", |call| {
            call.name == "write" && call.text.starts_with("write(1") && call.text.contains(&name)
        });
        assert!(file < renamed, "round {round}: the file is renamed before it is flushed\n{trace}");
        assert!(renamed < listed, "round {round}: the folder is flushed before the rename\n{trace}");
        assert!(
            listed.max(above).max(top) < answered,
            "round {round}: answered before the folders are flushed\n{trace}"
        );
    }
}

#[tokio::test]
async fn a_killed_process_leaves_no_blob_and_only_a_stale_file_that_can_be_removed() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("store");
    let mut child = start(&root);
    let mut input = child.stdin.take().unwrap();
    input.write_all(&sample(3_000_000, 2)).unwrap();
    let staging = root.join("staging");
    // The pipe is read, so the process has written most of it; but it does not know yet that this is not all.
    while std::fs::read_dir(&staging).map_or(true, |mut files| files.next().is_none()) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();

    let store = Store::open(Location::Directory(root), folder.path().to_owned()).unwrap();
    let listed: Vec<Listed> = store.list().try_collect().await.unwrap();
    assert_eq!(listed, []);
    assert_eq!(store.stale_staging("2020-01-01T00:00:00Z".parse().unwrap()).await.unwrap(), []);
    let stale = store.stale_staging(Instant::from_micros(i64::MAX)).await.unwrap();
    assert_eq!(stale.len(), 1);
    assert!(store.remove_staging(&stale[0]).await.unwrap());
    assert_eq!(std::fs::read_dir(&staging).unwrap().count(), 0);
    assert!(!store.remove_staging(&stale[0]).await.unwrap());
}

#[tokio::test]
async fn kills_at_any_moment_lose_no_acknowledged_blob_and_leave_none_half() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("store");
    let mut acknowledged = Vec::new();
    for round in 0..12 {
        let bytes = sample(400_000, 100 + round);
        let mut child = start(&root);
        child.stdin.take().unwrap().write_all(&bytes).unwrap();
        // From before it begins to after it ends, whatever this machine's speed.
        tokio::time::sleep(Duration::from_micros(300 * round * round)).await;
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        if !output.stdout.is_empty() {
            acknowledged.push(Digest::of(&bytes));
        }
    }
    let store = Store::open(Location::Directory(root), folder.path().to_owned()).unwrap();
    let listed: Vec<Listed> = store.list().try_collect().await.unwrap();
    for blob in &listed {
        assert_eq!(store.verify(blob.digest).await.unwrap(), Verdict::Intact { size: 400_000 });
    }
    assert!(acknowledged.iter().all(|digest| listed.iter().any(|blob| blob.digest == *digest)));
}

#[test]
fn memory_is_flat_whatever_the_size_of_a_blob() {
    let peak_kib = |mebibytes: usize| {
        let folder = tempfile::tempdir().unwrap();
        let mut child = start(folder.path());
        let mut input = child.stdin.take().unwrap();
        let bytes = sample(1 << 20, 3);
        for _ in 0..mebibytes {
            input.write_all(&bytes).unwrap();
        }
        // All but what the pipe holds has passed, and the process waits for more.
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        drop(input);
        assert!(child.wait().unwrap().success());
        peak
    };
    let (small, large) = (peak_kib(8), peak_kib(256));
    assert!(large < small + 8 * 1024, "{small} KiB for 8 MiB, {large} KiB for 256 MiB");
}
