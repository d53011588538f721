//! What was posted and is looked at before it is done: price lists, invoices and other gateways' files; what is handed out
//! once, such as a sealed export; and answers of the playground. A plain form post can only be
//! answered with a redirect, and neither fits into an address; so it waits here, and the address says which it is.
//!
//! Bounded in number, size and time, in memory, of this process: after a restart, or on another instance, the page
//! says that it is gone and asks for it again.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use leptos::prelude::use_context;
use types::books::CompareInvoice;
use types::import::{CredentialExport, CredentialImport, ImportCredentials};
use types::{Problem, Timestamp};

use crate::form::price::ImportForm;
use crate::play::Played;

/// Drafts kept at a time; a new one pushes the oldest out.
const MOST: usize = 16;
/// Bytes of all of them together. One always fits: what the edge lets in is smaller.
const BYTES: usize = 32 * 1024 * 1024;
/// How long one is kept, in milliseconds.
const AGE_MS: i64 = 30 * 60 * 1_000;

/// What waits.
#[derive(Clone, Debug)]
pub(crate) enum Draft {
    Import(Arc<ImportForm>),
    Invoice(Arc<CompareInvoice>),
    Played(Arc<Played>),
    Transfer(Arc<Transfer>),
    Export(Arc<CredentialExport>),
}

impl Draft {
    fn bytes(&self) -> usize {
        match self {
            Self::Import(form) => form.list.len() + form.url.len() + form.origin.len(),
            Self::Invoice(ask) => ask.csv.len(),
            Self::Transfer(file) => file.input.content.expose().len(),
            Self::Export(file) => file.content.len(),
            Self::Played(played) => {
                let said = played.lanes.iter().map(|lane| lane.heard.text.len() + lane.heard.thinking.len());
                played.form.prompt.len() + played.form.system.len() + said.sum::<usize>()
            }
        }
    }
}

/// Another gateway's file.
#[derive(Debug)]
pub(crate) struct Transfer {
    /// As it was given.
    input: ImportCredentials,
    /// What came of it where its secrets were tried, so that their vendors are asked once.
    tried: Option<CredentialImport>,
}

impl Transfer {
    /// A file with what was seen when it was given.
    pub(crate) fn seen(input: ImportCredentials, found: CredentialImport) -> Self {
        let tried = input.probe.then_some(found);
        Self { input, tried }
    }

    /// What to ask to see it again.
    pub(crate) fn again(&self) -> ImportCredentials {
        ImportCredentials { probe: false, ..self.input.clone() }
    }

    /// What was seen, with what came of trying, unless something else would be imported by `now`.
    pub(crate) fn told(&self, now: CredentialImport) -> CredentialImport {
        self.tried.clone().filter(|tried| tried.preview == now.preview).unwrap_or(now)
    }

    /// How what was seen under `preview` is imported: without what was tried and not taken, unless somebody insists.
    pub(crate) fn import(&self, preview: String, insist: bool) -> ImportCredentials {
        let tried = self.tried.as_ref().filter(|tried| !insist && tried.preview == preview);
        let leave_out = tried.map(CredentialImport::refused).unwrap_or_default();
        ImportCredentials { dry_run: false, leave_out, preview: Some(preview), ..self.again() }
    }
}

#[derive(Debug)]
struct Entry {
    id: String,
    at: Timestamp,
    draft: Draft,
}

/// The drafts of this process, handed in by the server through Leptos' context; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Drafts(Arc<Mutex<VecDeque<Entry>>>);

impl Drafts {
    fn keep(&self, draft: Draft, now: Timestamp) -> String {
        // Random keys: nobody can guess what another one posted, and a restart begins elsewhere.
        let id = format!("{:016x}", RandomState::new().build_hasher().finish());
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.push_back(Entry { id: id.clone(), at: now, draft });
        while entries.len() > MOST || entries.iter().map(|entry| entry.draft.bytes()).sum::<usize>() > BYTES {
            if entries.len() == 1 {
                break;
            }
            entries.pop_front();
        }
        id
    }

