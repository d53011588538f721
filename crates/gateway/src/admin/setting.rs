//! Settings: list, change, back to the default. Names, ranges and defaults stand in `types::setting`.

use serde_json::json;
use store::SettingRow;
use types::Problem;
use types::setting::{SETTINGS, SettingView, Settings};

use super::{Admin, Subject};
use crate::identity::problem::{not_found, store_problem};
use crate::quota::calendar::Calendar;

const OBJECT: &str = "setting";
/// Where days, weeks and months of limits begin.
const ZONE: &str = "billing.time_zone";

impl Admin {
    /// Every setting in the order of the settings page.
    pub async fn setting_list(&self) -> Result<Vec<SettingView>, Problem> {
        let rows = self.core.store.setting_list().await.map_err(|e| store_problem(e, OBJECT))?;
        Ok(SETTINGS.iter().filter_map(|(name, _)| self.setting_view(name, &rows)).collect())
    }

    /// Changes a setting; it is in force when this returns.
    pub async fn setting_put(&self, name: String, value: String) -> Result<SettingView, Problem> {
        let current = self.core.snapshot().settings.clone();
        let mut changed = current.clone();
        changed.set(&name, &value)?;
        if name == ZONE && Calendar::of(&changed.billing_time_zone).is_none() {
            return Err(Problem::field(ZONE, "expected an IANA time zone such as Europe/Berlin"));
        }
        let (Some(before), Some(after)) = (current.get(&name), changed.get(&name)) else {
            return Err(not_found(OBJECT));
        };
        let change = self.change_of(&name, "update", &before, &after);
        self.core.store.setting_put(&name, &after, change).await.map_err(|e| store_problem(e, OBJECT))?;
        self.setting_in_force(&name).await
    }

    /// Puts a setting back to its default.
    pub async fn setting_reset(&self, name: String) -> Result<SettingView, Problem> {
        let (Some(before), Some(after)) =
            (self.core.snapshot().settings.get(&name), Settings::default().get(&name))
        else {
            return Err(not_found(OBJECT));
        };
        let change = self.change_of(&name, "reset", &before, &after);
        match self.core.store.setting_reset(&name, change).await {
            // It is at its default already.
            Ok(()) | Err(store::StoreError::NotFound) => {}
            Err(error) => return Err(store_problem(error, OBJECT)),
        }
        self.setting_in_force(&name).await
    }

    async fn setting_in_force(&self, name: &str) -> Result<SettingView, Problem> {
        self.take_effect().await?;
        if name == ZONE {
            // Weeks and months begin at other instants now.
            self.spend_anew().await?;
        }
        self.setting_fetch(name).await
    }

    fn change_of(&self, name: &str, verb: &str, before: &str, after: &str) -> store::Change {
        let subject = Subject { object: OBJECT, id: name.to_owned(), name };
        self.change(verb, &subject, Some(json!({ "value": before })), Some(json!({ "value": after })))
    }

    async fn setting_fetch(&self, name: &str) -> Result<SettingView, Problem> {
        let rows = self.core.store.setting_list().await.map_err(|e| store_problem(e, OBJECT))?;
        self.setting_view(name, &rows).ok_or_else(|| not_found(OBJECT))
    }

    fn setting_view(&self, name: &str, rows: &[SettingRow]) -> Option<SettingView> {
        let row = rows.iter().find(|row| row.name == name);
        Some(SettingView {
            name: name.to_owned(),
            value: self.core.snapshot().settings.get(name)?,
            default: Settings::default().get(name)?,
            updated_by: row.map(|row| row.updated_by.clone()),
            updated_at: row.map(|row| row.updated_at),
        })
    }
}
