//! Made-up datapoints, and filters that have a fair chance to match them.
//!
//! The same seed makes the same sequence. The values are the ones that tell implementations apart: integers beyond 64 bits, `-0.0`,
//! `1` beside `1.0`, `true` and `"1"`, nulls and missing fields, arrays in arrays, objects that differ in the order of their keys.

use serde_json::{Map, Value, json};

/// Numbers as they are written; few enough that a filter often names one that a document has.
const NUMBERS: [&str; 24] = [
    "0",
    "-0.0",
    "1",
    "1.0",
    "1e0",
    "-1",
    "2",
    "2.5",
    "-2.5",
    "4",
    "7",
    "100",
    "1E2",
    "0.1",
    "1e-7",
    "9007199254740993",
    "9007199254740992.0",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "123456789012345678901234567890",
    "123456789012345678901234567891",
    "1.7976931348623157e308",
    "5e-324",
];

const STRINGS: [&str; 16] =
    ["", "a", "b", "ab", "A", "1", "1.0", "-0.0", "true", "null", "temp 1", "temp 2", "é", "É", "Temp ≈ 😀", "$gt"];

/// Patterns that mean the same to every engine with look-around.
const PATTERNS: [&str; 10] = ["^a", "b$", "^temp", "[0-9]", "é", "^$", "a|1", "^(?!temp)", "(?<=a)b", "."];

const KEYS: [&str; 5] = ["a", "b", "c", "0", "1"];

/// The fields of a document that differ, the ones with the most variety repeated.
const FIELDS: [&str; 8] = ["label", "data_timestamp", "ownership_info", "value", "value", "value", "reading", "tags"];

const PATHS: [&str; 26] = [
    "label",
    "data_timestamp",
    "ownership_info.experiment_id",
    "ownership_info.step_id",
    "value",
    "value.a",
    "value.b",
    "value.0",
    "value.1",
    "value.a.b",
    "value.a.0",
    "value.0.a",
    "value.0.0",
    "value.a.0.b",
    "value.a.b.c",
    "reading",
    "reading.a",
    "reading.0",
    "reading.a.b",
    "tags",
    "tags.0",
    "tags.a",
    "tags.a.b",
    "tags.0.a",
    "tags.0.0",
    "missing",
];

const TYPES: [&str; 10] = ["double", "string", "object", "array", "bool", "null", "int", "long", "number", "date"];

/// A source of documents and filters that depends on its seed alone.
#[derive(Debug, Clone)]
pub struct Generator {
    state: u64,
    /// How many documents were made, and the last of them: filters name values that these have.
    made: u64,
    recent: Vec<Value>,
}

/// How many documents filters are made after.
const RECENT: u64 = 32;

