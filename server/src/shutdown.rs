//! From "stop" to "stopped": no new connections, streams finish, what cannot finish is ended in its dialect, the
//! books are closed. A second signal shortens the wait to nothing.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::boot::{Booted, notify};
use crate::listener::{self, Stop};
use crate::router::Doors;

/// How long connections have after their streams were ended, to send out the end.
const FLUSH: Duration = Duration::from_secs(2);

/// What was asked for from outside.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    /// Stop when running requests are done.
    pub stop: CancellationToken,
    /// Stop now.
    pub hurry: CancellationToken,
}

/// Serves until the first signal, then drains.
pub async fn run(booted: Booted, doors: Doors, signals: Signals) {
    let Booted { config, listener, gateway, .. } = booted;
    let connections = TaskTracker::new();
    let stop = Stop::default();
    let accepting = gateway.tracker().spawn(listener::accept(
        listener,
        doors,
        config.edge,
        connections.clone(),
        stop.clone(),
    ));
    signals.stop.cancelled().await;

    // From here on /readyz says 503; during the linger, requests that still come are served.
    gateway.announce_stop();
    notify::tell("STOPPING=1");
    tracing::info!(drain_s = config.edge.drain.as_secs(), "stopping: running requests may finish");
    wait(config.edge.linger, &signals.hurry).await;
    stop.accepting.cancel();
    if let Err(error) = accepting.await {
        tracing::error!(%error, "the accept loop ended badly");
    }
    connections.close();

    tokio::select! {
        () = gateway.drain(config.edge.drain) => {}
        () = signals.hurry.cancelled() => {
            tracing::warn!("second signal: running requests are ended now");
        }
    }
    // Cuts what is left: each stream ends with its dialect's error event and is booked.
    gateway.stop().await;
    if tokio::time::timeout(FLUSH, connections.wait()).await.is_err() {
        stop.cut.cancel();
        connections.wait().await;
    }
    tracing::info!("stopped");
}

async fn wait(time: Duration, hurry: &CancellationToken) {
    if !time.is_zero() {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = hurry.cancelled() => {}
        }
    }
}

/// The signals of the operating system.
#[derive(Debug)]
pub struct Listening {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Listening {
    /// Starts to catch them: from now on none of the three ends the process by itself, SIGHUP never (ST-08).
    pub fn start() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Passes them on: the first stop, the second hurries, hang-up reloads. Ends after the second.
    pub async fn pass_on(mut self, signals: Signals, reload: impl AsyncFn()) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
                _ = self.hangup.recv() => {
                    reload().await;
                    continue;
                }
            }
            if signals.stop.is_cancelled() {
                signals.hurry.cancel();
                return;
            }
            signals.stop.cancel();
        }
    }
}
