//! Is there anything that could serve a request: every credential with its state and, if the gateway runs, with
//! what its upstream says to it now (TP-15).

use std::time::Duration;

use serde_json::Value;
use store::{ConfigRows, CredentialRow, ProviderRow};
use types::CredentialId;
use types::check::{CheckReport, CheckResult, DisabledBy};
use types::credential::{CredentialState, CredentialView};

use super::Findings;
use crate::cli::running::Running;
use crate::config::ServerConfig;

/// For the gateway's own answers.
const SOON: Duration = Duration::from_secs(10);

pub(super) fn examine(rows: &ConfigRows, config: &ServerConfig, findings: &mut Findings) {
    if rows.providers.is_empty() {
        return findings.odd("no provider is set up yet");
    }
    let now = gateway::Clock::system().now();
    for provider in rows.providers.iter().filter(|provider| !has_usable(rows, provider, now)) {
        let name = &provider.spec.name;
        if provider.spec.enabled {
            findings.bad(&format!("provider {name} has no usable credential"));
        } else {
            findings.odd(&format!("provider {name} is switched off"));
        }
    }
    let gateway = Gateway::of(config);
    let views = gateway.credentials();
    if let Err(why) = &views {
        findings.odd(&format!("{why}, so nobody was called; these are the stored states"));
    }
    let views = views.unwrap_or_default();
    for row in &rows.credentials {
        let provider = rows.providers.iter().find(|provider| provider.id == row.provider_id);
        let Some(provider) = provider.filter(|provider| provider.spec.enabled) else { continue };
        match views.iter().find(|view| view.id == row.id) {
            Some(view) => probed(provider, view, &gateway, findings),
            None => stored(provider, row, now, findings),
        }
    }
    findings.good(&format!("{} users, {} keys", rows.users.len(), rows.keys.len()));
}

fn has_usable(rows: &ConfigRows, provider: &ProviderRow, now: types::Timestamp) -> bool {
    let usable = |row: &CredentialRow| row.spec.enabled && is_valid(row, now);
    provider.spec.enabled && rows.credentials.iter().any(|row| row.provider_id == provider.id && usable(row))
}

fn is_valid(row: &CredentialRow, now: types::Timestamp) -> bool {
    row.mark.state == CredentialState::Valid || row.mark.until.is_some_and(|until| until <= now)
}

/// One line of the table.
fn line(provider: &str, name: &str, tier: &str, state: &str, what: &str) -> String {
    let whose = format!("{provider} / {name}");
    format!("{whose:<32} {tier:<9} {state:<13} {what}").trim_end().to_owned()
}

fn stored(provider: &ProviderRow, row: &CredentialRow, now: types::Timestamp, findings: &mut Findings) {
    let valid = is_valid(row, now);
    let state = match (row.spec.enabled, valid) {
        (false, _) => CredentialState::Disabled,
        (true, true) => CredentialState::Valid,
        (true, false) => row.mark.state,
    };
    let refused = row.check.disabled_by == Some(DisabledBy::HealthCheck);
    let why = match &row.check.disabled_reason {
        Some(why) if refused => format!("switched off by its checks: {why}"),
        _ => row.mark.reason.clone().filter(|_| !valid).unwrap_or_default(),
    };
    let text = line(&provider.spec.name, &row.spec.name, row.spec.tier.as_str(), state.as_str(), &why);
    match state {
        CredentialState::Valid => findings.good(&text),
        // A person did it.
        CredentialState::Disabled if !refused => findings.odd(&text),
        _ => findings.bad(&text),
    }
}

fn probed(provider: &ProviderRow, view: &CredentialView, gateway: &Gateway<'_>, findings: &mut Findings) {
    let tell_of = |view: &CredentialView, what: &str| {
        line(&provider.spec.name, &view.name, view.tier.as_str(), view.state.as_str(), what)
    };
    let refused = view.check.disabled_by == Some(DisabledBy::HealthCheck);
    match view.state {
        // Whoever was switched off by checks is asked again, as they do.
        CredentialState::Disabled if !refused => return findings.odd(&tell_of(view, "")),
        CredentialState::Unreadable => {
            return findings.bad(&tell_of(view, view.state_reason.as_deref().unwrap_or_default()));
        }
        _ => {}
    }
    let report = gateway.check(view);
    // The check may have changed its state.
    let after = gateway.credential(view.id).unwrap_or_else(|_| view.clone());
    let tell = |what: &str| tell_of(&after, what);
    match report {
        Ok(CheckReport { ok: true, latency_ms, .. }) => findings.good(&tell(&format!("{latency_ms} ms"))),
        Ok(CheckReport { result, error, remedy, .. }) => {
            let what = [error, remedy].into_iter().flatten().collect::<Vec<_>>().join("; ");
            match result {
                // It lives, or nobody can ask: no fault, and no proof either.
                CheckResult::Alive | CheckResult::NotProbed => findings.odd(&tell(&what)),
                _ => findings.bad(&tell(&what)),
            }
        }
        Err(why) => findings.bad(&tell(&why)),
    }
}

/// The running gateway's admin API.
struct Gateway<'a> {
    running: Running,
    config: &'a ServerConfig,
}

impl<'a> Gateway<'a> {
    fn of(config: &'a ServerConfig) -> Self {
        Self { running: Running::of(config), config }
    }

    fn credentials(&self) -> Result<Vec<CredentialView>, String> {
        let address = self.running.address();
        let list = self.ask("GET", "/api/admin/credentials", SOON);
        let list = list.map_err(|why| format!("the gateway at {address} could not be asked ({why})"))?;
        let items = list.get("items").cloned().unwrap_or_default();
        serde_json::from_value(items).map_err(|_| format!("{address} is another version of Tollgate"))
    }

    fn credential(&self, id: CredentialId) -> Result<CredentialView, String> {
        let view = self.ask("GET", &format!("/api/admin/credentials/{id}"), SOON)?;
        serde_json::from_value(view).map_err(|_| "it answered something else than a credential".to_owned())
    }

    fn check(&self, view: &CredentialView) -> Result<CheckReport, String> {
        let path = format!("/api/admin/credentials/{}/check", view.id);
        let patience = Duration::from_millis(self.config.api_test_timeout_ms).saturating_add(SOON);
        let test = self.ask("POST", &path, patience)?;
        serde_json::from_value(test).map_err(|_| "it answered something else than a check".to_owned())
    }

    fn ask(&self, method: &str, path: &str, patience: Duration) -> Result<Value, String> {
        let token = self.config.admin_token.as_ref();
        let answer = self.running.call(method, path, token, patience).map_err(|error| error.to_string())?;
        match answer.status {
            200 => serde_json::from_str(&answer.body).map_err(|_| "its answer is no JSON".to_owned()),
            401 => Err("it has another admin token than this configuration".to_owned()),
            status => Err(format!("{method} {path} answered {status}")),
        }
    }
}
