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

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use tokio::sync::Notify;

use crate::core::Core;
use crate::task_board::Ended;

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

/// Starts the drivers of all tasks and of the books on the tracker.
pub(crate) fn start(core: &Arc<Core>) {
    crate::accounts::start(core);
    for task in TASKS {
        let wake = core.tasks.add(task.name, task.period);
        core.tracker.spawn(drive(task, wake, core.clone()));
    }
    // Whatever became due while nothing ran.
    core.tasks.wake("refresh_tokens");
}

async fn drive(task: &'static Task, wake: Arc<Notify>, core: Arc<Core>) {
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
        let duration = started.elapsed();
        core.tasks.ended(task.name, Ended { at, duration, result });
    }
}
