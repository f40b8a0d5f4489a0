//! The arrows of ARCHITECTURE.md are the arrows of the Cargo manifests.
#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing, and so do its helpers")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

type Arrows = BTreeMap<String, BTreeSet<String>>;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The block marked `arrows`: a room, `->`, and the rooms it may use.
fn drawn() -> Arrows {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let block = text.split("```arrows\n").nth(1).unwrap().split("```").next().unwrap();
    let room = |line: &str| {
        let (from, to) = line.split_once("->").unwrap();
        (from.trim().to_owned(), to.split_whitespace().map(str::to_owned).collect())
    };
    block.lines().map(room).collect()
}

/// What each crate depends on outside its tests, by the names of rooms.
fn built() -> Arrows {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let room = |name: &str| if name == "holotype" { "cli".to_owned() } else { name.replace("holotype-", "") };
    let mut arrows = Arrows::new();
    for package in metadata["packages"].as_array().unwrap() {
        let uses = package["dependencies"].as_array().unwrap().iter();
        let rooms = uses
            .filter(|dependency| dependency["kind"] != "dev" && !dependency["path"].is_null())
            .map(|dependency| room(dependency["name"].as_str().unwrap()));
        arrows.insert(room(package["name"].as_str().unwrap()), rooms.collect());
    }
    arrows
}

#[test]
fn rooms_use_only_what_an_arrow_leads_to() {
    let drawn = drawn();
    let built = built();
    assert_eq!(drawn.keys().collect::<Vec<_>>(), built.keys().collect::<Vec<_>>(), "rooms drawn and rooms built");
    for (room, uses) in built {
        let beyond: Vec<_> = uses.difference(&drawn[&room]).collect();
        assert!(
            beyond.is_empty(),
            "{room} uses {beyond:?}: draw the arrow in ARCHITECTURE.md and say why, or take another way"
        );
    }
}

#[test]
fn no_room_depends_on_the_test_kit_outside_its_tests() {
    assert!(built().values().all(|uses| !uses.contains("testkit")));
}
