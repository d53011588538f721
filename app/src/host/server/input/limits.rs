//! Limits and increases typed into forms.

use types::limits::{Increase, LimitName, LimitsInput};
use types::problem::FieldErrors;
use types::{Patch, Problem};

use super::{instant, number, parsed};
use crate::form::checked;
use crate::form::increase::IncreaseForm;
use crate::form::limits::LimitsForm;

impl LimitsForm {
    /// As the change of all limits; temporary increases stay. Each emptied field removes its limit.
    pub(crate) fn read(&self, errors: &mut FieldErrors) -> LimitsInput {
        let estimated = [
            (LimitName::FiveHours, &self.estimate_5h),
            (LimitName::Day, &self.estimate_daily),
            (LimitName::Week, &self.estimate_weekly),
            (LimitName::Month, &self.estimate_monthly),
            (LimitName::Total, &self.estimate_total),
        ];
        let estimated = estimated.iter().filter(|(_, text)| checked(text)).map(|(name, _)| *name).collect();
        macro_rules! read {
            ($how:ident, $field:ident) => {
                Patch::from_option($how(&self.$field, concat!("limits.", stringify!($field)), errors))
            };
        }
        LimitsInput {
            rpm_limit: read!(number, rpm_limit),
            tpm_limit: read!(number, tpm_limit),
            limit_5h_usd: read!(parsed, limit_5h_usd),
            limit_5h_mode: read!(parsed, limit_5h_mode),
            daily_limit_usd: read!(parsed, daily_limit_usd),
            daily_mode: read!(parsed, daily_mode),
            daily_reset_time: read!(parsed, daily_reset_time),
            limit_weekly_usd: read!(parsed, limit_weekly_usd),
            limit_monthly_usd: read!(parsed, limit_monthly_usd),
            limit_total_usd: read!(parsed, limit_total_usd),
            limit_concurrent_sessions: read!(number, limit_concurrent_sessions),
            max_concurrent_requests: read!(number, max_concurrent_requests),
            estimated: Patch::Set(estimated),
            increases: Patch::Keep,
        }
    }
}

impl IncreaseForm {
    /// The increase itself.
    pub(crate) fn read(&self) -> Result<Increase, Problem> {
        let mut errors = FieldErrors::default();
        let limit = parsed(&self.limit, "limit", &mut errors);
        let extra_usd = parsed(&self.extra_usd, "extra_usd", &mut errors);
        let until = instant(&self.until, "until", &mut errors);
        match (limit, extra_usd, until) {
            (Some(limit), Some(extra_usd), Some(until)) => {
                errors.finish(Increase { limit, extra_usd, until })
            }
            (limit, extra, until) => {
                let missing =
                    [("limit", limit.is_none()), ("extra_usd", extra.is_none()), ("until", until.is_none())];
                for (field, _) in missing.iter().filter(|(_, missing)| *missing) {
                    errors.add(field, "must not be empty");
                }
                Err(errors.finish(()).err().unwrap_or_else(|| Problem::field("limit", "must not be empty")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emptied_limit_is_removed_and_increases_stay() {
        let form = LimitsForm {
            limit_5h_usd: "1.5".into(),
            daily_mode: "rolling".into(),
            estimate_5h: "on".into(),
            ..LimitsForm::default()
        };
        let mut errors = FieldErrors::default();
        let input = form.read(&mut errors);
        assert!(errors.is_empty());
        assert_eq!(input.rpm_limit, Patch::Clear);
        assert_eq!(input.limit_5h_usd, Patch::Set("1.5".parse().unwrap()));
        assert_eq!(input.estimated, Patch::Set(vec![LimitName::FiveHours]));
        assert_eq!(input.increases, Patch::Keep);
    }

    #[test]
    fn nonsense_is_named_by_its_field() {
        let form = LimitsForm {
            daily_limit_usd: "-1".into(),
            limit_total_usd: "1e99".into(),
            daily_reset_time: "25:00".into(),
            rpm_limit: "many".into(),
            ..LimitsForm::default()
        };
        let mut errors = FieldErrors::default();
        form.read(&mut errors);
        let problem = errors.finish(()).unwrap_err();
        for field in [
            "limits.daily_limit_usd",
            "limits.limit_total_usd",
            "limits.daily_reset_time",
            "limits.rpm_limit",
        ] {
            assert!(problem.fields.contains_key(field), "{field}");
        }
    }

    #[test]
    fn an_increase_names_every_missing_field() {
        let problem = IncreaseForm::default().read().unwrap_err();
        assert_eq!(problem.fields.len(), 3);
    }
}
