//! Settings that an administrator changes at run time. Each is stated once, here, with its default and range.

use serde::{Deserialize, Serialize};

use crate::credential::Tier;
use crate::{Problem, Timestamp};

/// The values in force. Every field is read outside `admin`; a test holds the code to that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// `pool.tier_order`
    pub pool_tier_order: Vec<Tier>,
    /// `pool.max_attempts`
    pub pool_max_attempts: u32,
    /// `session.lifetime_hours`
    pub session_lifetime_hours: u32,
    /// `session.idle_minutes`
    pub session_idle_minutes: u32,
    /// `retention.request_days`
    pub retention_request_days: u32,
    /// `retention.audit_days`
    pub retention_audit_days: u32,
    /// `log.level`
    pub log_level: String,
    /// `journal.strict`
    pub journal_strict: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pool_tier_order: vec![Tier::Personal, Tier::Shared, Tier::Fallback],
            pool_max_attempts: 2,
            session_lifetime_hours: 24,
            session_idle_minutes: 60,
            retention_request_days: 90,
            retention_audit_days: 365,
            log_level: String::new(),
            journal_strict: false,
        }
    }
}

/// How a setting is shown and checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingKind {
    /// A whole number within a range (inclusive).
    Number(u32, u32),
    /// `true` or `false`.
    Switch,
    /// One of the given words; the empty word means "as configured at start".
    Choice(&'static [&'static str]),
    /// The three tiers in an order, separated by commas.
    TierOrder,
}

/// Name and kind of each setting, in the order of the settings page.
pub const SETTINGS: &[(&str, SettingKind)] = &[
    ("pool.tier_order", SettingKind::TierOrder),
    ("pool.max_attempts", SettingKind::Number(1, 10)),
    ("session.lifetime_hours", SettingKind::Number(1, 720)),
    ("session.idle_minutes", SettingKind::Number(5, 10_080)),
    ("retention.request_days", SettingKind::Number(1, 3_650)),
    ("retention.audit_days", SettingKind::Number(30, 3_650)),
    ("log.level", SettingKind::Choice(&["", "error", "warn", "info", "debug", "trace"])),
    ("journal.strict", SettingKind::Switch),
];

impl Settings {
    /// The value of a setting as text; `None` for an unknown name.
    pub fn get(&self, name: &str) -> Option<String> {
        Some(match name {
            "pool.tier_order" => {
                self.pool_tier_order.iter().map(|tier| tier.as_str()).collect::<Vec<_>>().join(",")
            }
            "pool.max_attempts" => self.pool_max_attempts.to_string(),
            "session.lifetime_hours" => self.session_lifetime_hours.to_string(),
            "session.idle_minutes" => self.session_idle_minutes.to_string(),
            "retention.request_days" => self.retention_request_days.to_string(),
            "retention.audit_days" => self.retention_audit_days.to_string(),
            "log.level" => self.log_level.clone(),
            "journal.strict" => self.journal_strict.to_string(),
            _ => return None,
        })
    }

    /// Sets a setting from text, or says what was expected. The problem names the setting as its field.
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), Problem> {
        let text = text.trim();
        let Some((_, kind)) = SETTINGS.iter().find(|(known, _)| *known == name) else {
            return Err(Problem::new("not_found", format!("there is no setting '{name}'")));
        };
        let number = |range: (u32, u32)| {
            text.parse::<u32>().ok().filter(|n| (range.0..=range.1).contains(n)).ok_or_else(|| {
                Problem::field(name, format!("expected a whole number, {} to {}", range.0, range.1))
            })
        };
        match (*kind, name) {
            (SettingKind::Number(min, max), _) => {
                let value = number((min, max))?;
                match name {
                    "pool.max_attempts" => self.pool_max_attempts = value,
                    "session.lifetime_hours" => self.session_lifetime_hours = value,
                    "session.idle_minutes" => self.session_idle_minutes = value,
                    "retention.request_days" => self.retention_request_days = value,
                    _ => self.retention_audit_days = value,
                }
            }
            (SettingKind::Switch, _) => {
                self.journal_strict = match text {
                    "true" | "on" | "1" => true,
                    "false" | "off" | "0" | "" => false,
                    _ => return Err(Problem::field(name, "expected true or false")),
                };
            }
            (SettingKind::Choice(words), _) => {
                if !words.contains(&text) {
                    return Err(Problem::field(name, format!("expected one of: {}", words.join(", "))));
                }
                text.clone_into(&mut self.log_level);
            }
            (SettingKind::TierOrder, _) => {
                let tiers: Option<Vec<Tier>> = text.split(',').map(|t| t.trim().parse().ok()).collect();
                let mut sorted = tiers.clone().unwrap_or_default();
                sorted.sort();
                sorted.dedup();
                match tiers {
                    Some(tiers) if sorted.len() == Tier::ALL.len() && tiers.len() == sorted.len() => {
                        self.pool_tier_order = tiers;
                    }
                    _ => {
                        return Err(Problem::field(
                            name,
                            "expected personal, shared and fallback, each once",
                        ));
                    }
                }
            }
        }
        Ok(())
    }
}

/// One row of the settings page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SettingView {
    /// `group.name`
    pub name: String,
    /// The value in force.
    pub value: String,
    /// What it is unless changed.
    pub default: String,
    /// Who changed it last; null if it is the default.
    pub updated_by: Option<String>,
    /// When it was changed last.
    pub updated_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_reads_back_what_was_set() {
        let default = Settings::default();
        for (name, _) in SETTINGS {
            let text = default.get(name).unwrap();
            let mut settings = default.clone();
            settings.set(name, &text).unwrap();
            assert_eq!(settings, default, "{name}");
            assert!(settings.set(name, "no such value").is_err(), "{name}");
        }
    }

    #[test]
    fn a_tier_order_needs_each_tier_once() {
        let mut settings = Settings::default();
        settings.set("pool.tier_order", "fallback, shared,personal").unwrap();
        assert_eq!(settings.get("pool.tier_order").unwrap(), "fallback,shared,personal");
        for bad in ["shared", "shared,shared,personal", "shared,personal,fallback,shared", ""] {
            assert!(settings.set("pool.tier_order", bad).is_err(), "{bad}");
        }
    }
}
