//! Seals everything anew with the current key (CR-04). It does not decide when.
//!
//! Piece by piece, each piece one transaction with compare-and-set: a value that somebody changes meanwhile was sealed
//! with the current key by that change. It can be stopped at any point, also by a kill, and run again; values that are
//! current already are passed over. Until it is through, both secrets are needed; the canary comes last, so that a
//! start with the new secret alone is refused as long as anything is left.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use store::{Resealed, SealedPlace, Store};
use types::Timestamp;
use types::rotation::{Rotation, RotationPhase, SealedLine, SecretsView};

use super::canary::CANARY_META;
use super::{KEY_ID_LENGTH, Purpose, VERSION, Vault, VaultError};

/// Values of one transaction: short, so that requests' books are not held up.
const BATCH: u32 = 100;
/// What an envelope begins with: version and key id.
const HEAD_LENGTH: u32 = 10;
/// Sealed values of the installation itself, the canary last.
const META: [(&str, Purpose); 2] = [("key_pepper", Purpose::KeyPepper), (CANARY_META, Purpose::Canary)];

impl Purpose {
    fn of(place: SealedPlace) -> Self {
        match place {
            SealedPlace::CredentialSecret => Self::CredentialSecret,
            SealedPlace::CredentialProxy => Self::CredentialProxy,
            SealedPlace::ProviderProxy => Self::ProviderProxy,
            SealedPlace::VendorSecret => Self::VendorSecret,
            SealedPlace::FlowSecret => Self::FlowSecret,
        }
    }
}

/// How the rotation of this process stands; there is at most one at a time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Board(Arc<Mutex<Rotation>>);

impl Board {
    /// Begins one, unless one is under way.
    pub(crate) fn begin(&self, at: Timestamp) -> bool {
        let mut rotation = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if rotation.phase == RotationPhase::Running {
            return false;
        }
        *rotation = Rotation { phase: RotationPhase::Running, started_at: Some(at), ..Rotation::default() };
        true
    }

    /// Notes how far it is; its beginning stays.
    pub(crate) fn note(&self, now: &Rotation) {
        let mut rotation = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *rotation = Rotation { started_at: rotation.started_at, ..now.clone() };
    }

