//! Rules as data: which of the listed frames are wanted, and into which dataset directory each goes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::config::ArchiveConfig;
use super::fields::Fields;
use super::template::{Template, Unknown};
use crate::ArchiveError;

/// The rules of the pipeline, which hold where a configuration names no others.
const DEFAULT: &str = include_str!("../../rules/microlensing.yaml");

/// How many tables may be looked up for one value: a table may name another, and two may name each other.
const MOST_LOOKUPS: usize = 8;

/// A file of rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Names for what fields hold.
    #[serde(default)]
    tables: BTreeMap<String, Table>,
    /// The frames that are wanted: those of which one of these holds.
    select: Vec<Conditions>,
    /// Where frames go: the first whose condition holds decides.
    datasets: Vec<Dataset>,
}

/// A table: the first line whose text occurs in the field gives the value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    field: String,
    contains: Vec<(String, String)>,
}

/// Conditions by field; all must hold.
type Conditions = BTreeMap<String, Condition>;

/// What must be true of a field's text. A field that nothing says fails every condition but `is_not`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Condition {
    Is(Template),
    IsNot(Template),
    Contains(Template),
}

/// A kind of dataset directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dataset {
    #[serde(default)]
    when: Conditions,
    path: Template,
    /// What `reduction_config.yaml` gets beyond its template; none is written without this.
    #[serde(default)]
    configuration: Option<BTreeMap<String, BTreeMap<String, Template>>>,
}

/// Where a frame goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The dataset's directory, under the root of the tree.
    pub directory: PathBuf,
    /// What its `reduction_config.yaml` says beyond the template, by section and key; `None` for a dataset without one.
    pub configuration: Option<BTreeMap<String, BTreeMap<String, String>>>,
}

impl Rules {
    /// The rules of the microlensing pipeline.
    ///
    /// # Errors
    /// Never, as long as the file that is built in is right, which a test sees to.
    pub fn shipped() -> Result<Self, ArchiveError> {
        Self::parse("the shipped rules", DEFAULT)
    }

    /// Reads a file of rules; `name` is what errors call it.
    ///
    /// # Errors
    /// [`ArchiveError::Config`] with the line.
    pub fn parse(name: &str, text: &str) -> Result<Self, ArchiveError> {
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! { max_depth: 32, max_aliases: 100, max_anchors: 100, max_nodes: 50_000 },
        };
        serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| ArchiveError::Config { file: name.to_owned(), problem: error.render() })
    }

    /// Why a listed frame is not wanted; `None` if it is.
    pub(super) fn refusal(&self, archive: &ArchiveConfig, fields: Fields<'_>) -> Option<String> {
        let values = Values { rules: self, archive, fields };
        if self.select.iter().any(|conditions| values.meet(conditions)) {
            return None;
        }
        let kind = values.text("configuration_type", 0).unwrap_or_else(|| "none".to_owned());
        let level = values.text("reduction_level", 0).unwrap_or_else(|| "none".to_owned());
        Some(format!("no rule selects it: its type is {kind}, its reduction level {level}"))
    }

    /// Where a frame goes, as far as its listing tells; `None` if no rule has a place for it.
    ///
    /// # Errors
    /// The field that the place needs and nothing says.
    pub(super) fn directory(&self, archive: &ArchiveConfig, fields: Fields<'_>) -> Result<Option<PathBuf>, Unknown> {
        let values = Values { rules: self, archive, fields };
        let dataset = self.datasets.iter().find(|dataset| values.meet(&dataset.when));
        dataset.map(|dataset| dataset.path.path(|name| values.text(name, 0))).transpose()
    }

    /// Where a fetched frame goes; `None` if no rule has a place for it.
    ///
    /// # Errors
    /// The field that the place needs and nothing says.
    pub(super) fn place(&self, archive: &ArchiveConfig, fields: Fields<'_>) -> Result<Option<Place>, Unknown> {
        let values = Values { rules: self, archive, fields };
        let Some(dataset) = self.datasets.iter().find(|dataset| values.meet(&dataset.when)) else { return Ok(None) };
        let directory = dataset.path.path(|name| values.text(name, 0))?;
        let fill = |template: &Template| template.fill(|name| values.text(name, 0));
        let section = |(section, keys): (&String, &BTreeMap<String, Template>)| {
            let filled = keys.iter().map(|(key, template)| Ok((key.clone(), fill(template)?)));
            Ok((section.clone(), filled.collect::<Result<BTreeMap<_, _>, Unknown>>()?))
        };
        let configuration = dataset.configuration.as_ref().map(|all| all.iter().map(section).collect()).transpose()?;
        Ok(Some(Place { directory, configuration }))
    }
}

/// Everything that a name may stand for.
struct Values<'v> {
    rules: &'v Rules,
    archive: &'v ArchiveConfig,
    fields: Fields<'v>,
}

