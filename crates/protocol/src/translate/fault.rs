//! What is wrong with a body that is to be translated.

/// A body that cannot be understood; names the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not JSON at all.
    #[error("the body is not valid JSON: {0}")]
    Json(String),
    /// A field is missing, of the wrong type or has a value that is not known.
    #[error("'{field}' {what}")]
    Field {
        /// Its path: `messages[2].content[0].type`.
        field: String,
        /// What it must be, as half a sentence.
        what: String,
    },
}

impl Fault {
    /// A fault of a field.
    pub fn field(field: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Field { field: field.into(), what: what.into() }
    }

    /// The field's path, if one is to blame.
    pub fn at(&self) -> Option<&str> {
        match self {
            Self::Json(_) => None,
            Self::Field { field, .. } => Some(field),
        }
    }
}
