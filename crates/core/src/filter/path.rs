//! Dotted paths, and the values of a document that one leads to.
//!
//! A path goes into objects by key. Where it meets an array it goes on in every object of the array, and, if its next part is the
//! index of an element, in that element too. So one path can lead to many values, and to places where a field is missing.

use serde_json::Value;

use super::budget::Budget;
use super::error::Problem;

/// A dotted path as written, and its parts.
#[derive(Debug, Clone)]
pub(super) struct Path {
    text: String,
    parts: Vec<String>,
    /// The parts to follow in a document that lacks the field which the path begins with.
    instead: Option<Vec<String>>,
}

/// Whether a path that ends at an array leads to its elements and to the array itself, or to the array alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LastArray {
    ElementsToo,
    Whole,
}

/// What a [`Path`] is followed in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'d> {
    /// An object, or a value without fields.
    Value(&'d Value),
    /// An array whose indices are taken for keys: an element of an array that `$elemMatch` examines.
    ArrayAsObject(&'d [Value]),
}

impl<'d> Place<'d> {
    fn field(self, key: &str) -> Option<&'d Value> {
        match self {
            Self::Value(value) => value.as_object()?.get(key),
            Self::ArrayAsObject(items) => items.get(index(key)?),
        }
    }
}

impl Path {
    pub(super) fn new(text: &str, instead: Option<&str>) -> Self {
        let split = |text: &str| text.split('.').map(str::to_owned).collect();
        Self { text: text.to_owned(), parts: split(text), instead: instead.map(split) }
    }

    /// The path as written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the path may lead elsewhere, depending on the document.
    pub(super) fn is_aliased(&self) -> bool {
        self.instead.is_some()
    }

    /// Shows `visit` every value the path leads to, and `None` where the field is missing, until `visit` answers true; answers whether it did.
    pub(super) fn any<V>(
        &self,
        place: Place<'_>,
        last_array: LastArray,
        budget: &mut Budget,
        visit: V,
    ) -> Result<bool, Problem>
    where
        V: FnMut(Option<&Value>, &mut Budget) -> Result<bool, Problem>,
    {
        let own = |first: &String| place.field(first).is_some();
        let parts = match &self.instead {
            Some(instead) if !self.parts.first().is_some_and(own) => instead,
            _ => &self.parts,
        };
        Walk { last_array, budget, visit }.object(place, parts)
    }
}

/// The number that a part of a path is, written as an index is: no sign, no leading zeros.
fn index(part: &str) -> Option<usize> {
    let canonical = part == "0" || (!part.starts_with('0') && part.bytes().all(|byte| byte.is_ascii_digit()));
    if canonical { part.parse().ok() } else { None }
}

struct Walk<'b, V> {
    last_array: LastArray,
    budget: &'b mut Budget,
    visit: V,
}

impl<V> Walk<'_, V>
where
    V: FnMut(Option<&Value>, &mut Budget) -> Result<bool, Problem>,
{
    fn visit(&mut self, value: Option<&Value>) -> Result<bool, Problem> {
        self.budget.spend(1)?;
        (self.visit)(value, self.budget)
    }

    fn object(&mut self, place: Place<'_>, parts: &[String]) -> Result<bool, Problem> {
        let Some((first, rest)) = parts.split_first() else { return Ok(false) };
        match place.field(first) {
            None => self.visit(None),
            Some(Value::Array(items)) if !rest.is_empty() => self.elements(items, rest),
            Some(array @ Value::Array(_)) => self.last(array),
            Some(value) if rest.is_empty() => self.visit(Some(value)),
            Some(value) => self.object(Place::Value(value), rest),
        }
    }

    fn last(&mut self, array: &Value) -> Result<bool, Problem> {
        if let (LastArray::ElementsToo, Value::Array(items)) = (self.last_array, array) {
            for item in items {
                if self.visit(Some(item))? {
                    return Ok(true);
                }
            }
        }
        self.visit(Some(array))
    }

    /// Follows `parts`, which is not empty, in the elements of an array.
    fn elements(&mut self, items: &[Value], parts: &[String]) -> Result<bool, Problem> {
        let chosen = parts.first().and_then(|part| index(part));
        let behind = parts.get(1..).unwrap_or_default();
        for (position, item) in items.iter().enumerate() {
            self.budget.spend(1)?;
            if item.is_object() && self.object(Place::Value(item), parts)? {
                return Ok(true);
            }
            if chosen == Some(position) && self.chosen_element(item, behind)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Follows the rest of a path in an element that the path named by its index. If that ends the path at an array, the path
    /// leads to the array alone: naming an element is not looking into it.
    fn chosen_element(&mut self, item: &Value, rest: &[String]) -> Result<bool, Problem> {
        match item {
            _ if rest.is_empty() => self.visit(Some(item)),
            Value::Object(_) => self.object(Place::Value(item), rest),
            Value::Array(items) => self.elements(items, rest),
            _ => Ok(false),
        }
    }
}
