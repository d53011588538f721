//! Credentials that variables of the environment name (TP-11): added at the start, taken away when they are named no
//! more. Everything that cannot be set up is a fault that is shown; nothing here stops a start (TP-09).
//!
//! A credential is recognised by its secret, so that its name, its history and what was booked on it stay the same
//! while a list is put into another order. It does not read the environment.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use store::{Change, CredentialRow, ProviderRow, SealedSecret, StoreError};
use types::credential::{CredentialSpec, MaterialInput};
use types::pool::{PoolFault, PoolFaultKind};
use types::{CredentialId, Secret, Timestamp};

use crate::config::{EnvEntry, EnvList};
use crate::core::Core;
use crate::vault::{Purpose, VaultError};

/// Instances that start at the same time do this one after the other.
const LEASE: &str = "environment";
const LEASE_MS: i64 = 30_000;
/// How long another instance is waited for.
const LOOKS: u32 = 40;
const LOOK: Duration = Duration::from_millis(250);

/// Brings the stored credentials in line with the variables, and notes what is wrong.
pub(crate) async fn sync(core: &Arc<Core>) {
    let mut faults: Vec<PoolFault> =
        core.config.env_lists.iter().flat_map(|list| list.refused.iter().cloned()).collect();
    if let Err(error) = bring_in_line(core, &mut faults).await {
        faults.push(PoolFault {
            kind: PoolFaultKind::NotStored,
            subject: "environment".to_owned(),
            entry: None,
            message: format!("the credentials that variables name could not be brought in line: {error}"),
        });
    }
    for fault in &faults {
        tracing::warn!(
            kind = fault.kind.as_str(),
            subject = fault.subject,
            entry = fault.entry,
            "pool: {}",
            fault.message
        );
    }
    core.pool_faults.set(faults);
}

/// The same after providers changed, which is of interest only where variables name credentials.
pub(crate) async fn sync_if_named(core: &Arc<Core>) {
    if !core.config.env_lists.is_empty() {
        sync(core).await;
    }
}

/// Everything that is wrong with the pool's set-up now.
pub(crate) fn faults(core: &Core) -> Vec<PoolFault> {
    let mut faults = core.pool_faults.list();
    let snapshot = core.snapshot();
    for provider in &snapshot.providers {
        for credential in provider.credentials.iter().filter(|credential| !credential.auth.is_readable()) {
            faults.push(PoolFault {
                kind: PoolFaultKind::Unreadable,
                subject: format!("{} / {}", provider.spec.name, credential.spec.name),
                entry: None,
                message: "the stored secret cannot be decrypted; enter it again".to_owned(),
            });
        }
    }
    faults
}

/// What has to be done for one credential.
enum Act<'a> {
    Add {
        provider: &'a ProviderRow,
        list: &'a EnvList,
        entry: &'a EnvEntry,
        name: String,
    },
    /// Another variable or tier names it now, or it was deleted.
    Put {
        row: &'a CredentialRow,
        list: &'a EnvList,
    },
    Remove {
        row: &'a CredentialRow,
    },
}

async fn bring_in_line(core: &Arc<Core>, faults: &mut Vec<PoolFault>) -> Result<(), StoreError> {
    let (providers, rows) = stored(core).await?;
    if plan(core, &providers, &rows, faults).is_empty() {
        return Ok(());
    }
    take_lease(core).await?;
    // Another instance may have done it meanwhile.
    let (providers, rows) = stored(core).await?;
    let acts = plan(core, &providers, &rows, &mut Vec::new());
    let changed = !acts.is_empty();
    for act in acts {
        let (subject, entry) = match &act {
            Act::Add { list, entry, .. } => (list.variable.clone(), Some(entry.number)),
            Act::Put { list, .. } => (list.variable.clone(), None),
            Act::Remove { row } => (row.managed_by.clone().unwrap_or_default(), None),
        };
        if let Err(error) = perform(core, act).await {
            let message = format!("a credential of it could not be stored: {error}");
            faults.push(PoolFault { kind: PoolFaultKind::NotStored, subject, entry, message });
        }
    }
    if changed { core.reload().await } else { Ok(()) }
}

async fn stored(core: &Core) -> Result<(Vec<ProviderRow>, Vec<CredentialRow>), StoreError> {
    Ok((core.store.provider_list(false).await?, core.store.credential_list(true).await?))
}

