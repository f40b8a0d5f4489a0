//! Reading a filter: documents of conditions, and the operators on one field.

use serde_json::{Map, Value};

use super::error::{FilterError, Problem};
use super::operand;
use super::path::Path;
use super::predicate::{Choices, Node, Operand, Predicate, Relation};
use super::{Aliases, DEEPEST, MOST_OPERANDS};

const DOCUMENT_OPERATORS: &str = "$and, $or, $nor and names of fields";

const FIELD_OPERATORS: &str = "$eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, $exists, $type, $regex, $options, $mod, $size, $all, $elemMatch and $not";

/// Reads one filter.
pub(super) struct Parser<'a> {
    /// Names that stand for other fields, where the conditions are on the document itself.
    aliases: Option<&'a Aliases>,
    /// Where in the filter the parser is; left as it is when something is wrong there.
    location: Vec<String>,
    operands: usize,
    pattern_weight: u64,
}

impl<'a> Parser<'a> {
    pub(super) fn new(aliases: &'a Aliases) -> Self {
        Self { aliases: Some(aliases), location: Vec::new(), operands: 0, pattern_weight: 0 }
    }

    pub(super) fn filter(mut self, filter: &Value) -> Result<Vec<Node>, FilterError> {
        self.document(filter).map_err(|problem| FilterError { path: self.place(), problem })
    }

    /// The place where the parser is, as messages show it: names are joined by dots, positions follow in brackets.
    fn place(&self) -> String {
        let join = |place: String, next: &String| match next.starts_with('[') || place.is_empty() {
            true => place + next,
            false => place + "." + next,
        };
        self.location.iter().fold(String::new(), join)
    }

    /// Does `work` one level deeper, at `place`.
    fn at<T>(&mut self, place: String, work: impl FnOnce(&mut Self) -> Result<T, Problem>) -> Result<T, Problem> {
        self.location.push(place);
        if self.location.len() > DEEPEST {
            return Err(Problem::TooDeep);
        }
        let result = work(self)?;
        self.location.pop();
        Ok(result)
    }

    fn count(&mut self, operands: usize) -> Result<(), Problem> {
        self.operands = self.operands.saturating_add(operands);
        if self.operands > MOST_OPERANDS { Err(Problem::TooManyOperands) } else { Ok(()) }
    }

    /// Conditions on one document, all of which must hold.
    fn document(&mut self, filter: &Value) -> Result<Vec<Node>, Problem> {
        let members = filter.as_object().ok_or(Problem::NotAnObject)?;
        self.count(members.len())?;
        members.iter().map(|(name, condition)| self.node(name, condition)).collect()
    }

    fn node(&mut self, name: &str, condition: &Value) -> Result<Node, Problem> {
        match name {
            "$and" => self.documents("$and", condition).map(Node::And),
            "$or" => self.documents("$or", condition).map(Node::Or),
            "$nor" => self.documents("$nor", condition).map(Node::Nor),
            _ => self.at(shorten(name), |parser| match name {
                "$where" => Err(Problem::Code),
                _ if name.starts_with('$') => Err(unknown(name, DOCUMENT_OPERATORS)),
                _ => parser.field(name, condition),
            }),
        }
    }

    fn documents(&mut self, operator: &'static str, list: &Value) -> Result<Vec<Node>, Problem> {
        let filters = match list.as_array().filter(|filters| !filters.is_empty()) {
            Some(filters) => filters,
            None => return self.at(operator.to_owned(), |_| Err(wrong(operator, "a list of at least one filter"))),
        };
        let one = |(position, filter)| {
            self.at(format!("{operator}[{position}]"), |parser| parser.document(filter).map(Node::And))
        };
        filters.iter().enumerate().map(one).collect()
    }

    fn field(&mut self, name: &str, condition: &Value) -> Result<Node, Problem> {
        let instead = self.aliases.and_then(|aliases| aliases.resolve(name));
        let predicates = match operators(condition) {
            Some(operators) => self.operators(operators)?,
            None => vec![self.relation(Relation::Equal, condition)?],
        };
        Ok(Node::Field(Path::new(name, instead.as_deref()), predicates))
    }

    /// The predicates of an object of operators, all of which must hold.
    fn operators(&mut self, operators: &Map<String, Value>) -> Result<Vec<Predicate>, Problem> {
        self.count(operators.len())?;
        let mut predicates = Vec::with_capacity(operators.len());
        for (name, operand) in operators {
            predicates.extend(self.at(shorten(name), |parser| parser.operator(name, operand, operators))?);
        }
        Ok(predicates)
    }

