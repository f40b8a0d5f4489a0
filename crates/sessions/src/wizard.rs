//! How operations are described to who fills in their forms, and what follows for requests.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{Faults, InputItem, SessionError};

/// An operation's form.
#[derive(Debug, Clone)]
pub struct Description {
    /// What the operation is called.
    pub name: &'static str,
    /// What it does.
    pub text: &'static str,
    /// Its fields, in the order of the form.
    pub inputs: Vec<Input>,
}

/// A field of a form.
#[derive(Debug, Clone)]
pub struct Input {
    /// The member of the request.
    pub key: &'static str,
    /// What the field is called.
    pub name: &'static str,
    /// What it is for.
    pub text: &'static str,
    /// What goes into it.
    pub kind: Kind,
}

/// What goes into a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Frames.
    Fits {
        /// At least so many.
        minimum: usize,
        /// At most so many.
        maximum: usize,
        /// All through one of these filters; empty if through any.
        filters: &'static [&'static str],
        /// Each with a colour and limits of brightness.
        channels: bool,
    },
    /// A place in the sky.
    Source {
        /// Whether a name may be looked up.
        name_lookup: bool,
        /// Another member that a request may have in its place: a list whose first position is meant.
        or_first_of: Option<&'static str>,
    },
    /// A number.
    Float {
        /// What it is if nothing is said.
        default: f64,
        /// Whether the form insists.
        required: bool,
    },
    /// A whole number.
    Int {
        /// What it is if nothing is said.
        default: i64,
    },
    /// One of some words.
    Select {
        /// The words.
        options: &'static [&'static str],
        /// The word if nothing is said.
        default: &'static str,
    },
    /// Places in the sky, each at its time.
    Positions {
        /// At least so many.
        minimum: usize,
    },
}

/// A request that fits the form.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Checked {
    /// As it was asked for, in order.
    pub input_data: Map<String, Value>,
    /// What it says beside its files, defaults filled in.
    pub parameters: Map<String, Value>,
    /// The files of each field.
    pub files: BTreeMap<String, Vec<InputItem>>,
}

impl Description {
    /// As the contract answers it.
    pub fn to_json(&self) -> Value {
        let inputs: Map<String, Value> =
            self.inputs.iter().map(|input| (input.key.to_owned(), input.to_json())).collect();
        json!({ "name": self.name, "description": self.text, "category": "image", "inputs": inputs })
    }

    /// Looks whether a request fits the form, and puts it in order: lists of frames by their basenames.
    pub(crate) fn check(&self, input_data: &Value) -> Result<Checked, SessionError> {
        let Value::Object(given) = input_data else {
            return Err(SessionError::Invalid(Faults::one("input_data", "Expected a dictionary of items.")));
        };
        let mut faults = Faults::default();
        let mut checked = Checked { input_data: given.clone(), parameters: Map::new(), files: BTreeMap::new() };
        for input in &self.inputs {
            let checking = match &input.kind {
                Kind::Fits { .. } => input.check_files(given, &mut checked),
                _ => input.check_parameter(given).map(|value| {
                    checked.parameters.insert(input.key.to_owned(), value);
                }),
            };
            if let Err(problem) = checking {
                faults.add(input.key, problem);
            }
        }
        faults.none_or(checked)
    }
}

impl Input {
    fn to_json(&self) -> Value {
        let mut described = json!({ "name": self.name, "description": self.text });
        let says = match &self.kind {
            Kind::Fits { minimum, maximum, filters, channels } => {
                let mut says = json!({ "type": "fits", "minimum": minimum, "maximum": maximum });
                if !filters.is_empty() {
                    says["single_filter"] = true.into();
                    says["filter_options"] = json!(filters);
                }
                if *channels {
                    says["include_custom_scale"] = true.into();
                    says["color_picker"] = true.into();
                }
                says
            }
            Kind::Source { name_lookup: true, .. } => json!({ "type": "source", "name_lookup": true }),
            Kind::Source { .. } => json!({ "type": "source" }),
            Kind::Float { default, required: true } => json!({ "type": "float", "required": true, "default": default }),
            Kind::Float { default, .. } => json!({ "type": "float", "default": default }),
            Kind::Int { default } => json!({ "type": "int", "default": default }),
            Kind::Select { options, default } => json!({ "type": "select", "options": options, "default": default }),
            Kind::Positions { minimum } => {
                json!({ "type": "target_positions", "required": true, "minimum": minimum })
            }
        };
        if let (Value::Object(described), Value::Object(says)) = (&mut described, says) {
            described.extend(says);
        }
        described
    }

