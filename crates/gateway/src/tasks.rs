//! Background tasks: idempotent, without input, run by period and on demand; their state is shown.
//!
//! A failing task changes nothing and runs again. The list with all periods is [`TASKS`].

mod audit_books;
mod check_credentials;
mod flush_events;
mod prune;
mod reconcile;
mod recover;
mod refresh_tokens;
mod reload;
mod sync_prices;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use tokio::sync::Notify;
use types::Timestamp;
use types::system::TaskView;

use crate::core::Core;

type Run = fn(Arc<Core>) -> BoxFuture<'static, Result<String, String>>;

struct Task {
    name: &'static str,
    period: Duration,
    run: Run,
}

const TASKS: &[Task] = &[
    Task {
        name: "reload_snapshot",
        period: Duration::from_secs(5),
        run: |core| Box::pin(async move { reload::run(&core).await }),
    },
    Task {
        name: "flush_events",
        period: Duration::from_secs(2),
        run: |core| Box::pin(async move { flush_events::run(&core).await }),
    },
    Task {
        name: "recover",
        period: Duration::from_secs(30),
        run: |core| Box::pin(async move { recover::run(&core).await }),
    },
    Task {
        // Looks who is due; the settings say how often that is.
        name: "check_credentials",
        period: crate::checks::TICK,
        run: |core| Box::pin(async move { check_credentials::run(&core).await }),
    },
    Task {
        name: "refresh_tokens",
        period: Duration::from_mins(1),
        run: |core| Box::pin(async move { Ok(refresh_tokens::run(&core).await) }),
    },
    Task {
        name: "prune",
        period: Duration::from_hours(1),
        run: |core| Box::pin(async move { prune::run(&core).await }),
    },
    Task {
        name: "audit_books",
        period: Duration::from_hours(1),
        run: |core| Box::pin(async move { audit_books::run(&core).await }),
    },
    Task {
        name: "reconcile",
        period: Duration::from_hours(24),
        run: |core| Box::pin(async move { reconcile::run(&core).await }),
    },
    Task {
        // Looks whether it is due; the setting says how often that is.
        name: "sync_prices",
        period: Duration::from_mins(10),
        run: |core| Box::pin(async move { sync_prices::run(&core).await }),
    },
];

/// State of the tasks and the means to wake one.
#[derive(Debug, Default)]
pub(crate) struct TaskBoard(Mutex<BTreeMap<&'static str, Entry>>);

#[derive(Debug, Default)]
struct Entry {
    wake: Arc<Notify>,
    last_run_at: Option<Timestamp>,
    last_duration_ms: Option<u64>,
    last_result: Option<Result<String, String>>,
}

impl TaskBoard {
    /// What the system page shows.
    pub(crate) fn views(&self) -> Vec<TaskView> {
        let board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        TASKS
            .iter()
            .map(|task| {
                let entry = board.get(task.name);
                let result = entry.and_then(|e| e.last_result.clone());
                TaskView {
                    name: task.name.to_owned(),
                    period_s: Some(task.period.as_secs()),
                    last_run_at: entry.and_then(|e| e.last_run_at),
                    last_duration_ms: entry.and_then(|e| e.last_duration_ms),
                    failed: matches!(result, Some(Err(_))),
                    last_result: result.map(|r| r.unwrap_or_else(|error| error)),
                }
            })
            .collect()
    }

    /// Wakes a task; false if there is none of that name.
    pub(crate) fn wake(&self, name: &str) -> bool {
        let Some(task) = TASKS.iter().find(|task| task.name == name) else { return false };
        self.entry(task.name, |entry| entry.wake.notify_one());
        true
    }

    fn entry<T>(&self, name: &'static str, change: impl FnOnce(&mut Entry) -> T) -> T {
        change(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default())
    }
}

/// Starts the drivers of all tasks and of the books on the tracker.
pub(crate) fn start(core: &Arc<Core>) {
    crate::accounts::start(core);
    for task in TASKS {
        let core_of_task = core.clone();
        core.tracker.spawn(drive(task, core_of_task));
    }
    // Whatever became due while nothing ran.
    core.tasks.wake("refresh_tokens");
}

async fn drive(task: &'static Task, core: Arc<Core>) {
    let wake = core.tasks.entry(task.name, |entry| entry.wake.clone());
    loop {
        tokio::select! {
            () = core.draining.cancelled() => return,
            () = tokio::time::sleep(task.period) => {}
            () = wake.notified() => {}
        }
        let (at, started) = (core.clock.now(), Instant::now());
        // On a task of its own, so that a panic is reported as a failed run and does not end the driver.
        let result =
            core.tracker.spawn((task.run)(core.clone())).await.unwrap_or_else(|panic| Err(panic.to_string()));
        if let Err(error) = &result {
            tracing::warn!(task = task.name, %error, "a background task failed and will run again");
        }
        let duration = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        core.tasks.entry(task.name, |entry| {
            entry.last_run_at = Some(at);
            entry.last_duration_ms = Some(duration);
            entry.last_result = Some(result);
        });
    }
}
