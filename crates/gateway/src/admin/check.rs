//! Checks of credentials by hand, their history and counters, and how the checker does.

use serde_json::json;
use types::cached::Cleared;
use types::check::{CheckLine, CheckReport, CheckRound, CheckerView, DisabledBy};
use types::credential::{CredentialEvent, CredentialState, CredentialView, UpdateCredential};
use types::{CredentialId, Problem, Timestamp};

use super::{Admin, Subject};
use crate::checks;
use crate::identity::problem::{not_found, store_problem};

const OBJECT: &str = "credential";
/// Checks that the history shows.
const HISTORY: u32 = 50;
/// How often a state that changes meanwhile is looked at again.
const TRIES: usize = 5;

impl Admin {
    /// Asks the vendor whether it takes this credential, and acts on the answer as the checker does (HC-14).
    pub async fn credential_check(&self, id: CredentialId) -> Result<CheckReport, Problem> {
        self.credential_live(id).await?;
        // On the tracker: whoever asked may leave before the answer is written down.
        let core = self.core.clone();
        let asked = self.core.tracker.spawn(async move { checks::one(&core, id).await });
        let report = asked.await.map_err(|error| Problem::new("internal", error.to_string()))?;
        report.map_err(|error| store_problem(error, OBJECT))?.ok_or_else(|| {
            if self.core.draining.is_cancelled() {
                Problem::new("overloaded", "this instance is restarting; try again in a moment")
            } else {
                not_found(OBJECT)
            }
        })
    }

    /// The same for every credential that is switched on, or that its checks switched off.
    pub async fn credential_check_all(&self) -> Result<CheckRound, Problem> {
        let core = self.core.clone();
        let asked = self.core.tracker.spawn(async move { checks::all(&core).await });
        let round = asked.await.map_err(|error| Problem::new("internal", error.to_string()))?;
        round.map_err(|error| store_problem(error, OBJECT))
    }

    /// The last fifty checks of a credential, the latest first.
    pub async fn credential_checks(&self, id: CredentialId) -> Result<Vec<CheckLine>, Problem> {
        let store = &self.core.store;
        store.credential_fetch(id).await.map_err(|error| store_problem(error, OBJECT))?;
        let lines = store.credential_check_list(id, HISTORY).await;
        lines.map_err(|error| store_problem(error, OBJECT))
    }

    /// How the checker does.
    pub async fn checker(&self) -> Result<CheckerView, Problem> {
        let core = &self.core;
        let (snapshot, now) = (core.snapshot(), core.clock.now());
        let settings = &snapshot.settings;
        let since = now.plus_ms(-i64::from(settings.account_health_check_interval) * 60_000);
        let found = core.store.credential_check_counts(since).await;
        let (counts, last_run_at) = found.map_err(|error| store_problem(error, OBJECT))?;
        let mut view = CheckerView {
            enabled: settings.account_health_check_enabled,
            interval_minutes: settings.account_health_check_interval,
            error_threshold: settings.account_error_threshold,
            last_run_at,
            next_run_at: checks::next_due(core),
            counts,
            connectivity_alert: counts.is_cut_off(),
            disabled: 0,
            with_errors: 0,
        };
        for credential in snapshot.providers.iter().flat_map(|provider| &provider.credentials) {
            let (failures, _) = credential.gauge.checks();
            let errors = failures > 0 || credential.gauge.read().consecutive_errors > 0;
            view.with_errors += u32::from(errors);
            view.disabled += u32::from(credential.check.disabled_by == Some(DisabledBy::HealthCheck));
        }
        Ok(view)
    }

    /// Lets the errors in a row of one credential, or of all, begin anew; answers how many had any.
    pub async fn credential_errors_reset(&self, id: Option<CredentialId>) -> Result<Cleared, Problem> {
        let name = match id {
            Some(id) => self.credential_live(id).await?.spec.name,
            None => "all".to_owned(),
        };
        let snapshot = self.core.snapshot();
        let wanted = snapshot.providers.iter().flat_map(|provider| &provider.credentials);
        let mut cleared = 0_u64;
        for credential in wanted.filter(|credential| id.is_none_or(|id| credential.id == id)) {
            let (failures, _) = credential.gauge.checks();
            let errors = credential.gauge.forget_errors();
            credential.gauge.note_checks(0, None);
            cleared += u64::from(failures > 0 || errors > 0);
        }
        let object_id = id.map_or_else(|| "all".to_owned(), |id| id.to_string());
        let subject = Subject { object: OBJECT, id: object_id, name: &name };
        let change = self.change("reset_errors", &subject, None, Some(json!({ "cleared": cleared })));
        let reset = self.core.store.credential_check_reset(id, Some(change)).await;
        reset.map_err(|error| store_problem(error, OBJECT))?;
        self.take_effect().await?;
        Ok(Cleared { cleared })
    }

    /// Switches a credential on, whoever switched it off, and lets its errors begin anew (HC-05).
    pub async fn credential_enable(&self, id: CredentialId) -> Result<CredentialView, Problem> {
        let change = UpdateCredential { enabled: Some(true), ..UpdateCredential::default() };
        self.credential_update(id, change).await?;
        self.credential_errors_reset(Some(id)).await?;
        self.clear_marks(id).await?;
        self.take_effect().await?;
        self.credential_fetch(id).await
    }

    /// Switches a credential on that its checks had switched off; answers whether it was. The caller puts it in force.
    pub(super) async fn switch_on_again(&self, id: CredentialId) -> Result<bool, Problem> {
        let store = &self.core.store;
        for _ in 0..TRIES {
            let row = store.credential_fetch(id).await.map_err(|error| store_problem(error, OBJECT))?;
            self.core.gauges.gauge(id).note_checks(0, None);
            if row.check.disabled_by != Some(DisabledBy::HealthCheck) {
                let reset = store.credential_check_reset(Some(id), None).await;
                reset.map_err(|error| store_problem(error, OBJECT))?;
                return Ok(false);
            }
            let event = CredentialEvent {
                credential_id: id,
                at: self.core.clock.now(),
                from: CredentialState::Disabled,
                to: CredentialState::Valid,
                until: None,
                reason: None,
                cause: "admin".to_owned(),
                request_id: None,
            };
            let subject = Subject { object: OBJECT, id: id.to_string(), name: &row.spec.name };
            let change = self.change("enable", &subject, None, Some(json!({ "enabled": true })));
            let done = store.credential_switch(row.mark.version, None, &event, change).await;
            if done.map_err(|error| store_problem(error, OBJECT))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// When a credential's next check is due.
    pub(super) fn next_check(&self, id: CredentialId) -> Option<Timestamp> {
        let snapshot = self.core.snapshot();
        let mut all = snapshot.providers.iter().filter(|provider| provider.spec.enabled);
        let credential = all.find_map(|provider| provider.credentials.iter().find(|one| one.id == id))?;
        checks::due_at(&self.core, credential)
    }
}
