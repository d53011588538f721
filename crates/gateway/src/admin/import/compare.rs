//! Holds a file's plan against what is stored: what is new, what is here already, and what has to stay out.
//!
//! A provider is here if one has its kind and its address, and also one of its secrets, or its name, or the same models.
//! What is here stays as it is; a file only ever adds.

use std::collections::{HashMap, HashSet};

use import::{Auth, Plan, PlannedCredential, PlannedProvider};
use store::{Account, ConfigRows};
use types::credential::CredentialSpec;
use types::import::{
    CredentialImport, ImportAction, ImportNote, ImportedCredential, ImportedProvider, NameConflict,
};
use types::provider::ProviderSpec;
use types::{CredentialId, Problem, ProviderId, Secret, Timestamp};

use super::held::{Rules, checked, kind_of};
use super::same::{Prints, prints};
use crate::admin::provider::check_patterns;
use crate::admin::proxy::check_proxy;
use crate::vault::{Purpose, Vault};

/// A proxy's address and what views show of it.
type Proxy = Option<(Secret<String>, String)>;

/// Why a provider is left out whose credentials all are.
const NONE_LEFT: &str = "none of its credentials can be taken over";

/// Where credentials go.
pub(super) enum Where {
    Existing(ProviderId),
    New { spec: Box<ProviderSpec>, proxy: Proxy },
}

/// A credential to add.
pub(super) struct Fresh {
    /// Where it is shown among its provider's credentials.
    pub(super) at: usize,
    pub(super) spec: CredentialSpec,
    pub(super) account: Account,
    pub(super) secret: Secret<String>,
    pub(super) hint: String,
    pub(super) proxy: Proxy,
}

/// A provider to add, or one to add to.
pub(super) struct Step {
    /// Where it is shown among the providers.
    pub(super) at: usize,
    pub(super) place: Where,
    pub(super) credentials: Vec<Fresh>,
}

/// A provider that is stored, with its credentials.
struct Known {
    id: ProviderId,
    spec: ProviderSpec,
    prints: HashMap<[u8; 32], Option<CredentialId>>,
    names: HashSet<String>,
}

struct House {
    known: Vec<Known>,
    names: HashSet<String>,
}

impl House {
    fn new(vault: &Vault, rows: ConfigRows) -> Self {
        let names = rows.providers.iter().map(|row| row.spec.name.clone()).collect();
        let mut known: Vec<Known> = rows
            .providers
            .into_iter()
            .map(|row| Known { id: row.id, spec: row.spec, prints: HashMap::new(), names: HashSet::new() })
            .collect();
        for row in rows.credentials {
            let Some(provider) = known.iter_mut().find(|known| known.id == row.provider_id) else { continue };
            provider.names.insert(row.spec.name);
            // One that cannot be opened cannot be compared either.
            if let Ok(secret) = vault.open(Purpose::CredentialSecret, row.id.0, &row.sealed) {
                let prints = prints(row.auth, &secret);
                provider.prints.extend(prints.into_iter().map(|print| (print, Some(row.id))));
            }
        }
        Self { known, names }
    }

    /// The stored provider that a planned one is.
    fn find(&mut self, spec: &ProviderSpec, prints: &Prints) -> Option<&mut Known> {
        let score = |known: &Known| {
            let shares = prints.iter().any(|print| known.prints.contains_key(print));
            let same = known.spec.models == spec.models && known.spec.model_redirects == spec.model_redirects;
            u8::from(shares) * 4 + u8::from(known.spec.name == spec.name) * 2 + u8::from(same)
        };
        let alike = |known: &&mut Known| {
            known.spec.kind == spec.kind && bare(known.spec.base_url.as_str()) == bare(spec.base_url.as_str())
        };
        let best = self.known.iter_mut().filter(alike).map(|known| (score(known), known));
        // Of equals the oldest.
        let best = best.filter(|(score, _)| *score > 0).max_by_key(|(score, known)| (*score, -known.id.0));
        best.map(|(_, known)| known)
    }

    fn free_name(&self, name: &str) -> String {
        free(&self.names, name)
    }
}

