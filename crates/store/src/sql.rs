//! Values that go into statements and rows that come out, for both databases alike.
//!
//! It knows no table. Only four kinds of values exist, so that a column means the same on both sides.

use sqlx::{AssertSqlSafe, Row as _, SqlSafeStr, SqlStr};
use types::{
    ApiKeyId, AuditId, CredentialId, ErrorRuleId, Factor, GrantId, GroupId, Money, OauthFlowId, PackageId,
    ProviderId, Timestamp, UserId,
};

use crate::StoreError;

/// A statement with `$1`, `$2`, … for its values.
pub(crate) struct Sql {
    pub(crate) text: SqlStr,
    /// Whether the prepared form is worth keeping on the connection.
    pub(crate) keep: bool,
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self { text: text.into_sql_str(), keep: true }
    }
}

impl Sql {
    /// A statement put together from constant fragments and placeholders; values are never part of it.
    pub(crate) fn built(text: String) -> Self {
        Self { text: AssertSqlSafe(text).into_sql_str(), keep: false }
    }
}

/// How a database counts its placeholders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placeholders {
    /// `$1`, `$2`, …
    Numbered,
    /// `?` each. SQLite takes the numbered form too, but looks every one up by its name, which for a statement of
    /// some thousand values costs more than executing it.
    Anonymous,
}

/// Sizes of the statements that rows are inserted with, largest first. Few sizes mean that each is prepared once
/// and kept; 64 rows of the widest table stay far below SQLite's 32,766 and PostgreSQL's 65,535 values.
const SIZES: [usize; 4] = [64, 16, 4, 1];

/// Rows in pieces of the sizes that statements are kept for.
pub(crate) fn pieces<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| *size <= rows.len())?;
        let (piece, rest) = rows.split_at(size);
        rows = rest;
        Some(piece)
    })
}

/// An insertion of several rows at once, between a head that ends in `VALUES` and a tail.
pub(crate) fn insert_many(
    placeholders: Placeholders,
    head: &'static str,
    columns: usize,
    rows: usize,
    tail: &'static str,
) -> Sql {
    let mut text = String::with_capacity(head.len() + tail.len() + rows * columns * 6);
    text.push_str(head);
    for row in 0..rows {
        text.push_str(if row == 0 { " (" } else { ", (" });
        for column in 0..columns {
            text.push_str(if column == 0 { "" } else { ", " });
            match placeholders {
                Placeholders::Anonymous => text.push('?'),
                Placeholders::Numbered => push_placeholder(&mut text, row * columns + column + 1),
            }
        }
        text.push(')');
    }
    text.push_str(tail);
    Sql { text: AssertSqlSafe(text).into_sql_str(), keep: SIZES.contains(&rows) }
}

fn push_placeholder(text: &mut String, number: usize) {
    text.push('$');
    text.push_str(&number.to_string());
}

/// A value for a placeholder.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
    Bool(bool),
}

/// The values of a statement, in order.
pub(crate) type Args = Vec<Value>;

macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::sql::Value::from($value)),*] };
}
pub(crate) use args;

macro_rules! ints {
    ($($type:ty),+) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::Int(Some(i64::from(value)))
            }
        }
        impl From<Option<$type>> for Value {
            fn from(value: Option<$type>) -> Self {
                Self::Int(value.map(i64::from))
            }
        }
    )+};
}
ints!(i64, i32, u32, u16);

macro_rules! newtypes {
    ($($type:ty),+) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::Int(Some(value.0))
            }
        }
        impl From<Option<$type>> for Value {
            fn from(value: Option<$type>) -> Self {
                Self::Int(value.map(|value| value.0))
            }
        }
    )+};
}
newtypes!(
    ApiKeyId,
    AuditId,
    CredentialId,
    ErrorRuleId,
    GrantId,
    GroupId,
    OauthFlowId,
    PackageId,
    ProviderId,
    UserId,
    Timestamp
);