    fn find(&self, id: &str, now: Timestamp) -> Option<Draft> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|entry| now.0.saturating_sub(entry.at.0) < AGE_MS);
        entries.iter().find(|entry| entry.id == id).map(|entry| entry.draft.clone())
    }
}

impl Drafts {
    fn take(&self, id: &str, now: Timestamp) -> Option<Draft> {
        let found = self.find(id, now);
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|entry| entry.id != id);
        found
    }
}

fn drafts() -> Result<Drafts, Problem> {
    use_context().ok_or_else(|| Problem::new("internal", "drafts are not kept here"))
}

fn now() -> Result<Timestamp, Problem> {
    super::now().map_err(|error| error.problem)
}

/// Keeps what was posted and answers the name under which the next page finds it.
pub(crate) fn keep(draft: Draft) -> Result<String, Problem> {
    Ok(drafts()?.keep(draft, now()?))
}

/// The price list of that name, if it is still kept.
pub(crate) fn kept_import(id: &str) -> Result<Option<Arc<ImportForm>>, Problem> {
    Ok(match drafts()?.find(id, now()?) {
        Some(Draft::Import(form)) => Some(form),
        _ => None,
    })
}

/// The invoice of that name, if it is still kept.
pub(crate) fn kept_invoice(id: &str) -> Result<Option<Arc<CompareInvoice>>, Problem> {
    Ok(match drafts()?.find(id, now()?) {
        Some(Draft::Invoice(ask)) => Some(ask),
        _ => None,
    })
}

/// Keeps another gateway's file with what was seen of it.
pub(crate) fn keep_transfer(input: ImportCredentials, found: CredentialImport) -> Result<String, Problem> {
    keep(Draft::Transfer(Transfer::seen(input, found).into()))
}

/// The other gateway's file of that name, if it is still kept.
pub(crate) fn kept_transfer(id: &str) -> Result<Option<Arc<Transfer>>, Problem> {
    Ok(match drafts()?.find(id, now()?) {
        Some(Draft::Transfer(file)) => Some(file),
        _ => None,
    })
}

/// The sealed export of that name, if it is still kept.
pub(crate) fn kept_export(id: &str) -> Result<Option<Arc<CredentialExport>>, Problem> {
    Ok(match drafts()?.find(id, now()?) {
        Some(Draft::Export(file)) => Some(file),
        _ => None,
    })
}

/// Keeps something no longer.
pub(crate) fn forget(id: &str) -> Result<(), Problem> {
    drafts()?.take(id, now()?);
    Ok(())
}

/// The answers of that name, once.
pub(crate) async fn take_played(id: &str) -> Result<Option<Played>, Problem> {
    Ok(match drafts()?.take(id, now()?) {
        Some(Draft::Played(played)) => Some(Arc::unwrap_or_clone(played)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(bytes: usize) -> Draft {
        Draft::Import(Arc::new(ImportForm { list: "x".repeat(bytes), ..ImportForm::default() }))
    }

    #[test]
    fn a_draft_is_found_again_until_its_time_is_over() {
        let drafts = Drafts::default();
        let id = drafts.keep(list(3), Timestamp(0));
        assert!(drafts.find(&id, Timestamp(AGE_MS - 1)).is_some());
        assert!(drafts.find("0000000000000000", Timestamp(0)).is_none());
        assert!(drafts.find(&id, Timestamp(AGE_MS)).is_none());
    }

    #[test]
    fn the_oldest_make_room_by_number_and_by_size() {
        let drafts = Drafts::default();
        let ids: Vec<_> = (0..20).map(|n| drafts.keep(list(1), Timestamp(n))).collect();
        let kept = |ids: &[String]| ids.iter().filter(|id| drafts.find(id, Timestamp(20)).is_some()).count();
        assert_eq!((kept(&ids), kept(&ids[4..])), (16, 16));
        let big: Vec<_> = (0..3).map(|n| drafts.keep(list(16 * 1024 * 1024), Timestamp(n))).collect();
        assert_eq!((kept(&ids), kept(&big)), (0, 2));
    }
}
