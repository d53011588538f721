//! What the books promise beside their price: a caller sees his usage soon, and a full log does not hold up a start.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::sleep;

use crate::client::Connection;
use crate::request::{PLAIN, chat, fetch};
use crate::stats::number;
use crate::target::{self, Target};
use crate::{Effort, Result, load};

/// Requests whose way into the caller's usage is timed.
const WATCHED: usize = 30;

/// Milliseconds from the end of an answer until `/v1/usage` counts it, request by request.
pub(crate) async fn visible(target: &Target) -> Result<Vec<f64>> {
    let mut caller = Connection::open(target.address).await?;
    let request = chat(&target.key, PLAIN, 2 * 1024);
    let mut found = Vec::new();
    let mut before = settled(&mut caller, target).await?;
    for _ in 0..WATCHED {
        caller.exchange(&request).await?;
        let answered = Instant::now();
        while requests(&mut caller, target).await? <= before {
            if answered.elapsed() > Duration::from_secs(30) {
                return Err("a request was not in its caller's usage after 30 s".into());
            }
            sleep(Duration::from_millis(2)).await;
        }
        found.push(answered.elapsed().as_secs_f64() * 1e3);
        before += 1;
    }
    Ok(found)
}

/// Milliseconds from the start of the process until it is ready, with so many requests of this hour in its log.
pub(crate) async fn restart(binary: &Path, mut limited: Target, effort: Effort) -> Result<(f64, u64)> {
    let request = chat(&limited.key, PLAIN, 2 * 1024);
    let mut caller = Connection::open(limited.address).await?;
    let mut rows = settled(&mut caller, &limited).await?;
    while rows < effort.log_rows {
        load::closed(limited.address, &request, 64, effort, limited.process.as_ref()).await?;
        rows = requests(&mut caller, &limited).await?;
    }
    let rows = settled(&mut caller, &limited).await?;
    drop(limited.process.take());
    let dir = limited.dir.take().ok_or("the folder of the first process is gone")?;
    let started = Instant::now();
    let (_process, address) = target::start_in(binary, &dir)?;
    target::wait_for(address, Some("/readyz"), &dir.path().join("log")).await?;
    Ok((started.elapsed().as_secs_f64() * 1e3, rows))
}

/// The caller's requests of today, once the books have caught up.
async fn settled(caller: &mut Connection, target: &Target) -> Result<u64> {
    let mut last = requests(caller, target).await?;
    loop {
        sleep(Duration::from_millis(700)).await;
        let now = requests(caller, target).await?;
        if now == last {
            return Ok(now);
        }
        last = now;
    }
}

async fn requests(caller: &mut Connection, target: &Target) -> Result<u64> {
    let answer = caller.fetch(&fetch("/v1/usage", &target.key)).await?;
    let usage: Value = serde_json::from_slice(&answer.body)?;
    let count = usage.get("today").and_then(|today| today.get("requests")).and_then(Value::as_u64);
    count.ok_or_else(|| "the answer of /v1/usage holds no count".into())
}

/// Rows as a figure.
pub(crate) fn rows(count: u64) -> f64 {
    number(count)
}
