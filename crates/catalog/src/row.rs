//! Values on their way into a statement and out of a row, alike on both engines.

use holotype_core::{ActivityId, Digest, Instant, ProjectId, Role, TokenId, UserId};
use sea_query::Value;
use sqlx::postgres::{PgRow, Postgres};
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{Decode, Row as _, Type};

use crate::CatalogError;

/// One row of an answer.
#[derive(Debug)]
pub struct Row(Engine);

// One small value per row of an answer: a box around the larger row would cost more than the space it saves.
#[derive(Debug)]
enum Engine {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl From<SqliteRow> for Row {
    fn from(row: SqliteRow) -> Self {
        Self(Engine::Sqlite(row))
    }
}

impl From<PgRow> for Row {
    fn from(row: PgRow) -> Self {
        Self(Engine::Postgres(row))
    }
}

impl Row {
    /// The value in a column.
    ///
    /// # Errors
    /// [`CatalogError::Column`] if there is no such column, or it holds something else.
    pub fn get<T: Column>(&self, column: &str) -> Result<T, CatalogError> {
        T::read(self, column)
    }

    fn raw<T>(&self, column: &str) -> Result<T, CatalogError>
    where
        T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>,
    {
        match &self.0 {
            Engine::Sqlite(row) => row.try_get(column),
            Engine::Postgres(row) => row.try_get(column),
        }
        .map_err(|error| CatalogError::Column { column: column.to_owned(), problem: error.to_string() })
    }
}

/// What a column can be read as. Whole numbers are `i64` and nothing else: the engines differ on narrower ones.
pub trait Column: Sized {
    /// Reads the column.
    ///
    /// # Errors
    /// [`CatalogError::Column`].
    fn read(row: &Row, column: &str) -> Result<Self, CatalogError>;
}

macro_rules! plain_columns {
    ($($type:ty),*) => {$(
        impl Column for $type {
            fn read(row: &Row, column: &str) -> Result<Self, CatalogError> {
                row.raw(column)
            }
        }

        impl Column for Option<$type> {
            fn read(row: &Row, column: &str) -> Result<Self, CatalogError> {
                row.raw(column)
            }
        }
    )*};
}

plain_columns!(i64, f64, bool, String, Vec<u8>);

/// Columns of our words: how each is stored, and how it comes back.
macro_rules! word_columns {
    ($($type:ty as $stored:ty: $put:expr, $take:expr);* $(;)?) => {$(
        impl Column for $type {
            fn read(row: &Row, column: &str) -> Result<Self, CatalogError> {
                let take: fn($stored) -> Result<$type, String> = $take;
                let stored: $stored = row.raw(column)?;
                take(stored).map_err(|problem| CatalogError::Column { column: column.to_owned(), problem })
            }
        }

        impl Column for Option<$type> {
            fn read(row: &Row, column: &str) -> Result<Self, CatalogError> {
                let stored: Option<$stored> = row.raw(column)?;
                stored.map(|_| <$type>::read(row, column)).transpose()
            }
        }

        impl ToValue for $type {
            fn to_value(&self) -> Value {
                let put: fn(&$type) -> $stored = $put;
                put(self).into()
            }
        }

        impl ToValue for Option<$type> {
            fn to_value(&self) -> Value {
                let put: fn(&$type) -> $stored = $put;
                self.as_ref().map(put).into()
            }
        }
    )*};
}

word_columns! {
    UserId as String: ToString::to_string, |text| text.parse().map_err(problem);
    TokenId as String: ToString::to_string, |text| text.parse().map_err(problem);
    ProjectId as String: ToString::to_string, |text| text.parse().map_err(problem);
    ActivityId as String: ToString::to_string, |text| text.parse().map_err(problem);
    Role as String: ToString::to_string, |text| text.parse().map_err(problem);
    Digest as Vec<u8>: |digest| digest.as_bytes().to_vec(), |bytes| Digest::try_from(bytes.as_slice()).map_err(problem);
    Instant as i64: |instant| instant.as_micros(), |micros| Ok(Instant::from_micros(micros));
}

fn problem(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// What can be bound to a statement, by [`values!`](crate::values).
pub trait ToValue {
    /// The value as it is bound.
    fn to_value(&self) -> Value;
}

macro_rules! plain_values {
    ($($type:ty),*) => {$(
        impl ToValue for $type {
            fn to_value(&self) -> Value {
                self.clone().into()
            }
        }
    )*};
}

plain_values!(
    i64,
    f64,
    bool,
    &str,
    String,
    Vec<u8>,
    Option<i64>,
    Option<f64>,
    Option<bool>,
    Option<&str>,
    Option<String>
);

impl ToValue for &[u8] {
    fn to_value(&self) -> Value {
        (*self).into()
    }
}

impl ToValue for Value {
    fn to_value(&self) -> Value {
        self.clone()
    }
}

impl<T: ToValue> ToValue for &T {
    fn to_value(&self) -> Value {
        (*self).to_value()
    }
}

/// The values of a statement, in the order of its `$1`, `$2`, …: ids, digests, instants, numbers, texts, bytes, and
/// options of them.
#[macro_export]
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        ::std::vec![$($crate::ToValue::to_value(&$value)),*]
    };
}
