//! Inputs of aliases.

use types::Problem;
use types::alias::PutAlias;
use types::problem::FieldErrors;

use super::{list, number};
use crate::form::alias::AliasForm;
use crate::form::checked;

impl AliasForm {
    /// As the input of an alias.
    pub(crate) fn read(&self) -> Result<PutAlias, Problem> {
        let mut errors = FieldErrors::default();
        if self.name.trim().is_empty() {
            errors.add("name", "must not be empty");
        }
        let input = PutAlias {
            targets: list(&self.targets),
            enabled: Some(checked(&self.enabled)),
            version: number(&self.version, "version", &mut errors),
        };
        errors.finish(input)
    }
}
