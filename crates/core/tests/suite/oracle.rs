//! A second matcher, slow and plain, to hold the first one against.
//!
//! It shares no code and no method with the first: it reads the filter anew for every document, it lists all addresses of a document and
//! asks of each whether a path can mean it, and it compares numbers as long strings of digits.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value, json};

/// Whether the document fulfils the filter, which must be valid.
pub(crate) fn matches(document: &Value, filter: &Value) -> bool {
    let Some(conditions) = filter.as_object() else { return filter.is_null() };
    conditions.iter().all(|(name, condition)| {
        let each = || condition.as_array().unwrap().iter().map(|filter| matches(document, filter));
        match name.as_str() {
            "$and" => each().all(|holds| holds),
            "$or" => each().any(|holds| holds),
            "$nor" => !each().any(|holds| holds),
            path => field(document, path, condition),
        }
    })
}

fn is_operators(condition: &Value) -> bool {
    condition.as_object().and_then(|members| members.keys().next()).is_some_and(|key| key.starts_with('$'))
}

fn field(document: &Value, path: &str, condition: &Value) -> bool {
    let condition = if is_operators(condition) { condition.clone() } else { json!({"$eq": condition}) };
    let operators = condition.as_object().unwrap();
    operators.iter().all(|(name, operand)| {
        let list = || operand.as_array().unwrap();
        match name.as_str() {
            "$ne" => !field(document, path, &json!({"$eq": operand})),
            "$nin" => !field(document, path, &json!({"$in": operand})),
            "$not" => !field(document, path, operand),
            "$exists" if *operand == json!(false) => !field(document, path, &json!({"$exists": true})),
            "$all" if list().is_empty() => false,
            "$all" => list().iter().all(|part| field(document, path, part)),
            "$size" | "$elemMatch" => candidates(document, path, false)
                .iter()
                .any(|value| value.as_ref().is_some_and(|value| single(value, name, operand, operators))),
            _ => candidates(document, path, true).iter().any(|value| match value {
                Some(value) => single(value, name, operand, operators),
                None => name != "$exists" && name != "$type" && single(&Value::Null, name, operand, operators),
            }),
        }
    })
}

/// Whether one value fulfils one operator by itself.
fn single(value: &Value, name: &str, operand: &Value, siblings: &Map<String, Value>) -> bool {
    let relation = |accepts: fn(Ordering) -> bool| rank(value) == rank(operand) && accepts(order(value, operand));
    let every = |operators: &Value| {
        let operators = operators.as_object().unwrap();
        operators.iter().all(|(name, operand)| single(value, name, operand, operators))
    };
    match name {
        "$eq" => relation(Ordering::is_eq),
        "$gt" => relation(Ordering::is_gt),
        "$gte" => relation(Ordering::is_ge),
        "$lt" => relation(Ordering::is_lt),
        "$lte" => relation(Ordering::is_le),
        "$ne" => !relation(Ordering::is_eq),
        "$in" => operand.as_array().unwrap().iter().any(|choice| single(value, "$eq", choice, siblings)),
        "$nin" => !single(value, "$in", operand, siblings),
        "$not" => !every(operand),
        "$exists" => *operand == json!(true),
        "$options" => true,
        "$all" => {
            let parts = operand.as_array().unwrap();
            let equals =
                |part: &Value| if is_operators(part) { every(part) } else { single(value, "$eq", part, siblings) };
            !parts.is_empty() && parts.iter().all(equals)
        }
        "$size" => value.as_array().is_some_and(|items| json!(items.len()) == *operand),
        "$type" => operand.as_array().unwrap_or(&vec![operand.clone()]).iter().any(|kind| has_type(value, kind)),
        "$mod" => remainder(value, operand),
        "$regex" => value.as_str().is_some_and(|text| {
            let options = siblings.get("$options").map_or("", |options| options.as_str().unwrap());
            let flags = if options.is_empty() { String::new() } else { format!("(?{options})") };
            fancy_regex::Regex::new(&format!("{flags}{}", operand.as_str().unwrap())).unwrap().is_match(text).unwrap()
        }),
        "$elemMatch" => value.as_array().is_some_and(|items| items.iter().any(|item| element(item, operand))),
        _ => panic!("{name} is not in the filters that are tested"),
    }
}

fn element(item: &Value, operand: &Value) -> bool {
    let operators = operand.as_object().unwrap();
    let logic = operators.keys().next().is_some_and(|name| ["$and", "$or", "$nor"].contains(&name.as_str()));
    if is_operators(operand) && !logic {
        return operators.iter().all(|(name, operand)| single(item, name, operand, operators));
    }
    match item {
        Value::Object(_) => matches(item, operand),
        Value::Array(items) => {
            let members = items.iter().enumerate().map(|(index, item)| (index.to_string(), item.clone()));
            matches(&Value::Object(members.collect()), operand)
        }
        _ => false,
    }
}

/// One step from a value to one inside it.
#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Index(usize),
}

/// Every value a path can mean, and `None` if it means a missing field somewhere.
fn candidates(document: &Value, path: &str, look_into_last: bool) -> Vec<Option<Value>> {
    let parts: Vec<&str> = path.split('.').collect();
    let mut addresses = Vec::new();
    list_addresses(document, &mut Vec::new(), &mut addresses);
    let mut found = Vec::new();
    for (steps, value) in addresses {
        if means(&steps, &parts, look_into_last, false) {
            found.push(Some(value.clone()));
        }
        // Where the first parts of the path lead, the next one may find nothing.
        for split in 0..parts.len() {
            let lacks = match value {
                Value::Object(members) => !members.contains_key(parts[split]),
                Value::Array(_) => false,
                _ => matches!(steps.last(), Some(Step::Key(_))),
            };
            if lacks && leads(&steps, &parts[..split]) {
                found.push(None);
            }
        }
    }
    found
}