impl Values<'_> {
    fn text(&self, name: &str, lookups: usize) -> Option<String> {
        match name {
            "archive.name" => return Some(self.archive.name.clone()),
            "archive.key" => return Some(self.archive.key.clone()),
            "archive.image_level" => return Some(self.archive.image_level.to_string()),
            "archive.spectrum_level" => return Some(self.archive.spectrum_level.to_string()),
            _ => {}
        }
        let Some(table) = self.rules.tables.get(name) else { return self.fields.text(name) };
        if lookups == MOST_LOOKUPS {
            return None;
        }
        let text = self.text(&table.field, lookups + 1)?;
        table.contains.iter().find(|(part, _)| text.contains(part.as_str())).map(|(_, value)| value.clone())
    }

    fn meet(&self, conditions: &Conditions) -> bool {
        conditions.iter().all(|(field, condition)| {
            let text = self.text(field, 0);
            let holds = |template: &Template, test: fn(&str, &str) -> bool| {
                let wanted = template.fill(|name| self.text(name, 0));
                matches!((&text, wanted), (Some(text), Ok(wanted)) if test(text, &wanted))
            };
            match condition {
                Condition::Is(template) => holds(template, |text, wanted| text == wanted),
                Condition::IsNot(template) => !holds(template, |text, wanted| text == wanted),
                Condition::Contains(template) => holds(template, |text, wanted| text.contains(wanted)),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use holotype_fits::{Header, Value as Card};
    use serde_json::{Map, Value, json};

    use super::*;

    fn archive(name: &str) -> ArchiveConfig {
        ArchiveConfig {
            key: "a".to_owned(),
            name: name.to_owned(),
            active: true,
            url: "http://localhost/".parse().unwrap(),
            token_variable: None,
            proposals: Vec::new(),
            image_level: 91,
            spectrum_level: 90,
            definition: None,
            parameters: BTreeMap::new(),
        }
    }

    fn listed(kind: &str, level: i64, instrument: &str, filename: &str) -> Map<String, Value> {
        let listed = json!({"configuration_type": kind, "reduction_level": level, "instrument_id": instrument, "filename": filename,
            "target_name": "MOA-2024-BLG-051", "primary_optical_element": "ip", "observation_day": "2024-07-15"});
        listed.as_object().unwrap().clone()
    }

    #[test]
    fn the_pipelines_rules_select_what_the_pipeline_selects() {
        let rules = Rules::shipped().unwrap();
        let wanted = |name: &str, kind: &str, level, filename: &str| {
            let listed = listed(kind, level, "fa15", filename);
            rules.refusal(&archive(name), Fields { name: "x.fits", listed: &listed, header: None }).is_none()
        };
        assert!(wanted("LCO", "EXPOSE", 91, "x.fits.fz"));
        assert!(!wanted("LCO", "EXPOSE", 0, "x.fits.fz"));
        assert!(wanted("LCO", "SPECTRUM", 90, "x.fits.fz"));
        assert!(!wanted("LCO", "SPECTRUM", 91, "wecfzst_x.fits"));
        assert!(wanted("SOAR", "SPECTRUM", 0, "wecfzst_x.fits"));
        assert!(!wanted("SOAR", "SPECTRUM", 90, "x.fits"));
        assert!(!wanted("LCO", "BIAS", 91, "x.fits"));
    }

    #[test]
    fn the_pipelines_rules_sort_as_the_pipeline_sorts_and_spectra_of_floyds_too() {
        let rules = Rules::shipped().unwrap();
        let directory = |instrument: &str| {
            let listed = listed("EXPOSE", 91, instrument, "x.fits");
            rules.directory(&archive("LCO"), Fields { name: "x.fits", listed: &listed, header: None }).unwrap()
        };
        for (instrument, expected) in [
            ("fa15", "MOA-2024-BLG-051/sinistro/ip"),
            ("fl11", "MOA-2024-BLG-051/sinistro/ip"),
            ("ep06", "MOA-2024-BLG-051/muscat/ip"),
            ("sq32", "MOA-2024-BLG-051/qhy/ip"),
            ("en06", "MOA-2024-BLG-051/floyds/20240715"),
            ("GHTS_RED", "MOA-2024-BLG-051/goodman/20240715"),
        ] {
            assert_eq!(directory(instrument).as_deref(), Some(Path::new(expected)), "{instrument}");
        }
        assert_eq!(directory("nres01"), None);
    }

    #[test]
    fn only_images_get_a_configuration_and_it_comes_from_the_header() {
        let rules = Rules::shipped().unwrap();
        let mut header = Header::default();
        for (keyword, text) in [("OBJECT", "Proxima"), ("RA", "14:29:42.9"), ("DEC", "-62:40:46")] {
            header.set(keyword, Card::Text(text.into()), None).unwrap();
        }
        let image = listed("EXPOSE", 91, "fa15", "x.fits");
        let place = rules
            .place(&archive("LCO"), Fields { name: "x.fits", listed: &image, header: Some(&header) })
            .unwrap()
            .unwrap();
        let target = &place.configuration.unwrap()["target"];
        assert_eq!((target["name"].as_str(), target["Dec"].as_str()), ("Proxima", "-62:40:46"));
        let lacking =
            rules.place(&archive("LCO"), Fields { name: "x.fits", listed: &image, header: Some(&Header::default()) });
        assert!(lacking.unwrap_err().name.starts_with("header."));
        let spectrum = listed("SPECTRUM", 90, "en06", "x.fits");
        let place = rules
            .place(&archive("LCO"), Fields { name: "x.fits", listed: &spectrum, header: Some(&header) })
            .unwrap()
            .unwrap();
        assert_eq!(place.configuration, None);
    }

    #[test]
    fn a_mistake_in_a_file_of_rules_is_told_with_its_line() {
        let text = DEFAULT.replace("path: '{target_name}/", "path: '{target_name|wrong}/");
        let error = Rules::parse("mine.yaml", &text).unwrap_err().to_string();
        assert!(error.contains("mine.yaml") && error.contains("digits, lower or upper"), "{error}");
        assert!(Rules::parse("mine.yaml", &DEFAULT.replace("select:", "selects:")).is_err());
    }

    #[test]
    fn tables_that_name_each_other_have_no_value() {
        let text = "tables:\n  a: {field: b, contains: [[x, y]]}\n  b: {field: a, contains: [[x, y]]}\n\
                    select:\n  - a: {is: y}\ndatasets: []\n";
        let rules = Rules::parse("loop.yaml", text).unwrap();
        let listed = Map::new();
        assert!(rules.refusal(&archive("LCO"), Fields { name: "x.fits", listed: &listed, header: None }).is_some());
    }
}
