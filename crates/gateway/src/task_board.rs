//! State of the background tasks, as the system page shows it, and the means to wake one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use types::Timestamp;
use types::system::TaskView;

/// The tasks, in the order in which they were started.
#[derive(Debug, Default)]
pub(crate) struct TaskBoard(Mutex<Vec<Entry>>);

#[derive(Debug)]
struct Entry {
    name: &'static str,
    period: Duration,
    wake: Arc<Notify>,
    last: Option<Ended>,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    /// When it began.
    pub(crate) at: Timestamp,
    pub(crate) duration: Duration,
    /// What it says of itself.
    pub(crate) result: Result<String, String>,
}

impl TaskBoard {
    /// Puts up a task; what is given wakes it.
    pub(crate) fn add(&self, name: &'static str, period: Duration) -> Arc<Notify> {
        let wake = Arc::new(Notify::new());
        self.lock().push(Entry { name, period, wake: wake.clone(), last: None });
        wake
    }

    /// Notes how a task's run ended.
    pub(crate) fn ended(&self, name: &str, ended: Ended) {
        if let Some(entry) = self.lock().iter_mut().find(|entry| entry.name == name) {
            entry.last = Some(ended);
        }
    }

    /// Wakes a task; false if there is none of that name.
    pub(crate) fn wake(&self, name: &str) -> bool {
        let board = self.lock();
        let Some(entry) = board.iter().find(|entry| entry.name == name) else { return false };
        entry.wake.notify_one();
        true
    }

    /// What the system page shows.
    pub(crate) fn views(&self) -> Vec<TaskView> {
        let view = |Entry { name, period, last, .. }: &Entry| TaskView {
            name: (*name).to_owned(),
            period_s: Some(period.as_secs()),
            last_run_at: last.as_ref().map(|last| last.at),
            last_duration_ms: last
                .as_ref()
                .map(|last| u64::try_from(last.duration.as_millis()).unwrap_or(u64::MAX)),
            failed: last.as_ref().is_some_and(|last| last.result.is_err()),
            last_result: last.as_ref().map(|last| match &last.result {
                Ok(text) | Err(text) => text.clone(),
            }),
        };
        self.lock().iter().map(view).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
