//! Inputs of groups.

use types::group::UpdateGroup;
use types::problem::FieldErrors;
use types::{Patch, Problem};

use super::{number, parsed};
use crate::form::group::GroupForm;

impl GroupForm {
    /// As the change of a group. An emptied rate goes back to 1, an emptied strategy to the setting.
    pub(crate) fn read(&self) -> Result<UpdateGroup, Problem> {
        let mut errors = FieldErrors::default();
        let input = UpdateGroup {
            price_rate: Some(parsed(&self.price_rate, "price_rate", &mut errors).unwrap_or_default()),
            limits: self.limits.read(&mut errors),
            version: number(&self.version, "version", &mut errors),
            strategy: Patch::from_option(parsed(&self.strategy, "strategy", &mut errors)),
        };
        errors.finish(input)
    }
}