    fn check_files(&self, given: &Map<String, Value>, checked: &mut Checked) -> Result<(), String> {
        let Kind::Fits { minimum, maximum, filters, channels } = &self.kind else { return Ok(()) };
        let Some(Value::Array(items)) = given.get(self.key) else {
            return Err("Expected a list of files.".to_owned());
        };
        if items.len() < *minimum {
            return Err(format!("At least {minimum} {} needed, and {} given.", are(*minimum), was(items.len())));
        }
        if items.len() > *maximum {
            return Err(format!("At most {maximum} {} allowed, and {} given.", are(*maximum), was(items.len())));
        }
        let mut read = items.iter().map(|item| Ok((InputItem::read(item)?, item.clone())));
        let mut files = read.by_ref().collect::<Result<Vec<_>, String>>()?;
        files.sort_by(|(one, _), (other, _)| one.basename.cmp(&other.basename));
        let (files, items): (Vec<InputItem>, Vec<Value>) = files.into_iter().unzip();
        if !filters.is_empty() {
            self.check_filters(&files, filters)?;
        }
        if *channels {
            files.iter().try_for_each(check_channel)?;
        }
        checked.input_data.insert(self.key.to_owned(), items.into());
        checked.files.insert(self.key.to_owned(), files);
        Ok(())
    }

    fn check_filters(&self, files: &[InputItem], allowed: &[&str]) -> Result<(), String> {
        let mut used = Vec::new();
        for file in files {
            let Some(filter) = file.filter() else {
                return Err(format!("{} does not report a filter.", file.basename));
            };
            if !allowed.contains(&filter) {
                let shown: String = filter.chars().take(40).collect();
                return Err(format!(
                    "{} received invalid input: filter {shown:?} is none of {}.",
                    self.name,
                    list(allowed)
                ));
            }
            used.push(filter);
        }
        used.sort_unstable();
        used.dedup();
        if used.len() > 1 {
            return Err(format!("All files must have the same filter, but the input files use {}.", used.join(", ")));
        }
        Ok(())
    }

    fn check_parameter(&self, given: &Map<String, Value>) -> Result<Value, String> {
        let value = given.get(self.key).filter(|value| !value.is_null());
        match &self.kind {
            Kind::Float { default, .. } => match value {
                None => Ok((*default).into()),
                Some(value) => number(value).map(Value::from).ok_or_else(|| "A valid number is required.".to_owned()),
            },
            Kind::Int { default } => match value {
                None => Ok((*default).into()),
                Some(value) => whole(value).map(Value::from).ok_or_else(|| "A valid integer is required.".to_owned()),
            },
            Kind::Select { options, default } => match value {
                None => Ok((*default).into()),
                Some(Value::String(word)) if options.contains(&word.as_str()) => Ok(word.clone().into()),
                Some(other) => Err(format!("{} is not a valid choice; choose one of {}.", short(other), list(options))),
            },
            Kind::Source { or_first_of, .. } => {
                let first = or_first_of.and_then(|key| given.get(key)).and_then(|list| list.get(0));
                let place = value.or(first).ok_or_else(|| "This field is required.".to_owned())?;
                position(place)
            }
            Kind::Positions { minimum } => {
                let Some(Value::Array(places)) = value else { return Err("Expected a list of positions.".to_owned()) };
                if !(*minimum..=MOST_POSITIONS).contains(&places.len()) {
                    let given = was(places.len());
                    return Err(format!("{minimum} to {MOST_POSITIONS} positions are needed, and {given} given."));
                }
                let places =
                    places.iter().map(|place| match place.get("mjd").is_some_and(|mjd| number(mjd).is_some()) {
                        true => position(place),
                        false => Err("Each position needs an mjd.".to_owned()),
                    });
                Ok(places.collect::<Result<Vec<_>, _>>()?.into())
            }
            Kind::Fits { .. } => Ok(Value::Null),
        }
    }
}

/// The most positions that a track may be given by.
const MOST_POSITIONS: usize = 1000;

/// A position with its degrees and, where it has them, its name and time as they are.
fn position(place: &Value) -> Result<Value, String> {
    let coordinate = |name: &str, limits: std::ops::RangeInclusive<f64>| {
        place.get(name).and_then(number).filter(|degrees| limits.contains(degrees))
    };
    let (ra, dec) = (coordinate("ra", -360.0..=360.0), coordinate("dec", -90.0..=90.0));
    let (Some(ra), Some(dec)) = (ra, dec) else {
        return Err("A position needs ra and dec in degrees.".to_owned());
    };
    let mut position = Map::new();
    if let Some(Value::String(name)) = place.get("name") {
        position.insert("name".to_owned(), name.chars().take(200).collect::<String>().into());
    }
    position.insert("ra".to_owned(), ra.into());
    position.insert("dec".to_owned(), dec.into());
    if let Some(mjd) = place.get("mjd").and_then(number) {
        position.insert("mjd".to_owned(), mjd.into());
    }
    Ok(position.into())
}

