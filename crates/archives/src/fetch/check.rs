//! What is asked of a request that was read on one machine and is to be carried out on another.
//!
//! Whoever hands it in has read and checked the files themselves; a machine that gets it as JSON believes nothing of that. It reads
//! no file that the request names: rules, template and definitions are in it.

use std::collections::BTreeSet;
use std::path::Path;

use super::config::{ArchiveConfig, MOST_BYTES, problem_of_address};
use super::connect;
use super::run::FetchRequest;
use crate::ArchiveError;

/// The most archives of a request, and proposals and parameters of an archive.
const MOST_ENTRIES: usize = 1000;

/// The longest text that is no path: a name, a proposal, the name of a variable.
const MOST_CHARACTERS: usize = 1000;

impl FetchRequest {
    /// Checks what the types do not say.
    ///
    /// # Errors
    /// [`ArchiveError::Request`] with the first part that cannot be.
    pub(super) fn check(&self) -> Result<(), ArchiveError> {
        let config = &self.config;
        let paths = [
            ("log_directory", &config.log_directory),
            ("frame_list", &config.frame_list),
            ("download_directory", &config.download_directory),
            ("reduction_directory", &config.reduction_directory),
            ("template", &config.template),
        ];
        for (part, path) in paths.into_iter().chain(config.rules.as_ref().map(|rules| ("rules", rules))) {
            path_is_usable(part, path)?;
        }
        text_is_usable("name", &self.name)?;
        count_is_usable("archives", config.archives.len())?;
        config.archives.iter().try_for_each(archive_is_usable)?;
        self.definitions_are_there()?;
        if config.window.is_some_and(|window| window.start > window.end) || self.window.start > self.window.end {
            return Err(wrong("window", "it ends before it begins"));
        }
        let size = serde_json::to_string(self).map_err(ArchiveError::internal)?.len() as u64;
        if size > MOST_BYTES {
            return Err(wrong("request", "it is larger than a mebibyte"));
        }
        Ok(())
    }

    /// An archive with a definition comes with its text; without it, it would be asked as one of another kind.
    fn definitions_are_there(&self) -> Result<(), ArchiveError> {
        let mut defined = BTreeSet::new();
        for archive in self.config.archives.iter().filter(|archive| archive.definition.is_some()) {
            let text = self.definitions.get(&archive.key).ok_or(wrong("definitions", "the text of one is missing"))?;
            connect::definition(archive, text)?;
            defined.insert(&archive.key);
        }
        let named = self.definitions.keys().chain(self.places.keys()).chain(self.unpacking.keys());
        let mut unknown = named.filter(|key| !defined.contains(key));
        unknown.next().map_or(Ok(()), |_| Err(wrong("definitions", "one is for no archive of the request")))
    }
}

fn archive_is_usable(archive: &ArchiveConfig) -> Result<(), ArchiveError> {
    if let Some(problem) = problem_of_address(&archive.url) {
        return Err(wrong("url", problem));
    }
    if let Some(variable) = &archive.token_variable {
        let is_name = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if variable.is_empty() || variable.starts_with(|c: char| c.is_ascii_digit()) || !is_name(variable) {
            return Err(wrong("token_variable", "the name of an environment variable is needed"));
        }
    }
    count_is_usable("proposals", archive.proposals.len())?;
    count_is_usable("parameters", archive.parameters.len())?;
    let parameters = archive.parameters.iter().flat_map(|(name, value)| [name, value]);
    let texts = [&archive.key, &archive.name].into_iter().chain(&archive.token_variable).chain(&archive.definition);
    texts.chain(&archive.proposals).chain(parameters).try_for_each(|text| text_is_usable("archives", text))
}

fn path_is_usable(part: &'static str, path: &Path) -> Result<(), ArchiveError> {
    let text = path.as_os_str().as_encoded_bytes();
    if text.contains(&0) || text.len() > 4096 {
        return Err(wrong(part, "no path holds a NUL or more than 4096 bytes"));
    }
    if path.is_absolute() { Ok(()) } else { Err(wrong(part, "an absolute path is needed")) }
}

fn text_is_usable(part: &'static str, text: &str) -> Result<(), ArchiveError> {
    let fits = text.chars().count() <= MOST_CHARACTERS && !text.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(wrong(part, "a text in it is longer than 1000 characters, or not printable")) }
}

