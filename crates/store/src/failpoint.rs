//! Lets transactions of this thread be stopped at a step that a test chose. Only in tests.

use std::cell::RefCell;

use ledger::testing::{Step, Verdict, World};

use crate::StoreError;

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

/// As long as it lives, transactions of this thread happen in a world.
#[derive(Debug)]
pub(crate) struct Watch;

impl Watch {
    pub(crate) fn new(world: &World) -> Self {
        WORLD.with_borrow_mut(|watching| *watching = Some(world.clone()));
        Self
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        WORLD.with_borrow_mut(|watching| *watching = None);
    }
}

fn hit(step: Step) -> Verdict {
    WORLD.with_borrow(|watching| watching.as_ref().map_or(Verdict::Done, |world| world.hit(step)))
}

fn gone() -> StoreError {
    sqlx::Error::WorkerCrashed.into()
}

/// Whether the next statement is let through.
pub(crate) fn statement() -> Result<(), StoreError> {
    if hit(Step::Statement) == Verdict::Done { Ok(()) } else { Err(gone()) }
}

/// Whether a commit is let through, and whether its answer is.
pub(crate) fn commit() -> Result<Result<(), StoreError>, StoreError> {
    match hit(Step::Commit) {
        Verdict::Done => Ok(Ok(())),
        Verdict::Unheard => Ok(Err(gone())),
        Verdict::Half | Verdict::Failed => Err(gone()),
    }
}
