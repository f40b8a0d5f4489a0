//! Values that may be written in more than one way, read so that an error says what is wrong with the way that was chosen.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::definition::{Choice, Expression, PartOf};
use super::template::Template;

/// The scalars that a template may be written as: text, or a bare number or truth value.
macro_rules! scalars {
    ($template:expr) => {
        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            Template::try_from(text.to_owned()).map($template).map_err(E::custom)
        }

        fn visit_bool<E: Error>(self, truth: bool) -> Result<Self::Value, E> {
            self.visit_str(&truth.to_string())
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
            self.visit_str(&number.to_string())
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
            self.visit_str(&number.to_string())
        }

        fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
            self.visit_str(&number.to_string())
        }
    };
}

struct TemplateVisitor;

impl Visitor<'_> for TemplateVisitor {
    type Value = Template;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a template")
    }

    scalars!(|template| template);
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TemplateVisitor)
    }
}

struct ChoiceVisitor;

impl<'de> Visitor<'de> for ChoiceVisitor {
    type Value = Choice;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a template or a list of templates")
    }

    scalars!(|template| Choice(vec![template]));

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Choice, A::Error> {
        Deserialize::deserialize(SeqAccessDeserializer::new(items)).map(Choice)
    }
}

impl<'de> Deserialize<'de> for Choice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ChoiceVisitor)
    }
}

struct ExpressionVisitor;

impl<'de> Visitor<'de> for ExpressionVisitor {
    type Value = Expression;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a template, or 'from' and 'match'")
    }

    scalars!(Expression::Template);

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Expression, A::Error> {
        PartOf::deserialize(MapAccessDeserializer::new(fields)).map(Expression::Part)
    }
}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExpressionVisitor)
    }
}
