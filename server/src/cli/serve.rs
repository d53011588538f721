//! `tollgate serve`: log, server, signals, drain.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use crate::boot::{BootError, Exit, banner, notify};
use crate::config::{Inputs, ServerConfig};
use crate::shutdown::{Listening, Signals};
use crate::telemetry::{self, Telemetry};
use crate::{Server, cli};

/// How often the number of dropped log lines is looked at.
const DROPPED_PERIOD: Duration = Duration::from_mins(1);

pub(super) fn run(mut config: ServerConfig, inputs: impl Fn() -> Inputs) -> Result<(), BootError> {
    let telemetry = telemetry::install(&config.log_level, config.log_format).map_err(|error| {
        BootError::new(Exit::Other, format!("the log could not be set up: {error}"), "Start again.")
    })?;
    config.set_log_level = telemetry.level_handle();
    let outcome = cli::block_on(Box::pin(serve(config, inputs, &telemetry)))?;
    if let Err(error) = &outcome {
        tracing::error!(exit = error.exit.code(), cause = error.what, "the start failed");
    }
    outcome
}

async fn serve(
    config: ServerConfig,
    inputs: impl Fn() -> Inputs,
    telemetry: &Telemetry,
) -> Result<(), BootError> {
    let listening = Listening::start().map_err(|error| {
        BootError::new(Exit::Other, format!("signals cannot be caught: {error}"), "Start again.")
    })?;
    let server = Server::build(config).await?;
    let gateway = server.gateway().clone();
    if let Err(problem) = banner::log(server.config(), &gateway, server.local_addr()).await {
        tracing::warn!(%problem, "the banner is incomplete");
    }
    welcome(&server);
    notify::tell("READY=1");

    let signals = Signals::default();
    let set_level = Arc::clone(&server.config().set_log_level);
    let reload = async || {
        notify::tell("RELOADING=1");
        match ServerConfig::load(inputs()) {
            Ok(config) => {
                telemetry.set_start_level(&config.log_level);
                set_level("");
                tracing::info!(log_level = config.log_level, "SIGHUP: log level and settings are read again");
            }
            Err(problems) => {
                tracing::error!(%problems, "SIGHUP: the files are wrong; the configuration stays");
            }
        }
        // Also applies a level from the settings, which goes before the configured one.
        if let Err(error) = gateway.reload().await {
            tracing::error!(%error, "SIGHUP: the database cannot be read; the configuration stays");
        }
        notify::tell("READY=1");
    };
    let dropped = telemetry.dropped_counter();
    tokio::select! {
        () = server.run_until(signals.clone()) => {}
        () = watch(listening.pass_on(signals, reload)) => {}
        () = report_dropped(dropped) => {}
    }
    Ok(())
}

/// Never ends, so that only the server's own end ends the program.
async fn watch(signals: impl Future<Output = ()>) {
    signals.await;
    std::future::pending::<()>().await;
}

async fn report_dropped(dropped: impl Fn() -> usize) {
    let mut known = 0;
    loop {
        tokio::time::sleep(DROPPED_PERIOD).await;
        let now = dropped();
        if now > known {
            tracing::warn!(
                lines = now - known,
                total = now,
                "log lines were dropped because nobody read them in time"
            );
            known = now;
        }
    }
}

/// For the person at the terminal: where to go and, once, what to sign in with. Never through the log.
fn welcome(server: &Server) {
    let address = banner::dashboard_address(server.config(), server.local_addr());
    let mut text = format!("Tollgate {} is ready: {address}\n", env!("CARGO_PKG_VERSION"));
    if let Some(token) = server.new_admin_token() {
        let kept = server.config().data_dir.join("secrets/admin_token");
        let notice = [
            format!("Admin token (shown once, kept in {}): {}\n", kept.display(), token.expose()),
            format!("Sign in at {address}/login\n"),
        ];
        text.extend(notice);
    }
    let written = std::io::stderr().lock().write_all(text.as_bytes());
    drop(written);
}