impl Generator {
    /// A generator that makes the sequence of this seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed, made: 0, recent: Vec::new() }
    }

    /// A datapoint of type `json` as the service answers it, with an `_id` of its own and the extra fields `reading` and `tags`.
    pub fn document(&mut self) -> Value {
        self.made += 1;
        let mut document = json!({
            "label": if self.chance(15) { Value::Null } else { self.string() },
            "ownership_info": self.ownership(),
            "data_type": "json",
            "_id": format!("D{:08}", self.made),
            "data_timestamp": self.timestamp(),
            "value": self.value(3),
        });
        if self.chance(60) {
            document["reading"] = self.value(3);
        }
        if self.chance(60) {
            document["tags"] = self.array(3);
        }
        let slot = (self.made % RECENT) as usize;
        self.recent.resize(self.recent.len().max(slot + 1), Value::Null);
        self.recent[slot] = document.clone();
        document
    }

    /// A filter over what [`Generator::document`] makes; it often names a value that one of the last documents has.
    pub fn filter(&mut self) -> Value {
        self.conditions(2)
    }

    /// The next number of the sequence (SplitMix64).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        let index = self.below(choices.len() as u64) as usize;
        choices[index]
    }

    /// Between `least` and `most` things.
    fn several<T>(&mut self, least: u64, most: u64, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = least + self.below(most - least + 1);
        (0..count).map(|_| one(self)).collect()
    }

    fn ownership(&mut self) -> Value {
        match self.below(4) {
            0 => json!({}),
            1 => json!({"experiment_id": self.experiment(), "step_id": "01M7XY00000000000000000900"}),
            _ => json!({"experiment_id": self.experiment()}),
        }
    }

    fn experiment(&mut self) -> Value {
        format!("01M7XY00000000000000000{:03}", self.below(4)).into()
    }

    fn timestamp(&mut self) -> Value {
        format!("2026-11-20T13:{:02}:{:02}", self.below(4), self.below(4)).into()
    }

    fn string(&mut self) -> Value {
        self.pick(&STRINGS).into()
    }

    fn number(&mut self) -> Value {
        serde_json::from_str(self.pick(&NUMBERS)).expect("the numbers of the table are JSON")
    }

    fn scalar(&mut self) -> Value {
        match self.below(20) {
            0 | 1 => Value::Null,
            2 | 3 => self.chance(50).into(),
            4..=8 => self.string(),
            _ => self.number(),
        }
    }

    /// A value that nests up to `levels` deep.
    fn value(&mut self, levels: u64) -> Value {
        match self.below(10) {
            0..=2 if levels > 0 => self.array(levels - 1),
            3..=5 if levels > 0 => self.object(levels - 1),
            _ => self.scalar(),
        }
    }

    fn array(&mut self, levels: u64) -> Value {
        // Arrays of objects are what paths lead through.
        let objects = levels > 0 && self.chance(40);
        self.several(0, 3, |make| if objects { make.object(levels - 1) } else { make.value(levels) }).into()
    }

    fn object(&mut self, levels: u64) -> Value {
        let members = self.several(0, 3, |make| (make.pick(&KEYS).to_owned(), make.value(levels)));
        Value::Object(members.into_iter().collect::<Map<_, _>>())
    }

    fn conditions(&mut self, levels: u64) -> Value {
        let most = if self.chance(30) { 2 } else { 1 };
        let members = self.several(1, most, |make| make.condition(levels));
        Value::Object(members.into_iter().collect::<Map<_, _>>())
    }

    fn condition(&mut self, levels: u64) -> (String, Value) {
        if levels > 0 && self.chance(20) {
            let operator = self.pick(&["$and", "$or", "$or", "$nor"]);
            return (operator.to_owned(), self.several(1, 3, |make| make.conditions(levels - 1)).into());
        }
        let (path, there) = match self.walk() {
            Some((path, value)) if self.chance(80) => (path, Some(value)),
            _ => (self.pick(&PATHS).to_owned(), None),
        };
        let condition =
            if self.chance(25) { self.literal(there.as_ref()) } else { self.operators(there.as_ref(), levels) };
        (path, condition)
    }

    /// A path into one of the last documents, and what it leads to there. Indices are left out of it at times.
    fn walk(&mut self) -> Option<(String, Value)> {
        let field = self.pick(&FIELDS);
        let slot = self.below(RECENT) as usize;
        let mut value = self.recent.get(slot)?.get(field)?.clone();
        let mut path = vec![field.to_owned()];
        loop {
            let (step, inner) = match &value {
                Value::Object(members) if !members.is_empty() && self.chance(80) => {
                    let (key, inner) = members.iter().nth(self.below(members.len() as u64) as usize)?;
                    (Some(key.clone()), inner.clone())
                }
                Value::Array(items) if !items.is_empty() && self.chance(70) => {
                    let index = self.below(items.len() as u64) as usize;
                    (self.chance(50).then(|| index.to_string()), items[index].clone())
                }
                _ => return Some((path.join("."), value)),
            };
            path.extend(step);
            value = inner;
        }
    }

    /// A value to compare with one that is there; not an object of operators.
    fn literal(&mut self, there: Option<&Value>) -> Value {
        match self.below(20) {
            0 => self.array(1),
            1 => self.object(1),
            2 | 3 => self.scalar(),
            _ => there.cloned().unwrap_or_else(|| self.scalar()),
        }
    }

    fn operators(&mut self, there: Option<&Value>, levels: u64) -> Value {
        let most = if self.chance(30) { 2 } else { 1 };
        let members = self.several(1, most, |make| make.operator(there, levels));
        let mut operators: Map<String, Value> = members.into_iter().collect();
        if operators.contains_key("$regex") && self.chance(50) {
            operators.insert("$options".to_owned(), self.pick(&["", "i", "s", "is"]).into());
        }
        Value::Object(operators)
    }

    fn operator(&mut self, there: Option<&Value>, levels: u64) -> (String, Value) {
        if self.chance(30) {
            return self.operator_by_type(there, levels);
        }
        let relations = ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$gt", "$lte"];
        let (name, operand) = match self.below(15) {
            0..=7 => (self.pick(&relations), self.literal(there)),
            8..=10 => (self.pick(&["$in", "$nin"]), self.several(0, 4, |make| make.literal(there)).into()),
            11 => ("$exists", self.chance(60).into()),
            12 | 13 => ("$type", self.kinds()),
            _ if levels > 0 => ("$not", self.operators(there, levels - 1)),
            _ => ("$eq", self.literal(there)),
        };
        (name.to_owned(), operand)
    }

    /// An operator that asks something of strings, numbers or arrays alone; mostly of what is there.
    fn operator_by_type(&mut self, there: Option<&Value>, levels: u64) -> (String, Value) {
        let kind = match there {
            Some(Value::String(_)) if self.chance(90) => 0,
            Some(Value::Number(_)) if self.chance(90) => 1,
            Some(Value::Array(_)) if self.chance(90) => 2 + self.below(5),
            _ => self.below(7),
        };
        let element = there.and_then(|value| value.get(0)).cloned();
        let (name, operand) = match kind {
            0 => ("$regex", self.pick(&PATTERNS).into()),
            1 => ("$mod", self.divisor_and_remainder()),
            2 => ("$size", self.below(4).into()),
            3 => ("$all", self.several(0, 2, |make| make.literal(element.as_ref())).into()),
            4 if levels > 0 => {
                let part = |make: &mut Self| json!({"$elemMatch": make.element(element.as_ref(), levels - 1)});
                ("$all", self.several(1, 2, part).into())
            }
            _ if levels > 0 => ("$elemMatch", self.element(element.as_ref(), levels - 1)),
            _ => ("$size", self.below(4).into()),
        };
        (name.to_owned(), operand)
    }

    fn divisor_and_remainder(&mut self) -> Value {
        json!([self.pick(&[2.0, 3.0, 10.0, -3.0, 2.9]), self.pick(&[0, 1, -1, 3])])
    }

    fn kinds(&mut self) -> Value {
        match self.below(4) {
            0 => self.pick(&[1, 2, 3, 4, 8, 10, 16, 18]).into(),
            1 => self.several(1, 2, |make| Value::from(make.pick(&TYPES))).into(),
            _ => self.pick(&TYPES).into(),
        }
    }

    /// What `$elemMatch` asks of an element: operators, or conditions on its fields.
    fn element(&mut self, there: Option<&Value>, levels: u64) -> Value {
        let fields = there.is_some_and(Value::is_object);
        if self.chance(if fields { 15 } else { 85 }) {
            return self.operators(there, levels);
        }
        let members = self.several(1, 2, |make| {
            let path = make.pick(&["a", "b", "c", "0", "1", "a.b", "a.0", "0.a"]).to_owned();
            let inner = there.and_then(|value| value.pointer(&format!("/{}", path.replace('.', "/"))));
            let condition = if make.chance(50) { make.literal(inner) } else { make.operators(inner, levels) };
            (path, condition)
        });
        Value::Object(members.into_iter().collect::<Map<_, _>>())
    }
}

#[cfg(test)]
mod tests {
    use holotype_core::filter::{Budget, Filter};

    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_sequence() {
        let (mut one, mut other) = (Generator::new(7), Generator::new(7));
        for _ in 0..100 {
            assert_eq!((one.document(), one.filter()), (other.document(), other.filter()));
        }
        assert_ne!(Generator::new(7).document(), Generator::new(8).document());
    }

    #[test]
    fn every_filter_is_valid_and_a_fair_share_of_them_tells_documents_apart() {
        let mut generator = Generator::new(1);
        let documents: Vec<Value> = (0..100).map(|_| generator.document()).collect();
        let mut telling = 0;
        for _ in 0..1_000 {
            let source = generator.filter();
            let filter = Filter::parse(&source).unwrap_or_else(|error| panic!("{source}: {error}"));
            let mut budget = Budget::new(10_000_000);
            let found = documents.iter().filter(|document| filter.matches(document, &mut budget).unwrap()).count();
            telling += u32::from((1..100).contains(&found));
        }
        assert!(telling > 500, "only {telling} of 1,000 filters match some documents and not all");
    }
}