fn list_addresses<'d>(value: &'d Value, steps: &mut Vec<Step>, found: &mut Vec<(Vec<Step>, &'d Value)>) {
    found.push((steps.clone(), value));
    let inner: Vec<(Step, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(key, value)| (Step::Key(key.clone()), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, item)| (Step::Index(index), item)).collect(),
        _ => Vec::new(),
    };
    for (step, value) in inner {
        steps.push(step);
        list_addresses(value, steps, found);
        steps.pop();
    }
}

/// Whether a path means the value at the end of the steps: each part names a key or an index, and an index that no part names is
/// stepped over on the way to a key, or at the very end behind a key.
fn means(steps: &[Step], parts: &[&str], look_into_last: bool, behind_key: bool) -> bool {
    match (steps, parts) {
        ([], []) => true,
        ([Step::Index(_)], []) => look_into_last && behind_key,
        ([Step::Key(key), rest @ ..], [part, parts @ ..]) => key == part && means(rest, parts, look_into_last, true),
        ([Step::Index(index), rest @ ..], [part, others @ ..]) => {
            let named = index.to_string() == *part && means(rest, others, look_into_last, false);
            named || (matches!(rest, [Step::Key(_), ..]) && means(rest, parts, look_into_last, false))
        }
        _ => false,
    }
}

/// Whether the parts lead to the value at the end of the steps as to one in which the path goes on: to the value itself, or to
/// the array that it stands in.
fn leads(steps: &[Step], parts: &[&str]) -> bool {
    let array = match steps.split_last() {
        Some((Step::Index(_), before)) => means(before, parts, false, false),
        _ => false,
    };
    array || means(steps, parts, false, false)
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Number(_) => 1,
        Value::String(_) => 2,
        Value::Object(_) => 3,
        Value::Array(_) => 4,
        Value::Bool(_) => 5,
    }
}

fn order(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => order_numbers(left, right),
        (Value::String(left), Value::String(right)) => left.as_bytes().cmp(right.as_bytes()),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Array(left), Value::Array(right)) => {
            for index in 0..left.len().min(right.len()) {
                if order(&left[index], &right[index]).is_ne() {
                    return order(&left[index], &right[index]);
                }
            }
            left.len().cmp(&right.len())
        }
        (Value::Object(left), Value::Object(right)) => {
            let (left, right): (Vec<_>, Vec<_>) = (left.iter().collect(), right.iter().collect());
            for index in 0..left.len().min(right.len()) {
                let ((left_key, left), (right_key, right)) = (left[index], right[index]);
                let orders = [rank(left).cmp(&rank(right)), left_key.cmp(right_key), order(left, right)];
                if let Some(order) = orders.into_iter().find(|order| order.is_ne()) {
                    return order;
                }
            }
            left.len().cmp(&right.len())
        }
        _ => rank(left).cmp(&rank(right)),
    }
}

/// The digits of a number's size times 10^500, without leading zeros; the numbers tested lie between 1e-500 and 1e500.
fn digits(number: &Number) -> (bool, String) {
    let text = number.to_string().to_lowercase();
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let zeros = 500 + exponent.parse::<i32>().unwrap() - i32::try_from(fraction.len()).unwrap();
    let all = format!("{}{fraction}{}", whole.trim_start_matches('-'), "0".repeat(usize::try_from(zeros).unwrap()));
    let size = all.trim_start_matches('0').to_owned();
    (whole.starts_with('-') && !size.is_empty(), size)
}

fn order_numbers(left: &Number, right: &Number) -> Ordering {
    let ((left_negative, left), (right_negative, right)) = (digits(left), digits(right));
    let sizes = left.len().cmp(&right.len()).then_with(|| left.cmp(&right));
    match (left_negative, right_negative) {
        (false, false) => sizes,
        (true, true) => sizes.reverse(),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    }
}

fn has_type(value: &Value, kind: &Value) -> bool {
    let names: &[&str] = match value {
        Value::Null => &["null", "10"],
        Value::Bool(_) => &["bool", "8"],
        Value::String(_) => &["string", "2"],
        Value::Object(_) => &["object", "3"],
        Value::Array(_) => &["array", "4"],
        Value::Number(number) => match number.to_string() {
            text if text.contains(['.', 'e', 'E']) => &["number", "double", "1"],
            text if text.parse::<i32>().is_ok() => &["number", "int", "16"],
            text if text.parse::<i64>().is_ok() => &["number", "long", "18"],
            _ => &["number", "decimal", "19"],
        },
    };
    let kind = kind.as_str().map_or_else(|| kind.to_string(), str::to_owned);
    names.contains(&kind.as_str())
}

fn remainder(value: &Value, operand: &Value) -> bool {
    let Value::Number(number) = value else { return false };
    let whole = |number: &Number| {
        let (negative, digits) = digits(number);
        let size: i128 = match digits.len().checked_sub(500) {
            None | Some(0) => 0,
            // The numbers tested that do not fit 128 bits are floating-point ones beyond 64 bits.
            Some(length) => digits[..length].parse().ok()?,
        };
        Some(if negative { -size } else { size })
    };
    let operands: Vec<i128> =
        operand.as_array().unwrap().iter().map(|number| whole(number.as_number().unwrap()).unwrap()).collect();
    let written_as_integer = !number.to_string().contains(['.', 'e', 'E']);
    match whole(number) {
        Some(size) if written_as_integer || i64::try_from(size).is_ok() => size % operands[0] == operands[1],
        _ => false,
    }
}