fn check_channel(file: &InputItem) -> Result<(), String> {
    let color = file.members.get("color").ok_or_else(|| format!("{} needs a color.", file.basename))?;
    let part = |name| color.get(name).and_then(number).is_some_and(|part| (0.0..=255.0).contains(&part));
    if !["r", "g", "b"].into_iter().all(part) {
        return Err(format!("The color of {} needs r, g and b from 0 to 255.", file.basename));
    }
    let limit = |name| match file.members.get(name) {
        None | Some(Value::Null) => true,
        Some(value) => number(value).is_some(),
    };
    match limit("zmin") && limit("zmax") {
        true => Ok(()),
        false => Err(format!("zmin and zmax of {} must be numbers.", file.basename)),
    }
}

/// A finite number, also one that a form wrote as text.
fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}

fn whole(value: &Value) -> Option<i64> {
    number(value).filter(|number| number.fract() == 0.0 && number.abs() < 1e15).map(|number| number as i64)
}

fn are(count: usize) -> &'static str {
    if count == 1 { "file is" } else { "files are" }
}

fn was(count: usize) -> String {
    if count == 1 { "1 was".to_owned() } else { format!("{count} were") }
}

fn list(words: &[&str]) -> String {
    words.join(", ")
}

fn short(value: &Value) -> String {
    value.to_string().chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILTERS: &[&str] = &["rp", "ip"];

    fn form() -> Description {
        let input = |key, kind| Input { key, name: "Field", text: "", kind };
        let files = |minimum, filters, channels| Kind::Fits { minimum, maximum: 3, filters, channels };
        Description {
            name: "Trial",
            text: "Nothing.",
            inputs: vec![
                input("input_files", files(2, FILTERS, false)),
                input("radius", Kind::Float { default: 7.64, required: true }),
                input("most", Kind::Int { default: 10 }),
                input("mode", Kind::Select { options: &["simple", "odd"], default: "simple" }),
                input("source", Kind::Source { name_lookup: true, or_first_of: Some("target_positions") }),
            ],
        }
    }

    fn good() -> Value {
        json!({
            "input_files": [{"basename": "b", "filter": "rp"}, {"basename": "a-large", "primary_optical_element": "rp"}],
            "source": {"ra": 10.5, "dec": "-3", "name": "M1"},
        })
    }

    fn fault(change: impl FnOnce(&mut Value)) -> String {
        let mut request = good();
        change(&mut request);
        form().check(&request).unwrap_err().to_string()
    }

    #[test]
    fn a_request_is_put_in_order_and_defaults_are_filled_in() {
        let checked = form().check(&good()).unwrap();
        let names: Vec<&str> = checked.files["input_files"].iter().map(|file| file.basename.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(checked.input_data["input_files"][0]["basename"], "a-large");
        let parameters = r#"{"radius":7.64,"most":10,"mode":"simple","source":{"name":"M1","ra":10.5,"dec":-3.0}}"#;
        assert_eq!(Value::Object(checked.parameters).to_string(), parameters);
    }

    #[test]
    fn a_fixed_target_may_come_under_either_name() {
        let mut request = good();
        request["target_positions"] = json!([{"ra": 1, "dec": 2}]);
        request.as_object_mut().unwrap().remove("source");
        assert_eq!(form().check(&request).unwrap().parameters["source"]["ra"], 1.0);
    }

    #[test]
    fn each_fault_is_told_with_its_field() {
        let faults = [
            (
                fault(|request| request["input_files"] = json!([])),
                "input_files: At least 2 files are needed, and 0 were given.",
            ),
            (fault(|request| request["input_files"] = json!({})), "input_files: Expected a list of files."),
            (
                fault(|request| request["input_files"][0] = json!({"filter": "rp"})),
                "input_files: Each file needs a basename.",
            ),
            (
                fault(|request| request["input_files"][0]["filter"] = json!("ip")),
                "input_files: All files must have the same filter, but the input files use ip, rp.",
            ),
            (
                fault(|request| request["input_files"][0]["filter"] = json!("zs")),
                "input_files: Field received invalid input: filter \"zs\" is none of rp, ip.",
            ),
            (
                fault(|request| request["input_files"][0] = json!({"basename": "c"})),
                "input_files: c does not report a filter.",
            ),
            (fault(|request| request["radius"] = json!("wide")), "radius: A valid number is required."),
            (fault(|request| request["most"] = json!(1.5)), "most: A valid integer is required."),
            (
                fault(|request| request["mode"] = json!("x")),
                "mode: \"x\" is not a valid choice; choose one of simple, odd.",
            ),
            (fault(|request| request["source"] = json!({"ra": 1})), "source: A position needs ra and dec in degrees."),
            (fault(|request| *request = json!([])), "input_data: Expected a dictionary of items."),
        ];
        for (told, expected) in faults {
            assert_eq!(told, expected);
        }
        let many: Vec<Value> = (0..4).map(|number| json!({"basename": format!("f{number}"), "filter": "rp"})).collect();
        assert_eq!(
            fault(|request| request["input_files"] = many.into()),
            "input_files: At most 3 files are allowed, and 4 were given."
        );
    }
}