/// `…/v1` and `…` are the same address.
fn bare(base_url: &str) -> &str {
    base_url.trim_end_matches('/').trim_end_matches("/v1")
}

/// The name, with a number behind it if it is taken.
pub(super) fn free(taken: &HashSet<String>, name: &str) -> String {
    let numbered = |n: usize| {
        let tail = format!(" ({n})");
        let head: String = name.chars().take(80 - tail.len()).collect();
        format!("{}{tail}", head.trim_end())
    };
    let mut names = std::iter::once(name.to_owned()).chain((2..=taken.len() + 2).map(numbered));
    names.find(|name| !taken.contains(name)).unwrap_or_default()
}

/// What the plan would do here, and what it takes to do it.
pub(super) fn compare(
    (vault, now): (&Vault, Timestamp),
    plan: Plan,
    rows: ConfigRows,
    on_conflict: NameConflict,
) -> (CredentialImport, Vec<Step>) {
    let rules = Rules::new(now, &rows);
    let mut house = House::new(vault, rows);
    let notes = plan.notes.into_iter().map(|note| ImportNote { place: note.place, what: note.what });
    let mut found = CredentialImport {
        preview: String::new(),
        format: plan.format.to_string(),
        applied: false,
        new_providers: 0,
        new_credentials: 0,
        existing: 0,
        skipped: 0,
        providers: Vec::new(),
        notes: notes.collect(),
        more_notes: u64::try_from(plan.more_notes).unwrap_or(u64::MAX),
    };
    let mut steps = Vec::new();
    for (at, planned) in plan.providers.into_iter().enumerate() {
        let (shown, step) = provider((&mut house, at), planned, on_conflict, &rules);
        count(&mut found, &shown);
        found.providers.push(shown);
        steps.extend(step);
    }
    (found, steps)
}

/// Leaves out those credentials for which there is a reason, with the providers that are left without any.
pub(super) fn leave_out(
    found: &mut CredentialImport,
    steps: &mut Vec<Step>,
    why: impl Fn(&ImportedCredential) -> Option<String>,
) {
    steps.retain_mut(|step| {
        let Some(shown) = found.providers.get_mut(step.at) else { return false };
        let had = step.credentials.len();
        step.credentials.retain(|fresh| {
            let Some(line) = shown.credentials.get_mut(fresh.at) else { return false };
            let Some(reason) = why(line) else { return true };
            line.action = ImportAction::Skip;
            line.reason = Some(reason);
            false
        });
        let keeps = had == 0 || !step.credentials.is_empty();
        if !keeps && shown.action == ImportAction::Add {
            shown.action = ImportAction::Skip;
            shown.reason = Some(NONE_LEFT.to_owned());
        }
        keeps
    });
    (found.new_providers, found.new_credentials, found.existing, found.skipped) = (0, 0, 0, 0);
    let providers = std::mem::take(&mut found.providers);
    for shown in &providers {
        count(found, shown);
    }
    found.providers = providers;
}

fn count(found: &mut CredentialImport, shown: &ImportedProvider) {
    match shown.action {
        ImportAction::Add => found.new_providers += 1,
        ImportAction::Skip => found.skipped += 1,
        ImportAction::Exists => {}
    }
    for credential in &shown.credentials {
        match credential.action {
            ImportAction::Add => found.new_credentials += 1,
            ImportAction::Skip => found.skipped += 1,
            ImportAction::Exists => found.existing += 1,
        }
    }
}

