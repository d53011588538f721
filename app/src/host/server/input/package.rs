//! Inputs of packages and grants.

use types::package::{GrantPackage, PackageInput, UpdateGrant};
use types::problem::FieldErrors;
use types::{Patch, Problem};

use super::{instant, list, number, parsed};
use crate::form::package::{GrantChangeForm, GrantForm, PackageForm};

impl PackageForm {
    /// As a new template, or as the change of a known one: every field is there, so nothing is kept unseen.
    pub(crate) fn read(&self) -> Result<PackageInput, Problem> {
        let mut errors = FieldErrors::default();
        let input = PackageInput {
            name: Some(self.name.clone()),
            kind: parsed(&self.kind, "kind", &mut errors),
            daily_usd: Patch::from_option(parsed(&self.daily_usd, "daily_usd", &mut errors)),
            weekly_usd: Patch::from_option(parsed(&self.weekly_usd, "weekly_usd", &mut errors)),
            monthly_usd: Patch::from_option(parsed(&self.monthly_usd, "monthly_usd", &mut errors)),
            total_usd: Patch::from_option(parsed(&self.total_usd, "total_usd", &mut errors)),
            duration_days: Patch::from_option(number(&self.duration_days, "duration_days", &mut errors)),
            models: Some(list(&self.models)),
            version: number(&self.version, "version", &mut errors),
        };
        errors.finish(input)
    }
}

impl GrantForm {
    /// As the input of a new grant.
    pub(crate) fn read(&self) -> Result<GrantPackage, Problem> {
        let mut errors = FieldErrors::default();
        let ends_at = instant(&self.ends_at, "ends_at", &mut errors);
        let input = GrantPackage {
            package_id: number(&self.package_id, "package_id", &mut errors),
            starts_at: instant(&self.starts_at, "starts_at", &mut errors),
            ends_at: ends_at.map_or(Patch::Keep, Patch::Set),
        };
        errors.finish(input)
    }
}

impl GrantChangeForm {
    /// As the change of a known grant.
    pub(crate) fn read(&self) -> Result<UpdateGrant, Problem> {
        let mut errors = FieldErrors::default();
        let input = UpdateGrant {
            ends_at: Patch::from_option(instant(&self.ends_at, "ends_at", &mut errors)),
            disabled: None,
            daily_usd: Patch::from_option(parsed(&self.daily_usd, "daily_usd", &mut errors)),
            weekly_usd: Patch::from_option(parsed(&self.weekly_usd, "weekly_usd", &mut errors)),
            monthly_usd: Patch::from_option(parsed(&self.monthly_usd, "monthly_usd", &mut errors)),
            total_usd: Patch::from_option(parsed(&self.total_usd, "total_usd", &mut errors)),
            version: number(&self.version, "version", &mut errors),
        };
        errors.finish(input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_without_an_end_takes_the_templates_days() {
        let form = GrantForm { package_id: "3".into(), ..GrantForm::default() };
        assert_eq!(form.read().unwrap().ends_at, Patch::Keep);
    }

    #[test]
    fn an_emptied_end_of_a_grant_means_never() {
        assert_eq!(GrantChangeForm::default().read().unwrap().ends_at, Patch::Clear);
    }
}
