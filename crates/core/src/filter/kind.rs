//! `$type`: the types of values, by the names and numbers MongoDB gives them.

use serde_json::{Number, Value};

use crate::number;

/// The types that JSON has. An integer is an `int` within 32 bits, a `long` within 64, and beyond them a `decimal`, the only type of
/// MongoDB's that could hold it; a number with a fraction or an exponent is a `double`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Double,
    String,
    Object,
    Array,
    Boolean,
    Null,
    Int,
    Long,
    Decimal,
}

/// Every type of MongoDB's: number, name, and what it is in JSON, if it occurs there.
const TYPES: [(i64, &str, Option<Kind>); 21] = [
    (1, "double", Some(Kind::Double)),
    (2, "string", Some(Kind::String)),
    (3, "object", Some(Kind::Object)),
    (4, "array", Some(Kind::Array)),
    (5, "binData", None),
    (6, "undefined", None),
    (7, "objectId", None),
    (8, "bool", Some(Kind::Boolean)),
    (9, "date", None),
    (10, "null", Some(Kind::Null)),
    (11, "regex", None),
    (12, "dbPointer", None),
    (13, "javascript", None),
    (14, "symbol", None),
    (15, "javascriptWithScope", None),
    (16, "int", Some(Kind::Int)),
    (17, "timestamp", None),
    (18, "long", Some(Kind::Long)),
    (19, "decimal", Some(Kind::Decimal)),
    (-1, "minKey", None),
    (127, "maxKey", None),
];

/// A set of types.
#[derive(Debug, Clone, Default)]
pub(super) struct Kinds(Vec<Kind>);

impl Kinds {
    /// Adds the type that `name`, a name or a number, means; answers whether there is one.
    pub(super) fn add(&mut self, name: &Value) -> bool {
        if name == "number" {
            self.0.extend([Kind::Double, Kind::Int, Kind::Long, Kind::Decimal]);
            return true;
        }
        let found = TYPES.iter().find(|(code, alias, _)| match name {
            Value::String(name) => name == alias,
            Value::Number(number) => number::to_integer(number) == Some(*code),
            _ => false,
        });
        self.0.extend(found.and_then(|(_, _, kind)| *kind));
        found.is_some()
    }

    pub(super) fn contain(&self, value: &Value) -> bool {
        let kind = match value {
            Value::Null => Kind::Null,
            Value::Bool(_) => Kind::Boolean,
            Value::Number(number) => kind_of_number(number),
            Value::String(_) => Kind::String,
            Value::Array(_) => Kind::Array,
            Value::Object(_) => Kind::Object,
        };
        self.0.contains(&kind)
    }
}

fn kind_of_number(number: &Number) -> Kind {
    match number.as_i64() {
        _ if !number::is_written_as_integer(number) => Kind::Double,
        Some(integer) if i32::try_from(integer).is_ok() => Kind::Int,
        Some(_) => Kind::Long,
        None => Kind::Decimal,
    }
}
