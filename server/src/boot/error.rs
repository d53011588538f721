//! Why a start failed: an exit code for machines, the cause for the log, and one sentence that says what to do.

use std::error::Error;
use std::fmt::{self, Write as _};

use gateway::StartError;

use crate::config::ConfigProblems;

/// The exit codes of the product contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Configuration.
    Config,
    /// The port is taken or may not be used.
    Port,
    /// The data folder.
    DataDir,
    /// The database cannot be reached.
    Database,
    /// A migration failed or must run first.
    Migration,
    /// The encryption secret is not the right one.
    Encryption,
    /// Anything else.
    Other,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Config => 10,
            Self::Port => 11,
            Self::DataDir => 12,
            Self::Database => 13,
            Self::Migration => 14,
            Self::Encryption => 15,
            Self::Other => 1,
        }
    }
}

/// A start that failed. Its text ends with the sentence that says what to do, on a line of its own.
#[derive(Clone, Debug)]
pub struct BootError {
    /// Which exit code.
    pub exit: Exit,
    /// What happened; may have several lines.
    pub what: String,
    /// What to do: one sentence.
    pub advice: String,
}

impl BootError {
    /// A failed step.
    pub fn new(exit: Exit, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { exit, what: what.into(), advice: advice.into() }
    }

    /// The engine did not start.
    pub(super) fn engine(error: &StartError) -> Self {
        let what = chain(error);
        match error {
            StartError::Vault(_) => Self::new(
                Exit::Encryption,
                what,
                "Set ENCRYPTION_SECRET to the secret that was used at first encryption (add it to \
                 ENCRYPTION_SECRET_PREVIOUS if you mean to replace it).",
            ),
            StartError::Store(_) => Self::new(
                Exit::Database,
                what,
                "Check the database with `tollgate doctor db` and start again.",
            ),
            _ => Self::new(Exit::Other, what, "Correct the cause above and start again."),
        }
    }
}

impl From<ConfigProblems> for BootError {
    fn from(problems: ConfigProblems) -> Self {
        Self::new(Exit::Config, problems.to_string(), problems.advice())
    }
}

impl fmt::Display for BootError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.what, self.advice)
    }
}

impl Error for BootError {}

/// An error with its causes, without saying anything twice.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) && write!(text, ": {message}").is_err() {
            break;
        }
        cause = error.source();
    }
    text
}
