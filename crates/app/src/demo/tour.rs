//! Three things to try on the laboratory, each of which works when it is pasted into a shell.

use std::fmt;

use super::Demo;

/// Commands for a laboratory that is being served.
#[derive(Debug, Clone)]
pub struct Tour<'t> {
    /// What was made.
    pub demo: &'t Demo,
    /// Where it is served, with a slash at the end.
    pub url: &'t str,
    /// How to call `holotype` from the reader's shell.
    pub program: &'t str,
    /// The home, for the reader's shell.
    pub home: &'t str,
}

impl Tour<'_> {
    /// Finds when the incubator was too cold, over HTTP.
    pub fn curl(&self) -> String {
        let query = r#"{"filter": {"label": "incubator-1", "value.temperature": {"$lt": 36}}, "fields": ["data_timestamp", "value"]}"#;
        format!("curl -s {}api/v1/datapoints/query -H 'Content-Type: application/json' \\\n  -d '{query}'", self.url)
    }

    /// Finds the last weighings, with the command line.
    pub fn command(&self) -> String {
        format!("{} --home {} datapoint list --label balance-2 --limit 5", quoted(self.program), quoted(self.home))
    }

    /// Reads the experiment and a file with the unmodified client of the earlier system, in a folder of its own.
    pub fn python(&self) -> String {
        format!(
            r#"python3 -m venv /tmp/holotype-demo-python
/tmp/holotype-demo-python/bin/pip install -q "madsci.client==0.8.1" "madsci.common==0.8.1" "pydantic<2.14"
/tmp/holotype-demo-python/bin/python - <<'END'
from madsci.client.data_client import DataClient

client = DataClient("{url}")
readings = client.query_datapoints({{"ownership_info.experiment_id": "{experiment}", "label": "plate-reader-1"}})
for reading in sorted(readings.values(), key=lambda reading: reading.data_timestamp)[-3:]:
    print(reading.data_timestamp, reading.value["wells"]["A1"])
client.save_datapoint_value("{spectrum}", "/tmp/holotype-demo-spectrum.csv")
print(open("/tmp/holotype-demo-spectrum.csv").read(60))
END"#,
            url = self.url,
            experiment = self.demo.experiment,
            spectrum = self.demo.spectrum,
        )
    }
}

impl fmt::Display for Tour<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Demo { values, files, frames, .. } = self.demo;
        writeln!(f, "A laboratory with {values} values and {files} files of the last day is served at {}", self.url)?;
        writeln!(f, "It has a telescope too, and {frames} frames of a star that varies: {}frames/", self.url)?;
        writeln!(f, "What is held, running and failed: {}ui/", self.url)?;
        writeln!(f, "\n1. When was the incubator too cold?\n\n{}", self.curl())?;
        writeln!(f, "\n2. What did the balance show last?\n\n{}", self.command())?;
        writeln!(f, "\n3. How did the cultures grow? Ask with the real MADSci client:\n\n{}", self.python())?;
        writeln!(f, "\nEverything is in {}; delete that directory and the laboratory is gone.", self.home)
    }
}

/// A word for a POSIX shell.
fn quoted(word: &str) -> String {
    if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-+:@%".contains(&byte)) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_with_blanks_and_quotes_survive_the_shell() {
        for word in ["/plain/path", "with blank", "it's", "$HOME `x`", ""] {
            let output = std::process::Command::new("sh").arg("-c").arg(format!("printf %s {}", quoted(word))).output();
            assert_eq!(String::from_utf8(output.unwrap().stdout).unwrap(), word);
        }
    }

    #[test]
    fn the_tour_names_what_was_made() {
        let demo = Demo {
            values: 3,
            files: 2,
            frames: 14,
            experiment: "EXPERIMENT".to_owned(),
            spectrum: "SPECTRUM".to_owned(),
        };
        let tour = Tour { demo: &demo, url: "http://127.0.0.1:8004/", program: "holotype", home: "/tmp/a lab" };
        let text = tour.to_string();
        for part in [
            "3 values",
            "2 files",
            "14 frames",
            "EXPERIMENT",
            "SPECTRUM",
            "--home '/tmp/a lab'",
            "http://127.0.0.1:8004/ui/",
        ] {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
    }
}
