//! Codecs between columns and the vocabulary's types. A value that cannot be read back is `Corrupt`.

use serde::Serialize;
use serde::de::DeserializeOwned;
use types::{Factor, Money, RequestId};

use crate::StoreError;
use crate::sql::Row;

/// Most that is booked for one count of one request. Above it an upstream is lying, and without a bound a few
/// lies would overflow the sums (an error on PostgreSQL, a float on SQLite).
pub(crate) const COUNT_MAX: u64 = 1_000_000_000_000;

/// Most that is booked for one amount of one request, in nano-USD: a million USD, for the same reason.
const COST_MAX: i128 = 1_000_000_000_000_000;

/// An amount, at most [`COST_MAX`].
pub(crate) fn bounded_cost(amount: Money) -> Money {
    amount.min(Money::clamp_nano(COST_MAX))
}

/// A count, at most [`COUNT_MAX`].
pub(crate) fn count(value: u64) -> i64 {
    i64::try_from(value.min(COUNT_MAX)).unwrap_or(i64::MAX)
}

/// JSON text of a value.
pub(crate) fn json(value: &impl Serialize) -> Result<String, StoreError> {
    // Room for what is usual, so that it need not grow.
    let mut text = Vec::with_capacity(512);
    let corrupt = |error: &dyn std::fmt::Display| StoreError::Corrupt(error.to_string());
    serde_json::to_writer(&mut text, value).map_err(|error| corrupt(&error))?;
    String::from_utf8(text).map_err(|error| corrupt(&error))
}

impl Row {
    /// A value stored as JSON text.
    pub(crate) fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, StoreError> {
        let text = self.text(column)?;
        serde_json::from_str(&text).map_err(|error| damaged(column, &error))
    }

    /// A value stored as JSON text, or null.
    pub(crate) fn json_opt<T: DeserializeOwned>(&self, column: &str) -> Result<Option<T>, StoreError> {
        let text = self.text_opt(column)?;
        text.map(|text| serde_json::from_str(&text).map_err(|error| damaged(column, &error))).transpose()
    }

    /// A value stored by its name.
    pub(crate) fn named<T: std::str::FromStr>(&self, column: &str) -> Result<T, StoreError>
    where
        T::Err: std::fmt::Display,
    {
        self.text(column)?.parse().map_err(|error: T::Err| damaged(column, &error))
    }

    /// A value stored by its name, or null.
    pub(crate) fn named_opt<T: std::str::FromStr>(&self, column: &str) -> Result<Option<T>, StoreError>
    where
        T::Err: std::fmt::Display,
    {
        let text = self.text_opt(column)?;
        text.map(|text| text.parse().map_err(|error: T::Err| damaged(column, &error))).transpose()
    }

    /// A request's identity.
    pub(crate) fn request_id(&self, column: &str) -> Result<RequestId, StoreError> {
        self.named(column)
    }

    /// An amount of money.
    pub(crate) fn money(&self, column: &str) -> Result<Money, StoreError> {
        let nano = self.int(column)?;
        Money::from_nano(nano).ok_or_else(|| damaged(column, &nano))
    }

    /// A multiplier.
    pub(crate) fn factor(&self, column: &str) -> Result<Factor, StoreError> {
        let micro = self.int(column)?;
        u32::try_from(micro).ok().and_then(Factor::from_micro).ok_or_else(|| damaged(column, &micro))
    }

    /// A whole number of a narrower type.
    pub(crate) fn number<T: TryFrom<i64>>(&self, column: &str) -> Result<T, StoreError> {
        let value = self.int(column)?;
        T::try_from(value).map_err(|_range| damaged(column, &value))
    }

    /// A whole number of a narrower type, or null.
    pub(crate) fn number_opt<T: TryFrom<i64>>(&self, column: &str) -> Result<Option<T>, StoreError> {
        let value = self.int_opt(column)?;
        value.map(|value| T::try_from(value).map_err(|_range| damaged(column, &value))).transpose()
    }
}

/// Says which column holds something unreadable. The content itself is left out of errors about text.
pub(crate) fn damaged(column: &str, what: &dyn std::fmt::Display) -> StoreError {
    StoreError::Corrupt(format!("column {column}: {what}"))
}
