//! Keeps sessions in the database, under the SHA-256 of their id: who reads the table cannot sign in with it.
//!
//! It does not judge whether a session is over; it keeps rows a while longer, so that "expired" can be told
//! from "never existed".

use std::sync::Arc;

use async_trait::async_trait;
use gateway::Clock;
use sha2::{Digest, Sha256};
use store::Store;
use tokio::sync::Mutex;
use tower_sessions::SessionStore;
use tower_sessions::cookie::time::OffsetDateTime;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};
use types::principal::Principal;

use super::{ENTRY, SignedIn};

/// How long a row outlives its session, in milliseconds: a week in which "your session expired" is known.
const AFTERLIFE_MS: i64 = 7 * types::Timestamp::DAY_MS;

/// Session rows of one process.
#[derive(Clone)]
pub(crate) struct Rows {
    store: Store,
    clock: Clock,
    // Held over "is it still there" plus "write it again", and over deleting: otherwise a request that
    // runs beside a sign-out would bring the deleted session back to life.
    rewriting: Arc<Mutex<()>>,
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").finish_non_exhaustive()
    }
}

impl Rows {
    pub(crate) fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock, rewriting: Arc::default() }
    }

    async fn write(&self, record: &Record) -> Result<()> {
        let entry = record.data.get(ENTRY).cloned().unwrap_or_default();
        let signed_in: SignedIn =
            serde_json::from_value(entry).map_err(|error| Error::Encode(error.to_string()))?;
        let user_id = match &signed_in.principal {
            Principal::Admin => None,
            Principal::Member { user_id } => Some(*user_id),
        };
        let data = serde_json::to_string(&record.data).map_err(|error| Error::Encode(error.to_string()))?;
        let until = signed_in.ends_at.plus_ms(AFTERLIFE_MS);
        self.store.session_save(&hash(&record.id), user_id, &data, until).await.map_err(backend)
    }
}

#[async_trait]
impl SessionStore for Rows {
    async fn create(&self, record: &mut Record) -> Result<()> {
        self.write(record).await
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let _rewriting = self.rewriting.lock().await;
        let known = self.store.session_load(&hash(&record.id), self.clock.now()).await.map_err(backend)?;
        if known.is_none() {
            return Ok(());
        }
        self.write(record).await
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let Some(text) = self.store.session_load(&hash(id), self.clock.now()).await.map_err(backend)? else {
            return Ok(None);
        };
        let data = serde_json::from_str(&text).map_err(|error| Error::Decode(error.to_string()))?;
        // The expiry date is tower-sessions' own idea of it, which nothing here reads: see `SignedIn`.
        Ok(Some(Record { id: *id, data, expiry_date: OffsetDateTime::UNIX_EPOCH }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        let _rewriting = self.rewriting.lock().await;
        self.store.session_delete(&hash(id)).await.map_err(backend)
    }
}

/// What the database knows of a session id.
fn hash(id: &Id) -> [u8; 32] {
    Sha256::new().chain_update("session:").chain_update(id.0.to_le_bytes()).finalize().into()
}

fn backend(error: impl std::fmt::Display) -> Error {
    Error::Backend(error.to_string())
}
