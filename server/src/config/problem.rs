//! What is wrong with a configuration: everything at once, each with its place and what was expected.

use std::fmt;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// Where it stands: `environment`, `.env:3`, `tollgate.toml:7`, or empty if it stands nowhere.
    pub place: String,
    /// Which value, by its name.
    pub key: String,
    /// What was expected, or what to do.
    pub message: String,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.key.is_empty() {
            f.write_str(&self.key)?;
            if !self.place.is_empty() {
                f.write_str(" ")?;
            }
        }
        if !self.place.is_empty() {
            write!(f, "({})", self.place)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// All that is wrong; never empty.
#[derive(Clone, Debug, thiserror::Error)]
pub struct ConfigProblems(pub Vec<ConfigProblem>);

impl fmt::Display for ConfigProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl ConfigProblems {
    /// The one sentence that says what to do.
    pub fn advice(&self) -> String {
        let mut names: Vec<&str> =
            self.0.iter().map(|p| if p.key.is_empty() { p.place.as_str() } else { p.key.as_str() }).collect();
        names.dedup();
        match self.0.as_slice() {
            [only] if !only.key.is_empty() => format!("Correct {only}."),
            _ => format!(
                "Correct {} and start again; `tollgate config validate` checks them without starting.",
                names.join(", ")
            ),
        }
    }
}
