//! Taking over what another gateway keeps: what a file would add, and the import of exactly that.
//!
//! A dry run and an import do the same work; the import then stores it in one transaction, on the configuration that
//! was compared and on no other. Repeating it adds nothing.

mod compare;
mod held;
mod same;
mod trial;

use std::collections::HashSet;

use ::import::{Format, Plan, is_sealed};
use serde_json::json;
use sha2::{Digest, Sha256};
use store::{ConfigRows, ImportTarget, NewCredential, NewProvider, SealedProxy, SealedSecret, StoreError};
use types::import::{CredentialImport, ImportCredentials, NameConflict};
use types::{Problem, Secret};

use self::compare::{Fresh, Step, Where, compare, leave_out};
use super::{Admin, Subject, trail};
use crate::identity::password::Passwords;
use crate::identity::problem::store_problem;
use crate::vault::{Purpose, Vault, VaultError, parcel};

const OBJECT: &str = "credential";
/// Why a line is left out that the request named.
const UNWANTED: &str = "is left out because the import says so";

impl Admin {
    /// Says what importing a file would do and, unless it is a dry run, does it: all of it or nothing.
    pub async fn credential_import(&self, input: ImportCredentials) -> Result<CredentialImport, Problem> {
        let ImportCredentials {
            content,
            passphrase,
            from,
            origin,
            on_conflict,
            dry_run,
            probe,
            leave_out: unwanted,
            preview,
        } = input;
        let digest = Sha256::digest(content.expose().as_bytes());
        let plan = read(content, passphrase, known(from.as_deref())?).await?;
        let here = self.core.store.config_load().await.map_err(|error| store_problem(error, OBJECT))?;
        let revision = here.revision;
        let (mut found, mut steps) =
            self.compared(plan, here, on_conflict.unwrap_or(NameConflict::Rename)).await?;
        found.preview = fingerprint(&digest, &found);
        if !dry_run && preview.is_some_and(|seen| seen != found.preview) {
            return Err(stale());
        }
        if !unwanted.is_empty() {
            let unwanted = places(unwanted, &found)?;
            leave_out(&mut found, &mut steps, |line| {
                unwanted.contains(&line.place).then(|| UNWANTED.to_owned())
            });
        }
        if probe {
            self.try_each(&mut found, &mut steps).await;
        }
        if dry_run {
            return Ok(found);
        }
        found.applied = true;
        if steps.is_empty() {
            return Ok(found);
        }
        let origin =
            origin.map(|name| name.chars().filter(|c| !c.is_control()).take(120).collect::<String>());
        let subject =
            Subject { object: OBJECT, id: "import".to_owned(), name: origin.as_deref().unwrap_or("a file") };
        let counts = json!({
            "format": found.format,
            "new_providers": found.new_providers,
            "new_credentials": found.new_credentials,
            "existing": found.existing,
            "skipped": found.skipped,
            "probe": probe,
        });
        let whole = self.change("import", &subject, None, Some(counts));
        let items = steps.into_iter().map(|step| self.item(step)).collect();
        self.core.store.import(revision, items, whole).await.map_err(|error| match error {
            StoreError::StaleVersion => stale(),
            other => store_problem(other, "provider"),
        })?;
        self.take_effect().await?;
        Ok(found)
    }

    /// Opening and hashing what is stored takes a while with thousands of credentials.
    async fn compared(
        &self,
        plan: Plan,
        here: ConfigRows,
        on_conflict: NameConflict,
    ) -> Result<(CredentialImport, Vec<Step>), Problem> {
        let vault = self.core.vault.clone();
        let now = self.core.clock.now();
        tokio::task::spawn_blocking(move || compare((&vault, now), plan, here, on_conflict))
            .await
            .map_err(|_| Problem::new("internal", "the comparison did not finish"))
    }

    fn item(&self, step: Step) -> (ImportTarget, Vec<NewCredential>) {
        let target = match step.place {
            Where::Existing(id) => ImportTarget::Existing(id),
            Where::New { spec, proxy } => {
                let hint = proxy.as_ref().map(|(_, hint)| hint.as_str());
                let subject = Subject { object: "provider", id: String::new(), name: &spec.name };
                let change = self.change("create", &subject, None, Some(trail::provider(&spec, hint)));
                let vault = self.core.vault.clone();
                let seal = move |id: types::ProviderId| {
                    Ok(sealed_proxy(&vault, Purpose::ProviderProxy, id.0, proxy)?)
                };
                let spec = *spec;
                ImportTarget::New(Box::new(NewProvider { spec, seal: Box::new(seal), change }))
            }
        };
        (target, step.credentials.into_iter().map(|fresh| self.fresh(fresh)).collect())
    }