fn provider(
    (house, at): (&mut House, usize),
    planned: PlannedProvider,
    on_conflict: NameConflict,
    rules: &Rules,
) -> (ImportedProvider, Option<Step>) {
    let PlannedProvider { place, input, credentials } = planned;
    let mut shown = ImportedProvider {
        place,
        action: ImportAction::Skip,
        reason: None,
        id: None,
        name: input.name.clone(),
        kind: input.kind.clone(),
        base_url: String::new(),
        models: input.models.clone(),
        credentials: credentials.iter().map(line).collect(),
    };
    let checked = input.parse().and_then(check_patterns);
    let proxy =
        input.proxy_url.as_ref().map(|address| check_proxy(address).map(|hint| (address.clone(), hint)));
    let (mut spec, proxy) = match (checked, proxy.transpose()) {
        (Ok(spec), Ok(proxy)) => (spec, proxy),
        (Err(problem), _) | (_, Err(problem)) => return left_out(shown, reason(&problem)),
    };
    // Only a checked address is shown: another one may hold a password.
    spec.base_url.as_str().clone_into(&mut shown.base_url);
    let all = credentials.iter().flat_map(|held| prints(kind_of(held), &held.secret)).collect();
    if let Some(known) = house.find(&spec, &all) {
        shown.action = ImportAction::Exists;
        shown.id = Some(known.id);
        shown.name.clone_from(&known.spec.name);
        let here = (&mut known.prints, &mut known.names);
        let fresh = add(here, credentials, &mut shown, (&known.spec, rules));
        let step = Step { at, place: Where::Existing(known.id), credentials: fresh };
        return (shown, (!step.credentials.is_empty()).then_some(step));
    }
    let name = house.free_name(&spec.name);
    if name != spec.name {
        let taken = format!("another provider is called '{}'", spec.name);
        if on_conflict == NameConflict::Skip {
            return left_out(shown, taken);
        }
        shown.reason = Some(taken);
        shown.name.clone_from(&name);
        spec.name = name;
    }
    let some = !credentials.is_empty();
    let here = (&mut HashMap::new(), &mut HashSet::new());
    let fresh = add(here, credentials, &mut shown, (&spec, rules));
    if some && fresh.is_empty() {
        shown.action = ImportAction::Skip;
        shown.reason = Some(NONE_LEFT.to_owned());
        return (shown, None);
    }
    house.names.insert(spec.name.clone());
    shown.action = ImportAction::Add;
    (shown, Some(Step { at, place: Where::New { spec: Box::new(spec), proxy }, credentials: fresh }))
}

fn left_out(mut shown: ImportedProvider, reason: String) -> (ImportedProvider, Option<Step>) {
    shown.reason = Some(reason);
    for credential in &mut shown.credentials {
        credential.reason = Some("its provider is left out".to_owned());
    }
    (shown, None)
}

pub(super) fn reason(problem: &Problem) -> String {
    let faults: Vec<_> = problem.fields.iter().map(|(field, fault)| format!("{field}: {fault}")).collect();
    if faults.is_empty() { problem.message.clone() } else { faults.join("; ") }
}

fn line(held: &PlannedCredential) -> ImportedCredential {
    let hint = if held.auth == Auth::ApiKey { held.secret.masked() } else { "…".to_owned() };
    ImportedCredential {
        place: held.place.clone(),
        action: ImportAction::Skip,
        reason: None,
        id: None,
        name: held.name.clone().unwrap_or_default(),
        auth: held.auth.as_str().to_owned(),
        secret_hint: hint,
        account: held.account.clone(),
        expires_at: held.expires_at,
        tier: held.tier,
        trial: None,
    }
}

/// Those credentials that are new, and in `shown` what happens to each.
fn add(
    (known, names): (&mut HashMap<[u8; 32], Option<CredentialId>>, &mut HashSet<String>),
    credentials: Vec<PlannedCredential>,
    shown: &mut ImportedProvider,
    (home, rules): (&ProviderSpec, &Rules),
) -> Vec<Fresh> {
    let mut fresh = Vec::new();
    for (at, (held, line)) in credentials.into_iter().zip(&mut shown.credentials).enumerate() {
        let prints = prints(kind_of(&held), &held.secret);
        match prints.iter().find_map(|print| known.get(print)) {
            Some(Some(id)) => {
                line.action = ImportAction::Exists;
                line.id = Some(*id);
            }
            Some(None) => line.reason = Some("the file holds it twice".to_owned()),
            None => match checked((held, at), names, home, rules) {
                Err(why) => line.reason = Some(why),
                Ok(one) => {
                    known.extend(prints.into_iter().map(|print| (print, None)));
                    names.insert(one.spec.name.clone());
                    line.action = ImportAction::Add;
                    line.name.clone_from(&one.spec.name);
                    line.secret_hint.clone_from(&one.hint);
                    fresh.push(one);
                }
            },
        }
    }
    fresh
}
