//! What it costs to look after many credentials that nobody uses: the process's share of one processor with checks off
//! and with every credential checked once a minute, which is five times as often as by default.
//!
//! A share at the default interval would be too small for the kernel's clock of a hundredth of a second, and scaling a
//! measured one down would flatter what does not grow with the rate; so the faster one is shown as it is.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::client::Connection;
use crate::process::Process;
use crate::request::{fetch, put};
use crate::stats::number;
use crate::target::{ADMIN_TOKEN, create, start_tollgate, wait_for};
use crate::{Effort, Result};

/// Credentials that are looked after.
const CREDENTIALS: usize = 500;

/// Shares of one processor in per cent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shares {
    pub(crate) off: f64,
    pub(crate) on: f64,
    /// Checks that were made meanwhile.
    pub(crate) checks: f64,
}

pub(crate) async fn shares(binary: &Path, upstream: SocketAddr, effort: Effort) -> Result<Shares> {
    let (process, address, dir) = start_tollgate(binary, "checks")?;
    wait_for(address, Some("/readyz"), &dir.path().join("log")).await?;
    let mut admin = Connection::open(address).await?;
    let provider =
        json!({ "name": "bench", "kind": "openai-compatible", "base_url": format!("http://{upstream}") });
    let provider = create(&mut admin, "/api/admin/providers", &provider).await?;
    let id = provider.get("id").and_then(Value::as_i64).ok_or("the new provider has no id")?;
    for n in 0..CREDENTIALS {
        let credential = json!({ "provider_id": id, "name": format!("c{n}"), "api_key": format!("sk-{n}") });
        create(&mut admin, "/api/admin/credentials", &credential).await?;
    }
    sleep(Duration::from_secs(2)).await;
    let off = share(&process, effort.checks).await;
    // An idle connection is closed before such a pause is over.
    let mut admin = Connection::open(address).await?;
    set(&mut admin, "account_health_check_interval", "1").await?;
    set(&mut admin, "account_health_check_enabled", "true").await?;
    let (before, on) = (made(&mut admin).await?, share(&process, effort.checks).await);
    let checks = made(&mut Connection::open(address).await?).await? - before;
    if checks < 1.0 {
        return Err("no credential was checked".into());
    }
    Ok(Shares { off, on, checks })
}

/// What the process uses of one processor while so much time passes, in per cent.
async fn share(process: &Process, span: Duration) -> f64 {
    let (before, started) = (process.cpu(), Instant::now());
    sleep(span).await;
    process.cpu().saturating_sub(before).as_secs_f64() / started.elapsed().as_secs_f64() * 100.0
}

async fn set(admin: &mut Connection, name: &str, value: &str) -> Result {
    let body = json!({ "value": value }).to_string();
    let answer = admin.fetch(&put(&format!("/api/admin/settings/{name}"), ADMIN_TOKEN, &body)).await?;
    if answer.status == 200 { Ok(()) } else { Err(format!("{name} was answered {}", answer.status).into()) }
}

/// Checks since the start, whatever they found.
async fn made(admin: &mut Connection) -> Result<f64> {
    let answer = admin.fetch(&fetch("/metrics", ADMIN_TOKEN)).await?;
    let text = String::from_utf8_lossy(&answer.body);
    let lines = text.lines().filter(|line| line.starts_with("tollgate_credential_checks_total{"));
    Ok(number(lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()))
}