async fn take_lease(core: &Core) -> Result<(), StoreError> {
    for _ in 0..LOOKS {
        let now = core.clock.now();
        if core.store.lease_take(LEASE, &core.config.node, now.plus_ms(LEASE_MS), now).await? {
            break;
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// What differs between the variables and the database.
fn plan<'a>(
    core: &'a Core,
    providers: &'a [ProviderRow],
    rows: &'a [CredentialRow],
    faults: &mut Vec<PoolFault>,
) -> Vec<Act<'a>> {
    let mut acts = Vec::new();
    let mut kept: BTreeSet<CredentialId> = BTreeSet::new();
    for provider in providers {
        if !core.config.env_lists.iter().any(|list| is_for(list, provider)) {
            continue;
        }
        let own: Vec<&CredentialRow> = rows.iter().filter(|row| row.provider_id == provider.id).collect();
        let secrets: Vec<_> = own.iter().filter_map(|row| Some((*row, opened(core, row)?))).collect();
        let mut names: BTreeSet<String> = own.iter().map(|row| row.spec.name.clone()).collect();
        let mut seen: Vec<&str> = Vec::new();
        for list in core.config.env_lists.iter().filter(|list| is_for(list, provider)) {
            for entry in &list.entries {
                if seen.contains(&entry.secret.expose().as_str()) {
                    continue;
                }
                seen.push(entry.secret.expose());
                let same = |(_, secret): &&(&CredentialRow, Secret<String>)| {
                    secret.expose() == entry.secret.expose()
                };
                let fits: Vec<_> = secrets.iter().filter(same).map(|(row, _)| *row).collect();
                // One that somebody added by hand is left alone: two of the same would only share one quota.
                if fits.iter().any(|row| row.managed_by.is_none() && row.deleted_at.is_none()) {
                    tracing::info!(
                        variable = list.variable,
                        entry = entry.number,
                        "the provider has this credential already"
                    );
                    continue;
                }
                let live = fits.iter().find(|row| row.deleted_at.is_none());
                let known = live.or_else(|| fits.iter().find(|row| row.managed_by.is_some()));
                let Some(row) = known else {
                    let name = free_name(&mut names);
                    acts.push(Act::Add { provider, list, entry, name });
                    continue;
                };
                kept.insert(row.id);
                let as_it_is = row.deleted_at.is_none()
                    && row.spec.tier == list.tier
                    && row.managed_by.as_deref() == Some(list.variable.as_str());
                if !as_it_is {
                    acts.push(Act::Put { row, list });
                }
            }
        }
    }
    let gone = rows.iter().filter(|row| {
        row.managed_by.is_some()
            && row.deleted_at.is_none()
            && !kept.contains(&row.id)
            && providers.iter().any(|provider| provider.id == row.provider_id)
    });
    // First what goes, so that a secret which moves between providers is never there twice.
    let mut all: Vec<Act<'a>> = gone.map(|row| Act::Remove { row }).collect();
    all.extend(acts);
    for list in &core.config.env_lists {
        let fits = providers.iter().filter(|provider| is_for(list, provider)).count();
        let (kind, message) = match fits {
            0 => (
                PoolFaultKind::NoProvider,
                "there is no provider of this name yet; its credentials appear with it",
            ),
            1 => continue,
            _ => (
                PoolFaultKind::Ambiguous,
                "several providers have this name in capital letters; each got its credentials",
            ),
        };
        faults.push(PoolFault {
            kind,
            subject: list.variable.clone(),
            entry: None,
            message: message.to_owned(),
        });
    }
    all
}

/// What is stored of one that a variable may name; others' secrets are looked at too, to find the same one.
fn opened(core: &Core, row: &CredentialRow) -> Option<Secret<String>> {
    core.vault.open(Purpose::CredentialSecret, row.id.0, &row.sealed).ok()
}

fn is_for(list: &EnvList, provider: &ProviderRow) -> bool {
    list.provider == variable_name(&provider.spec.name) || list.provider == provider.id.to_string()
}

/// A provider's name as variables have it: capital letters and digits, everything between them as one `_`.
fn variable_name(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_").to_ascii_uppercase()
}

fn free_name(names: &mut BTreeSet<String>) -> String {
    let mut number = 1_u32;
    loop {
        let name = format!("env {number}");
        if names.insert(name.clone()) {
            return name;
        }
        number = number.saturating_add(1);
    }
}

async fn perform(core: &Core, act: Act<'_>) -> Result<(), StoreError> {
    let at = core.clock.now();
    match act {
        Act::Add { provider, list, entry, name } => {
            let spec = CredentialSpec { tier: list.tier, ..CredentialSpec::named(name) };
            let seal = |id: CredentialId| -> Result<_, VaultError> {
                let sealed = core.vault.seal(Purpose::CredentialSecret, id.0, &entry.secret)?;
                let material = MaterialInput::default().material(Some(&entry.secret));
                Ok(SealedSecret { sealed, hint: material.map(|made| made.hint).unwrap_or_default() })
            };
            let change = change("create", at, &spec.name, list);
            core.store
                .credential_managed_insert(provider.id, &spec, &list.variable, seal, change)
                .await
                .map(drop)
        }
        Act::Put { row, list } => {
            let verb = if row.deleted_at.is_some() { "restore" } else { "update" };
            let change = Change { object_id: row.id.to_string(), ..change(verb, at, &row.spec.name, list) };
            core.store.credential_managed_put(row.id, list.tier, &list.variable, change).await.map(drop)
        }
        Act::Remove { row } => {
            let change = Change {
                object_id: row.id.to_string(),
                before: Some(json!({ "managed_by": row.managed_by })),
                ..blank("delete", at, &row.spec.name)
            };
            core.store.credential_delete(row.id, change).await?;
            core.affinity.clear(at, |_, binding| binding.credential == row.id);
            Ok(())
        }
    }
}

fn change(verb: &str, at: Timestamp, name: &str, list: &EnvList) -> Change {
    let after = json!({ "managed_by": list.variable, "tier": list.tier });
    Change { after: Some(after), ..blank(verb, at, name) }
}

fn blank(verb: &str, at: Timestamp, name: &str) -> Change {
    Change {
        at,
        actor: "environment".to_owned(),
        client_ip: None,
        action: format!("credential.{verb}"),
        object: "credential".to_owned(),
        object_id: String::new(),
        object_name: name.to_owned(),
        before: None,
        after: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_providers_name_is_written_in_capitals_with_underscores() {
        for (name, variable) in [
            ("anthropic", "ANTHROPIC"),
            ("OpenAI main", "OPENAI_MAIN"),
            ("  eu-west (2) ", "EU_WEST_2"),
            ("供应商", ""),
        ] {
            assert_eq!(variable_name(name), variable, "{name}");
        }
    }

    #[test]
    fn the_lowest_free_number_is_taken() {
        let mut names = BTreeSet::from(["env 1".to_owned(), "env 3".to_owned()]);
        assert_eq!([free_name(&mut names), free_name(&mut names)], ["env 2", "env 4"]);
    }
}
