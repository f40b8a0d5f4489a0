//! What to fetch and where to put it: the `data_download.yaml` of the microlensing pipeline, every key of it.
//!
//! A mistake is told with its line before anything is asked of an archive. Beyond the pipeline's keys there are optional ones:
//! `definition` and `parameters` of an archive, and `rules` of the whole.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use holotype_core::Instant;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_saphyr::{Location, Spanned};
use url::Url;

use crate::ArchiveError;

/// The largest configuration that is read.
pub const MOST_BYTES: u64 = 1024 * 1024;

/// Hours of the window where a configuration names no dates.
const LAST_HOURS: u64 = 24;

/// A fetch's configuration, checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FetchConfig {
    /// The archives, in the order of the file.
    pub archives: Vec<ArchiveConfig>,
    /// Where `data_download.log` and `main_data_list.txt` are.
    pub log_directory: PathBuf,
    /// A list of frames that are there already. It is read and appended to where it exists, and never made.
    pub frame_list: PathBuf,
    /// Where frames arrive, and stay while their dataset is locked.
    pub download_directory: PathBuf,
    /// The root of the sorted tree.
    pub reduction_directory: PathBuf,
    /// The first and the last instant of the observations wanted; `None` for the last 24 hours.
    pub window: Option<Window>,
    /// The template of every `reduction_config.yaml`.
    pub template: PathBuf,
    /// A file with rules of the user's own.
    pub rules: Option<PathBuf>,
}

/// One archive of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchiveConfig {
    /// What the configuration calls it.
    pub key: String,
    /// Its name, which the rules may look at.
    pub name: String,
    /// Whether it is asked at all.
    pub active: bool,
    /// Where it is.
    pub url: Url,
    /// The environment variable that holds the token; `None` to ask without one.
    pub token_variable: Option<String>,
    /// Each is asked for by itself.
    pub proposals: Vec<String>,
    /// The reduction level of images.
    pub image_level: i64,
    /// The reduction level of spectra.
    pub spectrum_level: i64,
    /// The name of a shipped definition, or the file of one, for an archive that is not of the OCS kind.
    pub definition: Option<String>,
    /// What that definition wants to know beyond this.
    pub parameters: BTreeMap<String, String>,
}

/// The span of observations that is wanted, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The earliest.
    pub start: Instant,
    /// The latest.
    pub end: Instant,
}

impl Window {
    /// The last 24 hours.
    pub fn last_day(now: Instant) -> Self {
        Self { start: now.before(Duration::from_secs(LAST_HOURS * 3600)), end: now }
    }
}

impl FetchConfig {
    /// Reads a configuration. Relative paths are under `directory`; `name` is what errors call the file.
    ///
    /// # Errors
    /// [`ArchiveError::Config`] with the line, for a key that is missing, unknown or of the wrong type, a date or an address that is none.
    pub fn parse(name: &str, text: &str, directory: &Path) -> Result<Self, ArchiveError> {
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! { max_depth: 32, max_aliases: 100, max_anchors: 100, max_nodes: 50_000 },
        };
        let file: File = serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| ArchiveError::Config { file: name.to_owned(), problem: error.render() })?;
        let reader = Reader { name, directory };
        Ok(Self {
            archives: file
                .archives
                .0
                .into_iter()
                .map(|(key, one)| reader.archive(key, one))
                .collect::<Result<_, _>>()?,
            log_directory: reader.path("log_dir", &file.log_dir)?,
            frame_list: reader.path("frame_list", &file.frame_list)?,
            download_directory: reader.path("data_download_dir", &file.data_download_dir)?,
            reduction_directory: reader.path("data_reduction_dir", &file.data_reduction_dir)?,
            window: reader.window(&file.start_datetime, &file.end_datetime)?,
            template: reader.path("default_red_config", &file.default_red_config)?,
            rules: file.rules.map(|path| reader.path("rules", &path)).transpose()?,
        })
    }

    /// The window that is meant at `now`.
    pub fn window_at(&self, now: Instant) -> Window {
        self.window.unwrap_or_else(|| Window::last_day(now))
    }
}

