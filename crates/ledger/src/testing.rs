//! A world that can be stopped at its k-th step, and a disk in it that forgets what was not synced. Not part of the
//! product.
//!
//! A step is anything that outlives the process: a write, a sync, a file made or removed, and whatever else a test
//! counts with [`World::hit`]. What must hold afterwards is the test's business.

mod disk;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

pub use disk::{Loss, TestDisk};

/// What a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// A segment is opened or made.
    Open,
    /// A segment is removed.
    Remove,
    /// A directory is synced.
    SyncDir,
    /// Bytes are added to a segment.
    Append,
    /// A segment is cut.
    Truncate,
    /// A segment is synced.
    Sync,
    /// A statement of a transaction.
    Statement,
    /// The end of a transaction.
    Commit,
}

/// What happens at the chosen step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The world stops before it.
    Before,
    /// It takes effect, but nobody learns of it any more.
    After,
    /// A write arrives by half, then the world stops; other steps as with [`Before`](Self::Before).
    Torn,
    /// It fails, and life goes on.
    Fails,
}

/// How far a step comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All the way.
    Done,
    /// It takes effect and is reported as failed.
    Unheard,
    /// Half of it takes effect and it is reported as failed.
    Half,
    /// It has no effect and is reported as failed.
    Failed,
}

#[derive(Debug, Default)]
struct State {
    count: u64,
    only: Option<Step>,
    at: Option<(u64, Fault)>,
    stopped: bool,
    happened: Option<Step>,
}

/// What can be stopped; cheap to clone, and all clones are the same.
#[derive(Clone, Default)]
pub struct World(Arc<Mutex<State>>);

impl World {
    /// A world in which something happens at the step with this number, counted from 1.
    pub fn with_fault(at: u64, fault: Fault) -> Self {
        Self(Arc::new(Mutex::new(State { at: Some((at, fault)), ..State::default() })))
    }

    /// The same, counting steps of one kind only.
    pub fn with_fault_of(only: Step, at: u64, fault: Fault) -> Self {
        Self(Arc::new(Mutex::new(State { only: Some(only), at: Some((at, fault)), ..State::default() })))
    }

    fn state<T>(&self, run: impl FnOnce(&mut State) -> T) -> T {
        run(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts a step and says how far it comes.
    pub fn hit(&self, step: Step) -> Verdict {
        self.state(|state| {
            if state.stopped {
                return Verdict::Failed;
            }
            if state.only.is_some_and(|only| only != step) {
                return Verdict::Done;
            }
            state.count = state.count.saturating_add(1);
            let Some((_, fault)) = state.at.filter(|(at, _)| *at == state.count) else {
                return Verdict::Done;
            };
            state.happened = Some(step);
            state.stopped = fault != Fault::Fails;
            match fault {
                Fault::Torn if step == Step::Append => Verdict::Half,
                Fault::After => Verdict::Unheard,
                Fault::Before | Fault::Torn | Fault::Fails => Verdict::Failed,
            }
        })
    }

    /// Steps so far.
    pub fn steps(&self) -> u64 {
        self.state(|state| state.count)
    }

    /// The step that the fault met; `None` as long as it met none.
    pub fn met(&self) -> Option<Step> {
        self.state(|state| state.happened)
    }

    /// Whether nothing has any effect any more.
    pub fn is_stopped(&self) -> bool {
        self.state(|state| state.stopped)
    }

    /// Stops it here, as a kill does.
    pub fn stop(&self) {
        self.state(|state| state.stopped = true);
    }

    /// Lets it go on after a stop, as a restart does.
    pub fn resume(&self) {
        self.state(|state| state.stopped = false);
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.state(|state| state.fmt(f))
    }
}
