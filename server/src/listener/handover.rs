//! What a connection goes on with after it was upgraded. It knows no protocol.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

type Next = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A place for one piece of work, shared by a connection and its requests.
#[derive(Clone, Default)]
pub(super) struct Handover(Arc<Mutex<Option<Next>>>);

impl fmt::Debug for Handover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handover").finish_non_exhaustive()
    }
}

impl Handover {
    pub(super) fn leave(&self, next: impl Future<Output = ()> + Send + 'static) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::pin(next));
    }

    pub(super) fn take(&self) -> Option<Next> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