/// The file, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    archives: InOrder,
    log_dir: Spanned<String>,
    frame_list: Spanned<String>,
    data_download_dir: Spanned<String>,
    data_reduction_dir: Spanned<String>,
    start_datetime: Spanned<String>,
    end_datetime: Spanned<String>,
    default_red_config: Spanned<String>,
    #[serde(default)]
    rules: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ArchiveFile {
    name: String,
    active: bool,
    url: Spanned<String>,
    token_envvar: Spanned<String>,
    proposals: Vec<String>,
    reduction_level: Levels,
    #[serde(default)]
    definition: Option<String>,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Levels {
    image: i64,
    spectrum: i64,
}

/// A mapping whose order counts: archives are asked as they are written.
struct InOrder(Vec<(String, ArchiveFile)>);

impl<'de> Deserialize<'de> for InOrder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = InOrder;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("archives by their names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<InOrder, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(InOrder(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// Why an archive cannot have an address, if so.
pub(super) fn problem_of_address(url: &Url) -> Option<&'static str> {
    if !matches!(url.scheme(), "http" | "https" | "s3") || url.host_str().is_none() {
        return Some("an http:// or https:// address is needed");
    }
    let has_credentials = !url.username().is_empty() || url.password().is_some();
    has_credentials.then_some("it holds credentials; name an environment variable with token_envvar instead")
}

/// What turns the written into the meant.
struct Reader<'r> {
    name: &'r str,
    directory: &'r Path,
}