    /// The predicate of one operator; `$options` has none of its own.
    fn operator(
        &mut self,
        name: &str,
        operand: &Value,
        all: &Map<String, Value>,
    ) -> Result<Option<Predicate>, Problem> {
        let predicate = match name {
            "$eq" => self.relation(Relation::Equal, operand)?,
            "$gt" => self.relation(Relation::Above, operand)?,
            "$gte" => self.relation(Relation::AtLeast, operand)?,
            "$lt" => self.relation(Relation::Below, operand)?,
            "$lte" => self.relation(Relation::AtMost, operand)?,
            "$ne" => not(self.relation(Relation::Equal, operand)?),
            "$in" => self.choices("$in", operand)?,
            "$nin" => not(self.choices("$nin", operand)?),
            "$exists" if operand::is_true(operand) => Predicate::Exists,
            "$exists" => not(Predicate::Exists),
            "$type" => Predicate::Kind(operand::kinds(operand)?),
            "$mod" => operand::remainder(operand)?,
            "$size" => Predicate::Size(operand::size(operand)?),
            "$regex" => {
                let (pattern, weight) = operand::pattern(operand, all.get("$options"), self.pattern_weight)?;
                self.pattern_weight = weight;
                Predicate::Regex(pattern)
            }
            "$options" if all.contains_key("$regex") => return Ok(None),
            "$options" => return Err(wrong("$options", "a $regex beside it")),
            "$not" => Predicate::Not(self.negated(operand)?),
            "$all" => self.all(operand)?,
            "$elemMatch" => self.element(operand)?,
            "$where" => return Err(Problem::Code),
            _ => return Err(unknown(name, FIELD_OPERATORS)),
        };
        Ok(Some(predicate))
    }

    fn relation(&mut self, relation: Relation, operand: &Value) -> Result<Predicate, Problem> {
        self.count(1)?;
        Ok(Predicate::Compare(relation, Operand::new(operand)?))
    }

    fn choices(&mut self, operator: &'static str, list: &Value) -> Result<Predicate, Problem> {
        let values = self.values(operator, list)?;
        let operands: Result<_, _> = values.iter().map(Operand::new).collect();
        Ok(Predicate::In(Choices::new(operands?)))
    }

    /// The values of a list that must not hold operators.
    fn values<'v>(&mut self, operator: &'static str, list: &'v Value) -> Result<&'v [Value], Problem> {
        let values = list.as_array().ok_or_else(|| wrong(operator, "a list of values"))?;
        self.count(values.len())?;
        if values.iter().any(|value| operators(value).is_some()) {
            return Err(wrong(operator, "a list of values, without operators in it"));
        }
        Ok(values)
    }

    fn negated(&mut self, operand: &Value) -> Result<Vec<Predicate>, Problem> {
        match operand.as_object().filter(|operators| !operators.is_empty()) {
            Some(operators) => self.operators(operators),
            None => Err(wrong("$not", "an object of at least one operator")),
        }
    }

    /// `$all`: of values, or of `$elemMatch`es.
    fn all(&mut self, list: &Value) -> Result<Predicate, Problem> {
        let element =
            |value: &Value| operators(value).is_some_and(|all| all.len() == 1 && all.contains_key("$elemMatch"));
        let parts = match list.as_array() {
            Some(list) if list.first().is_some_and(element) && list.iter().all(element) => {
                self.count(list.len())?;
                let one = |(position, value): (usize, &Value)| {
                    let inner = value.get("$elemMatch").unwrap_or(value);
                    self.at(format!("[{position}].$elemMatch"), |parser| parser.element(inner))
                };
                list.iter().enumerate().map(one).collect::<Result<_, _>>()?
            }
            _ => {
                let equal = |value| Operand::new(value).map(|operand| Predicate::Compare(Relation::Equal, operand));
                self.values("$all", list)?.iter().map(equal).collect::<Result<_, _>>()?
            }
        };
        Ok(Predicate::All(parts))
    }

    /// `$elemMatch`: of operators on the element, or of conditions on its fields.
    fn element(&mut self, operand: &Value) -> Result<Predicate, Problem> {
        if !operand.is_object() {
            return Err(wrong("$elemMatch", "an object of operators or of fields and conditions"));
        }
        match operators(operand) {
            Some(operators) if !starts_with_logic(operators) => self.operators(operators).map(Predicate::ElementValue),
            _ => {
                let aliases = self.aliases.take();
                let nodes = self.document(operand)?;
                self.aliases = aliases;
                Ok(Predicate::ElementObject(nodes))
            }
        }
    }
}

/// The members of an object whose first key is an operator's; any other value is meant as it is.
fn operators(condition: &Value) -> Option<&Map<String, Value>> {
    condition.as_object().filter(|members| members.keys().next().is_some_and(|name| name.starts_with('$')))
}

fn starts_with_logic(operators: &Map<String, Value>) -> bool {
    operators.keys().next().is_some_and(|name| matches!(name.as_str(), "$and" | "$or" | "$nor" | "$where"))
}

fn not(predicate: Predicate) -> Predicate {
    Predicate::Not(vec![predicate])
}

fn unknown(name: &str, supported: &'static str) -> Problem {
    Problem::UnknownOperator { name: shorten(name), supported }
}

fn wrong(operator: &'static str, needed: &'static str) -> Problem {
    Problem::WrongOperand { operator, needed }
}

/// A name as messages show it.
fn shorten(name: &str) -> String {
    name.chars().take(80).collect()
}
