//! The help texts: each command explains itself with examples, and the examples are commands.

use std::collections::VecDeque;

use crate::lab::Lab;

/// Every command there is, with its help.
fn commands() -> Vec<(Vec<String>, String)> {
    let lab = Lab::bare();
    let mut waiting = VecDeque::from([Vec::<String>::new()]);
    let mut found = Vec::new();
    while let Some(words) = waiting.pop_front() {
        let mut line = words.clone();
        line.push("--help".to_owned());
        let help = lab.run(&line).text().to_owned();
        if let Some((_, list)) = help.split_once("\nCommands:\n") {
            let names = list.lines().take_while(|line| !line.is_empty()).filter_map(|line| {
                // Deeper indentation goes on with the line above.
                line.strip_prefix("  ").filter(|line| !line.starts_with(' '))?.split_whitespace().next()
            });
            for name in names.filter(|name| *name != "help") {
                waiting.push_back([&words[..], &[name.to_owned()]].concat());
            }
        }
        found.push((words, help));
    }
    found
}

#[test]
fn every_command_has_examples_of_itself() {
    let commands = commands();
    assert!(commands.len() > 50, "only {} commands were found", commands.len());
    for (words, help) in commands.iter().filter(|(_, help)| !help.contains("\nCommands:\n")) {
        let name = format!("holotype {}", words.join(" "));
        let examples = help.split_once("\nExamples:\n").unwrap_or_else(|| panic!("{name} has no examples")).1;
        let mut examples = examples.lines().take_while(|line| line.starts_with("  "));
        assert!(examples.any(|line| line.trim_start().contains(&name)), "no example of '{name}' in its help:\n{help}");
    }
}

/// A help without the options that every command has.
fn own_part(help: &str) -> String {
    let Some((before, after)) = help.split_once("\nGlobal options:\n") else { return help.to_owned() };
    let rest = after.lines().skip_while(|line| line.is_empty() || line.starts_with(' ')).collect::<Vec<_>>().join("\n");
    format!("{before}\n{rest}")
}

#[test]
fn the_help_texts_are_as_reviewed() {
    let all: String = commands()
        .iter()
        .map(|(words, help)| {
            let help = if words.is_empty() { help.clone() } else { own_part(help) };
            format!("==== holotype {}\n{}\n\n", words.join(" "), help.trim_end())
        })
        .collect();
    insta::assert_snapshot!("help", all);
}

#[test]
fn the_version_is_that_of_the_package() {
    assert_eq!(Lab::bare().run(["--version"]).text(), concat!("holotype ", env!("CARGO_PKG_VERSION"), "\n"));
}
