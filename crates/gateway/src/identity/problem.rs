//! What a signed-in person is told when the database says no. It logs what he must not be told.

use store::StoreError;
use types::Problem;

/// The problem for a failed call of the store about an `object` (`provider`, `key`, …).
pub(crate) fn store_problem(error: StoreError, object: &str) -> Problem {
    match error {
        StoreError::NotFound => not_found(object),
        StoreError::Conflict { field } => {
            let message = match field.as_str() {
                "provider_id" | "user_id" => {
                    let owner = field.trim_end_matches("_id");
                    format!("the {owner} that this {object} belongs to is deleted; restore it first")
                }
                "name" => format!("another {object} has this name already; choose another one"),
                _ => format!("another {object} has this {field} already"),
            };
            let mut problem = Problem::new("conflict", message.clone());
            problem.fields.insert(field, message);
            problem
        }
        StoreError::StaleVersion => Problem::new(
            "stale_version",
            format!("somebody changed this {object} meanwhile; load it again and repeat your change"),
        ),
        StoreError::Filter { field } => Problem::field(field, "this value is not understood"),
        StoreError::Busy => Problem::new("database_busy", "the database is busy; try again in a moment"),
        StoreError::Unavailable(cause) => {
            tracing::error!(error = %cause, "the database is not available");
            Problem::new("database_unavailable", "database unavailable; try again in a moment")
        }
        other => {
            tracing::error!(error = %other, cause = ?std::error::Error::source(&other), object, "the store failed");
            Problem::new("internal", "the change or question failed inside; the log says why")
        }
    }
}

/// The thing is not there, is deleted, or is somebody else's: the answer is the same for all three.
pub(crate) fn not_found(object: &str) -> Problem {
    Problem::new("not_found", format!("there is no such {object}; it may have been deleted"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_store_error_has_its_code_and_status() {
        let cause = || Box::new(std::io::Error::other("host db.internal refused"));
        for (error, code, status) in [
            (StoreError::NotFound, "not_found", 404),
            (StoreError::Conflict { field: "name".into() }, "conflict", 409),
            (StoreError::StaleVersion, "stale_version", 409),
            (StoreError::Filter { field: "cursor" }, "invalid_input", 422),
            (StoreError::Busy, "database_busy", 503),
            (StoreError::Unavailable(cause()), "database_unavailable", 503),
            (StoreError::Corrupt("models".into()), "internal", 500),
        ] {
            let problem = store_problem(error, "provider");
            assert_eq!((problem.code.as_str(), problem.status()), (code, status));
            assert!(!problem.message.contains("db.internal"), "{problem}");
        }
        let conflict = store_problem(StoreError::Conflict { field: "name".into() }, "provider");
        assert!(conflict.fields.contains_key("name"));
    }
}