impl From<Money> for Value {
    fn from(amount: Money) -> Self {
        Self::Int(Some(amount.nano()))
    }
}

impl From<Factor> for Value {
    fn from(factor: Factor) -> Self {
        Self::Int(Some(i64::from(factor.micro())))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        // PostgreSQL has no NUL in text: one such byte in a model name would stop the books for good.
        Self::Text(Some(if value.contains('\0') { value.replace('\0', "\u{fffd}") } else { value }))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::from(value.to_owned())
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        value.map_or(Self::Text(None), Self::from)
    }
}

impl From<Option<&str>> for Value {
    fn from(value: Option<&str>) -> Self {
        value.map_or(Self::Text(None), Self::from)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(Some(value))
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(Some(value.to_vec()))
    }
}

impl From<Option<Vec<u8>>> for Value {
    fn from(value: Option<Vec<u8>>) -> Self {
        Self::Bytes(value)
    }
}

/// A row of either database.
pub(crate) enum Row {
    Sqlite(sqlx::sqlite::SqliteRow),
    Postgres(sqlx::postgres::PgRow),
}

macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident -> $type:ty),+ $(,)?) => {
        impl Row {$(
            $(#[$doc])*
            pub(crate) fn $name(&self, column: &str) -> Result<$type, StoreError> {
                Ok(match self {
                    Self::Sqlite(row) => row.try_get(column)?,
                    Self::Postgres(row) => row.try_get(column)?,
                })
            }
        )+}
    };
}
getters! {
    int -> i64,
    int_opt -> Option<i64>,
    text -> String,
    text_opt -> Option<String>,
    bytes -> Vec<u8>,
    bytes_opt -> Option<Vec<u8>>,
    flag -> bool,
}

impl Row {
    /// A time.
    pub(crate) fn time(&self, column: &str) -> Result<Timestamp, StoreError> {
        self.int(column).map(Timestamp)
    }

    /// A time or null.
    pub(crate) fn time_opt(&self, column: &str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.int_opt(column)?.map(Timestamp))
    }
}

/// Conditions joined with `AND`, each a constant fragment with `?` where its value goes.
#[derive(Default)]
pub(crate) struct Conditions {
    text: String,
    args: Args,
}

impl Conditions {
    /// Adds a condition without a value.
    pub(crate) fn and(&mut self, fragment: &'static str) {
        self.text.push_str(if self.text.is_empty() { " WHERE " } else { " AND " });
        self.text.push_str(fragment);
    }

    /// Adds a condition whose single `?` stands for the value.
    pub(crate) fn and_value(&mut self, fragment: &'static str, value: impl Into<Value>) {
        self.args.push(value.into());
        let (head, tail) = fragment.split_once('?').unwrap_or((fragment, ""));
        self.and(head);
        push_placeholder(&mut self.text, self.args.len());
        self.text.push_str(tail);
    }

    /// Lets the condition before go on with a fragment whose single `?` stands for the value.
    pub(crate) fn continue_value(&mut self, fragment: &'static str, value: impl Into<Value>) {
        self.args.push(value.into());
        let (head, tail) = fragment.split_once('?').unwrap_or((fragment, ""));
        self.text.push_str(head);
        push_placeholder(&mut self.text, self.args.len());
        self.text.push_str(tail);
    }

    /// Adds a condition if there is a value for it.
    pub(crate) fn and_some(&mut self, fragment: &'static str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.and_value(fragment, value);
        }
    }

    /// The statement between a head and a tail; a `?` in the tail stands for `last`.
    pub(crate) fn build(self, head: &'static str, tail: &'static str, last: impl Into<Value>) -> (Sql, Args) {
        let Self { text, mut args } = self;
        args.push(last.into());
        let (before, after) = tail.split_once('?').unwrap_or((tail, ""));
        (Sql::built(format!("{head}{text}{before}${}{after}", args.len())), args)
    }
}
