//! What can go wrong in the store, by meaning. It does not choose words or statuses for callers.

use sqlx::error::DatabaseError;

/// A cause whose type does not matter here.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Why the store did not do as asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The row does not exist, or is deleted where a live one is needed (or the reverse).
    #[error("no such row")]
    NotFound,
    /// Another row already has this value, or the row it belongs to is gone.
    #[error("the value of {field} is in conflict with another row")]
    Conflict {
        /// The column at fault, such as `name`.
        field: String,
    },
    /// The row has another version by now.
    #[error("the row was changed in the meantime")]
    StaleVersion,
    /// A filter or cursor that cannot be understood.
    #[error("the value of {field} is not understood")]
    Filter {
        /// The filter's name, such as `status` or `cursor`.
        field: &'static str,
    },
    /// The database cannot be reached or cannot store anything now.
    #[error("the database is not available")]
    Unavailable(#[source] BoxError),
    /// Somebody else holds a lock, or every connection is taken; worth another try.
    #[error("the database is busy")]
    Busy,
    /// What is stored cannot be read back.
    #[error("stored content is damaged: {0}")]
    Corrupt(String),
    /// The caller's own sealing function failed; nothing was stored.
    #[error("the secret could not be sealed")]
    Seal(#[source] BoxError),
    /// Anything else that the database said.
    #[error("the database refused the statement")]
    Sqlx(#[source] sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::RowNotFound => Self::NotFound,
            sqlx::Error::PoolTimedOut => Self::Busy,
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error.into()),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::Corrupt(error.to_string()),
            sqlx::Error::Database(ref database) => match meaning(database.as_ref()) {
                Meaning::Conflict(field) => Self::Conflict { field },
                Meaning::Busy => Self::Busy,
                Meaning::Unavailable => Self::Unavailable(error.into()),
                Meaning::Corrupt => Self::Corrupt(database.message().to_owned()),
                Meaning::Other => Self::Sqlx(error),
            },
            other => Self::Sqlx(other),
        }
    }
}

enum Meaning {
    Conflict(String),
    Busy,
    Unavailable,
    Corrupt,
    Other,
}

fn meaning(error: &dyn DatabaseError) -> Meaning {
    if error.is_unique_violation() {
        return Meaning::Conflict(conflicting_field(error));
    }
    let code = error.code().unwrap_or_default();
    // SQLite's extended codes carry the primary code in the low byte (sqlite.org/rescode.html);
    // PostgreSQL's are five characters, some of which are digits only.
    match code.parse::<u32>().map(|code| code & 0xff) {
        Ok(primary) if code.len() < 5 => match primary {
            5 | 6 => Meaning::Busy,
            8 | 10 | 13 | 14 => Meaning::Unavailable,
            11 | 26 => Meaning::Corrupt,
            _ => Meaning::Other,
        },
        _ => match code.as_ref() {
            // Statement or lock timeout, serialization failure, deadlock.
            "57014" | "55P03" | "40001" | "40P01" => Meaning::Busy,
            "53100" | "53200" | "53300" | "25006" | "57P01" | "57P02" | "57P03" => Meaning::Unavailable,
            "XX001" | "XX002" => Meaning::Corrupt,
            code if code.starts_with("08") => Meaning::Unavailable,
            _ => Meaning::Other,
        },
    }
}

// PostgreSQL names the index (`providers_unique_name`), SQLite the columns
// (`UNIQUE constraint failed: credentials.provider_id, credentials.name`).
fn conflicting_field(error: &dyn DatabaseError) -> String {
    let text = match error.constraint() {
        Some(index) => index.rsplit_once("_unique_").map_or("id", |(_, field)| field),
        None => error.message().rsplit_once('.').map_or("id", |(_, field)| field),
    };
    text.trim().to_owned()
}