    pub(crate) fn view(&self) -> Rotation {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Vault {
    /// Seals every stored secret with the current key. `after_batch` hears how far it is and may stop it there.
    pub(crate) async fn rotate(
        &self,
        store: &Store,
        mut after_batch: impl FnMut(&Rotation) -> ControlFlow<()> + Send,
    ) -> Result<Rotation, VaultError> {
        let total = self.lines(store).await?.iter().map(|line| line.total).sum();
        let mut now = Rotation { phase: RotationPhase::Running, total, ..Rotation::default() };
        for place in SealedPlace::ALL {
            let mut after = 0;
            loop {
                let batch = store.sealed_batch(place, after, BATCH).await?;
                let Some(last) = batch.last() else { break };
                after = last.row;
                let mut anew = Vec::new();
                for value in &batch {
                    now.seen += 1;
                    if let Some(new) =
                        self.resealed(Purpose::of(place), value.row, &value.sealed, &mut now)?
                    {
                        anew.push(Resealed { row: value.row, old: value.sealed.clone(), new });
                    }
                }
                if !anew.is_empty() {
                    now.resealed += store.sealed_replace(place, &anew).await?;
                }
                if after_batch(&now).is_break() {
                    return Ok(Rotation { phase: RotationPhase::Stopped, ..now });
                }
            }
        }
        for (name, purpose) in META {
            let Some(stored) = store.meta_get(name).await? else { continue };
            now.seen += 1;
            let sealed = hex::decode(&stored).map_err(|_| VaultError::Malformed)?;
            if let Some(new) = self.resealed(purpose, 0, &sealed, &mut now)? {
                now.resealed += u64::from(store.meta_replace(name, &stored, &hex::encode(new)).await?);
            }
        }
        Ok(Rotation { phase: RotationPhase::Done, ..now })
    }

    fn resealed(
        &self,
        purpose: Purpose,
        row: i64,
        sealed: &[u8],
        now: &mut Rotation,
    ) -> Result<Option<Vec<u8>>, VaultError> {
        if self.is_current(sealed) {
            return Ok(None);
        }
        match self.open(purpose, row, sealed) {
            Ok(secret) => self.seal(purpose, row, &secret).map(Some),
            Err(error) => {
                tracing::error!(?purpose, row, %error, "a stored secret cannot be opened and was not sealed anew");
                now.unreadable += 1;
                Ok(None)
            }
        }
    }

    /// What is sealed under which key.
    pub(crate) async fn view(&self, store: &Store, rotation: Rotation) -> Result<SecretsView, VaultError> {
        let lines = self.lines(store).await?;
        Ok(SecretsView {
            key_id: self.key_id().to_owned(),
            former_key_ids: self.0.previous.iter().map(|key| key.id.clone()).collect(),
            all_current: lines.iter().all(|line| line.former == 0),
            lines,
            rotation,
        })
    }

    async fn lines(&self, store: &Store) -> Result<Vec<SealedLine>, VaultError> {
        let mut lines = Vec::new();
        for place in SealedPlace::ALL {
            let mut line = line(kind(place));
            for count in store.sealed_counts(place, HEAD_LENGTH).await? {
                self.count(&mut line, &count.head, count.values);
            }
            lines.push(line);
        }
        let mut line = line("installation");
        for (name, _) in META {
            let Some(stored) = store.meta_get(name).await? else { continue };
            self.count(&mut line, &hex::decode(&stored).unwrap_or_default(), 1);
        }
        lines.push(line);
        Ok(lines)
    }

    fn count(&self, line: &mut SealedLine, head: &[u8], values: u64) {
        line.total += values;
        match head_key(head) {
            Some(id) if id == self.key_id() => line.current += values,
            Some(id) if self.0.previous.iter().any(|key| key.id == id) => line.former += values,
            _ => line.unknown += values,
        }
    }
}

fn line(kind: &str) -> SealedLine {
    SealedLine { kind: kind.to_owned(), total: 0, current: 0, former: 0, unknown: 0 }
}

/// The name of a place in views.
fn kind(place: SealedPlace) -> &'static str {
    match place {
        SealedPlace::CredentialSecret => "credential_secret",
        SealedPlace::CredentialProxy => "credential_proxy",
        SealedPlace::ProviderProxy => "provider_proxy",
        SealedPlace::VendorSecret => "vendor_secret",
        SealedPlace::FlowSecret => "sign_in",
    }
}

/// The key id that an envelope begins with.
fn head_key(head: &[u8]) -> Option<&str> {
    let id = head.strip_prefix(VERSION)?.get(..KEY_ID_LENGTH)?;
    std::str::from_utf8(id).ok()
}

/// The stored secrets of an installation that does not run, for the command line.
#[derive(Debug)]
pub struct StoredSecrets {
    vault: Vault,
    store: Store,
}

impl StoredSecrets {
    /// Refuses secrets of which none sealed what is stored.
    pub async fn open(
        secret: &types::Secret<String>,
        previous: &[types::Secret<String>],
        store: Store,
    ) -> Result<Self, VaultError> {
        let vault = Vault::new(secret, previous)?;
        super::canary::check_present(&vault, &store).await?;
        Ok(Self { vault, store })
    }

    /// What is sealed under which key.
    pub async fn view(&self) -> Result<SecretsView, VaultError> {
        self.vault.view(&self.store, Rotation::default()).await
    }

    /// Seals everything anew; `progress` hears of each piece.
    pub async fn rotate(
        &self,
        at: Timestamp,
        mut progress: impl FnMut(&Rotation) + Send,
    ) -> Result<Rotation, VaultError> {
        let done = self
            .vault
            .rotate(&self.store, |now| {
                progress(now);
                ControlFlow::Continue(())
            })
            .await?;
        self.vault.write_down(&self.store, &done, at, "cli").await?;
        Ok(done)
    }
}

impl Vault {
    /// Writes into the audit log what was sealed anew, unless nothing was.
    pub(crate) async fn write_down(
        &self,
        store: &Store,
        done: &Rotation,
        at: Timestamp,
        actor: &str,
    ) -> Result<(), VaultError> {
        if done.resealed == 0 {
            return Ok(());
        }
        let after = serde_json::json!({
            "key_id": self.key_id(), "resealed": done.resealed, "unreadable": done.unreadable,
        });
        let change = store::Change {
            at,
            actor: actor.to_owned(),
            client_ip: None,
            action: "secrets.rotate".to_owned(),
            object: "secrets".to_owned(),
            object_id: String::new(),
            object_name: String::new(),
            before: None,
            after: Some(after),
        };
        Ok(store.audit_append(change).await?)
    }
}

/// Identity of the key that a secret makes; safe to show.
pub fn key_id_of_secret(secret: &types::Secret<String>) -> Result<String, VaultError> {
    Ok(Vault::new(secret, &[])?.key_id().to_owned())
}