    fn fresh(&self, fresh: Fresh) -> NewCredential {
        let Fresh { at: _, spec, account, secret, hint, proxy } = fresh;
        let proxy_hint = proxy.as_ref().map(|(_, hint)| hint.as_str());
        let mut after = trail::credential(&spec, proxy_hint);
        trail::put(&mut after, "auth", account.auth.as_str());
        trail::mark_changed(&mut after, "api_key");
        let subject = Subject { object: OBJECT, id: String::new(), name: &spec.name };
        let change = self.change("create", &subject, None, Some(after));
        let vault = self.core.vault.clone();
        let seal = move |id: types::CredentialId| {
            let sealed = vault.seal(Purpose::CredentialSecret, id.0, &secret)?;
            let proxy = sealed_proxy(&vault, Purpose::CredentialProxy, id.0, proxy)?;
            Ok((SealedSecret { sealed, hint }, proxy))
        };
        NewCredential { spec, account, seal: Box::new(seal), change }
    }
}

fn sealed_proxy(
    vault: &Vault,
    purpose: Purpose,
    row: i64,
    proxy: Option<(Secret<String>, String)>,
) -> Result<Option<SealedProxy>, VaultError> {
    proxy
        .map(|(address, hint)| vault.seal(purpose, row, &address).map(|sealed| SealedProxy { sealed, hint }))
        .transpose()
}

fn known(from: Option<&str>) -> Result<Option<Format>, Problem> {
    let Some(name) = from.filter(|name| !name.is_empty()) else { return Ok(None) };
    let names = || Format::ALL.map(Format::as_str).join(", ");
    Format::parse(name)
        .map(Some)
        .ok_or_else(|| Problem::field("from", format!("expected one of {}", names())))
}

/// The plan of a file; our own export is opened first.
async fn read(
    content: Secret<String>,
    passphrase: Option<Secret<String>>,
    from: Option<Format>,
) -> Result<Plan, Problem> {
    let clear = if is_sealed(content.expose()) {
        let passphrase = passphrase.filter(|text| !text.expose().is_empty());
        let passphrase = passphrase.ok_or_else(|| {
            Problem::field("passphrase", "this export is sealed; give the passphrase that it was made with")
        })?;
        let opened = Passwords::shared().run(move || parcel::open(&passphrase, content.expose())).await?;
        opened.map_err(|error| match error {
            parcel::ParcelError::WrongPassphrase => Problem::field("passphrase", error.to_string()),
            other => Problem::field("content", other.to_string()),
        })?
    } else {
        content
    };
    let read = tokio::task::spawn_blocking(move || ::import::read_as(clear.expose(), from)).await;
    let read = read.map_err(|_| Problem::new("internal", "the file could not be read to its end"))?;
    read.map_err(|fault| {
        let field = if matches!(fault, ::import::Fault::Another { .. }) { "from" } else { "content" };
        Problem::field(field, fault.to_string())
    })
}

/// The places that are left out; one that the file does not have was meant for another.
fn places(unwanted: Vec<String>, found: &CredentialImport) -> Result<HashSet<String>, Problem> {
    let lines = found.providers.iter().flat_map(|provider| &provider.credentials);
    let known: HashSet<&str> = lines.map(|line| line.place.as_str()).collect();
    match unwanted.iter().find(|place| !known.contains(place.as_str())) {
        Some(place) => Err(Problem::field("leave_out", format!("the file holds no credential at '{place}'"))),
        None => Ok(unwanted.into_iter().collect()),
    }
}

fn fingerprint(content: &[u8], found: &CredentialImport) -> String {
    let shown = serde_json::to_vec(found).unwrap_or_default();
    hex::encode(Sha256::new().chain_update(content).chain_update(shown).finalize())
}

fn stale() -> Problem {
    Problem::new(
        "stale_version",
        "the file or what is stored here has changed since the dry run; look at a new one before you import",
    )
}
