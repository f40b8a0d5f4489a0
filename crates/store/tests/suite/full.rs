//! A disk that is full, and one that is read-only: real ones, in a mount namespace of their own.

use std::process::{Command, Output};

use crate::crash::example;

/// Runs a script as root of a new mount namespace. `$0` is an empty directory, `$1` the program that puts.
fn in_own_mounts(script: &str) -> Option<Output> {
    let possible = Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
    if !possible.is_ok_and(|output| output.status.success()) {
        eprintln!(
            "SKIPPED: this machine lets no test mount a file system of its own (unshare -rm): no full disk was tried"
        );
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-euc", script]).arg(folder.path()).arg(example());
    Some(command.output().unwrap())
}

fn text(output: &Output) -> (String, String) {
    (String::from_utf8(output.stdout.clone()).unwrap(), String::from_utf8(output.stderr.clone()).unwrap())
}

#[test]
fn a_full_disk_is_a_clear_error_that_leaves_nothing() {
    let script = r#"
        mount -t tmpfs -o size=2m none "$0"
        if head -c 8000000 /dev/zero | "$1" "$0"; then exit 9; fi
        find "$0" -type f
        head -c 1000 /dev/zero | "$1" "$0"
    "#;
    let Some(output) = in_own_mounts(script) else { return };
    let (stdout, stderr) = text(&output);
    assert!(output.status.success(), "{stderr}");
    assert!(stderr.contains("Full {"), "{stderr}");
    // No file was found after the failure, and what fits was taken.
    assert_eq!(stdout, "541b3e9daa09b20bf85fa273e5cbd3e80185aa4ec298e765db87742b70138a53\n");
}

#[test]
fn a_read_only_disk_is_a_clear_error_and_can_still_be_opened() {
    let script = r#"
        mount -t tmpfs none "$0"
        echo abc | "$1" "$0" > /dev/null
        mount -o remount,ro none "$0"
        if echo abcd | "$1" "$0"; then exit 9; fi
        find "$0" -type f | wc -l
    "#;
    let Some(output) = in_own_mounts(script) else { return };
    let (stdout, stderr) = text(&output);
    assert!(output.status.success(), "{stderr}");
    assert!(stderr.contains("Denied {"), "{stderr}");
    assert_eq!(stdout.trim(), "1");
}