fn count_is_usable(part: &'static str, count: usize) -> Result<(), ArchiveError> {
    if count <= MOST_ENTRIES { Ok(()) } else { Err(wrong(part, "more than 1000 are not taken")) }
}

fn wrong(part: &'static str, problem: &'static str) -> ArchiveError {
    ArchiveError::Request { part, problem }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::fetch::Rules;
    use crate::source::declared;

    fn request() -> Value {
        let archive = json!({"key": "lco", "name": "LCO", "active": true, "url": "https://archive.example.org/", "token_variable": "LCO_TOKEN",
            "proposals": ["P1"], "image_level": 91, "spectrum_level": 90, "definition": null, "parameters": {}});
        let config = json!({"archives": [archive], "log_directory": "/data/logs", "frame_list": "/data/list.txt", "download_directory": "/data/in",
            "reduction_directory": "/data", "window": null, "template": "/data/template.yaml", "rules": null});
        let window = json!({"start": "2026-11-19T09:00:00Z", "end": "2026-11-20T09:00:00Z"});
        json!({"name": "night.yaml", "config": config, "rules": Rules::shipped().unwrap(), "template": {"target": {"name": "x"}},
            "window": window, "definitions": {}, "options": {"data_summary": false, "replace_amended": false}})
    }

    fn checked(part: &str, value: Value) -> Result<(), String> {
        let mut request = request();
        *request.pointer_mut(part).unwrap() = value;
        let request: FetchRequest = serde_json::from_value(request).map_err(|error| error.to_string())?;
        request.check().map_err(|error| error.to_string())
    }

    #[test]
    fn what_was_read_from_files_is_taken() {
        assert_eq!(checked("/name", json!("night.yaml")), Ok(()));
        assert_eq!(checked("/config/rules", json!("/data/rules.yaml")), Ok(()));
        assert_eq!(checked("/config/archives/0/token_variable", Value::Null), Ok(()));
    }

    #[test]
    fn a_definition_comes_with_its_text() {
        let with = |text: &str| {
            let mut request = request();
            request["config"]["archives"][0]["definition"] = json!("mine.yaml");
            request["definitions"] = json!({ "lco": text });
            serde_json::from_value::<FetchRequest>(request).unwrap().check().map_err(|error| error.to_string())
        };
        assert_eq!(with(declared::shipped_text("zenodo").unwrap()), Ok(()));
        assert!(with("name: [").unwrap_err().contains("mine.yaml"));
    }

    #[test]
    fn what_no_file_could_have_said_is_refused_by_its_name() {
        for (part, value, named) in [
            ("/config/log_directory", json!("logs"), "log_directory"),
            ("/config/download_directory", json!("../in"), "download_directory"),
            ("/config/reduction_directory", json!("/da\u{0}ta"), "reduction_directory"),
            ("/config/template", json!(""), "template"),
            ("/config/rules", json!("rules.yaml"), "rules"),
            ("/config/archives/0/url", json!("file:///etc/passwd"), "url"),
            ("/config/archives/0/url", json!("https://me:geheim@archive.example.org/"), "url"),
            ("/config/archives/0/token_variable", json!("a b"), "token_variable"),
            ("/config/archives/0/definition", json!("/etc/passwd"), "definitions"),
            ("/definitions", json!({"lco": "name: x"}), "definitions"),
            ("/config/archives/0/proposals", json!(vec!["P"; 1001]), "proposals"),
            ("/config/archives/0/proposals", json!(["P".repeat(1001)]), "archives"),
            ("/config/archives/0/name", json!("two\nlines"), "archives"),
            ("/window", json!({"start": "2026-11-21T09:00:00Z", "end": "2026-11-20T09:00:00Z"}), "window"),
            ("/template/target", json!("x".repeat(1024 * 1024)), "mebibyte"),
        ] {
            let problem = checked(part, value).unwrap_err();
            assert!(problem.contains(named) && !problem.contains("geheim"), "{part}: {problem}");
        }
    }

    #[test]
    fn what_is_unknown_is_refused() {
        for (part, name) in [
            ("", "more"),
            ("/config", "more"),
            ("/config/archives/0", "token"),
            ("/window", "more"),
            ("/options", "more"),
        ] {
            let mut request = request();
            request.pointer_mut(part).unwrap()[name] = json!(1);
            let refused = serde_json::from_value::<FetchRequest>(request);
            assert!(refused.is_err_and(|error| error.to_string().contains(name)), "{part}");
        }
    }
}