impl Reader<'_> {
    fn wrong(&self, location: Location, key: &str, problem: impl fmt::Display) -> ArchiveError {
        let problem = format!("line {}: {key}: {problem}", location.line());
        ArchiveError::Config { file: self.name.to_owned(), problem }
    }

    fn path(&self, key: &str, text: &Spanned<String>) -> Result<PathBuf, ArchiveError> {
        match text.value.trim() {
            "" => Err(self.wrong(text.referenced, key, "it is empty, and a path is needed")),
            path if path.contains('\0') => Err(self.wrong(text.referenced, key, "no path holds a NUL")),
            path => Ok(self.directory.join(path)),
        }
    }

    fn archive(&self, key: String, file: ArchiveFile) -> Result<ArchiveConfig, ArchiveError> {
        let url =
            Url::parse(&file.url.value).map_err(|error| self.wrong(file.url.referenced, "url", error.to_string()))?;
        if let Some(problem) = problem_of_address(&url) {
            return Err(self.wrong(file.url.referenced, "url", problem));
        }
        let token = file.token_envvar.value.trim();
        let Levels { image, spectrum } = file.reduction_level;
        Ok(ArchiveConfig {
            key,
            name: file.name,
            active: file.active,
            url,
            token_variable: (!token.is_empty()).then(|| token.to_owned()),
            proposals: file.proposals,
            image_level: image,
            spectrum_level: spectrum,
            definition: file.definition,
            parameters: file.parameters,
        })
    }

    /// `none` in either date means the last day, as it does to the pipeline.
    fn window(&self, start: &Spanned<String>, end: &Spanned<String>) -> Result<Option<Window>, ArchiveError> {
        if [start, end].iter().any(|date| date.value.to_lowercase().contains("none")) {
            return Ok(None);
        }
        let window = Window { start: self.date("start_datetime", start)?, end: self.date("end_datetime", end)? };
        if window.start > window.end {
            return Err(self.wrong(end.referenced, "end_datetime", "it is before start_datetime"));
        }
        Ok(Some(window))
    }

    fn date(&self, key: &str, text: &Spanned<String>) -> Result<Instant, ArchiveError> {
        let problem = |_| {
            self.wrong(
                text.referenced,
                key,
                format!("'{}' is no date such as '2024-07-14 00:00' (UTC), nor 'none'", text.value),
            )
        };
        let date: jiff::civil::DateTime = text.value.trim().parse().map_err(problem)?;
        let zoned = date.to_zoned(jiff::tz::TimeZone::UTC).map_err(problem)?;
        Ok(Instant::from_micros(zoned.timestamp().as_microsecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "\
archives:
  zeta:
    name: 'LCO'
    active: True
    url: 'https://archive.example.org/'
    token_envvar: 'LCO_TOKEN'
    proposals:
      - 'LCO2024A-001'
      - LCO2024A-002
    reduction_level:
      image: 91
      spectrum: 90
  alpha:
    name: 'SOAR'
    active: no
    url: 'https://archive.example.org'
    token_envvar: ''
    proposals: []
    reduction_level: {image: 0, spectrum: 0}
log_dir: 'logs/'
frame_list: '/data/logs/frame_list.txt'
data_download_dir: '/data/incoming/'
data_reduction_dir: '/data/'
start_datetime: '2024-07-14 00:00'
end_datetime: 2024-07-18 12:30
default_red_config: '/data/config/default_red_config.yaml'
";

    fn problem(text: &str) -> String {
        FetchConfig::parse("night.yaml", text, Path::new("/here")).unwrap_err().to_string()
    }

    #[test]
    fn every_key_of_the_pipeline_is_read_and_archives_keep_their_order() {
        let config = FetchConfig::parse("night.yaml", WHOLE, Path::new("/here")).unwrap();
        let [first, second] = config.archives.as_slice() else { unreachable!("two archives are written") };
        assert_eq!((first.key.as_str(), first.active, first.image_level, first.spectrum_level), ("zeta", true, 91, 90));
        assert_eq!(first.proposals, ["LCO2024A-001", "LCO2024A-002"]);
        assert_eq!(first.token_variable.as_deref(), Some("LCO_TOKEN"));
        assert_eq!((second.key.as_str(), second.active, second.token_variable.as_deref()), ("alpha", false, None));
        assert_eq!(config.log_directory, Path::new("/here/logs/"));
        assert_eq!(config.reduction_directory, Path::new("/data/"));
        let window = config.window.unwrap();
        assert_eq!(window.start.to_string(), "2024-07-14T00:00:00Z");
        assert_eq!(window.end.to_string(), "2024-07-18T12:30:00Z");
    }

    #[test]
    fn none_in_either_date_means_the_last_day() {
        for (from, to) in [("'2024-07-14 00:00'", "'None'"), ("2024-07-18 12:30", "none")] {
            let config = FetchConfig::parse("night.yaml", &WHOLE.replace(from, to), Path::new("/")).unwrap();
            let now = Instant::from_micros(1_700_000_000_000_000);
            assert_eq!(config.window_at(now), Window { start: now.before(Duration::from_secs(86_400)), end: now });
        }
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        let unknown = problem(&WHOLE.replace("log_dir:", "log_directory:"));
        assert!(unknown.contains("log_directory") && unknown.contains("20"), "{unknown}");
        let missing = problem(&WHOLE.replace("frame_list: '/data/logs/frame_list.txt'\n", ""));
        assert!(missing.contains("frame_list"), "{missing}");
        let wrong = problem(&WHOLE.replace("image: 91", "image: high"));
        assert!(wrong.contains("11"), "{wrong}");
        let date = problem(&WHOLE.replace("'2024-07-14 00:00'", "'14.7.2024'"));
        assert!(date.contains("line 24: start_datetime: '14.7.2024'"), "{date}");
        let order = problem(&WHOLE.replace("'2024-07-14 00:00'", "'2025-07-14 00:00'"));
        assert!(order.contains("line 25: end_datetime: it is before start_datetime"), "{order}");
        let url = problem(&WHOLE.replace("'https://archive.example.org/'", "'ftp://archive.example.org/'"));
        assert!(url.contains("line 5: url"), "{url}");
        let secret =
            problem(&WHOLE.replace("'https://archive.example.org/'", "'https://me:geheim@archive.example.org/'"));
        assert!(secret.contains("token_envvar") && !secret.contains("geheim"), "{secret}");
    }

    #[test]
    fn hostile_yaml_is_an_error() {
        for text in ["", "[", "archives: &a [*a]", "a: 1\na: 2", "\u{0}", &"[".repeat(10_000)] {
            assert!(FetchConfig::parse("x", text, Path::new("/")).is_err(), "{text:.20}");
        }
    }
}
