//! What routing and streams weigh: time of a selection, slots that leak, memory of an open stream.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use fakeup::{Behaviour, Fakeup, Rule, Then};
use routing::order::{Facts, first};
use serde_json::json;
use tokio::task::LocalSet;
use types::routing::Strategy;

use super::Counts;
use super::pool::{Pool, field, items};
use crate::Result;
use crate::client::Connection;
use crate::request::{OPEN, chat};
use crate::stats::number;
use crate::{stream, target};

/// Candidates of a selection.
const CANDIDATES: usize = 200;
/// Callers that come and go at once.
const CALLERS: u64 = 32;

/// All of it.
#[derive(Clone, Debug)]
pub(super) struct Weights {
    /// The choice among 200 candidates, in nanoseconds, by strategy.
    pub(super) choice_ns: Vec<(&'static str, f64)>,
    /// Everything from the arrival to the choice, with 200 accounts, in microseconds, as the record says; the median.
    pub(super) route_us: Option<u64>,
    pub(super) aborted: u64,
    pub(super) leaked: u64,
    pub(super) stream_kib: f64,
    pub(super) open: u64,
}

pub(super) async fn measure(binary: &Path, counts: Counts) -> Result<Weights> {
    let (aborted, leaked) = aborts(binary, counts.aborts).await?;
    println!("{aborted} streams were left; {leaked} slots are still taken");
    Ok(Weights {
        choice_ns: choices(),
        route_us: route_us(binary).await?,
        aborted,
        leaked,
        stream_kib: stream_kib(binary, counts.open).await?,
        open: counts.open,
    })
}

fn choices() -> Vec<(&'static str, f64)> {
    let facts: Vec<Facts> = (0..CANDIDATES)
        .map(|at| {
            let small = u32::try_from(at % 7).unwrap_or(0);
            Facts {
                demoted: false,
                translated: false,
                tier: 0,
                priority: (0, 0),
                weight: 1 + small,
                in_flight: small,
                latency_ms: Some(100 + small),
                multiplier_micro: 1_000_000,
                last_turn: u64::from(small),
            }
        })
        .collect();
    let all = [
        Strategy::Weighted,
        Strategy::RoundRobin,
        Strategy::LeastLoaded,
        Strategy::Latency,
        Strategy::Cheapest,
    ];
    all.map(|strategy| {
        const ROUNDS: u32 = 20_000;
        let started = Instant::now();
        for seed in 0..u64::from(ROUNDS) {
            std::hint::black_box(first(std::hint::black_box(&facts), strategy, seed, None));
        }
        (strategy.as_str(), started.elapsed().as_secs_f64() * 1e9 / f64::from(ROUNDS))
    })
    .to_vec()
}

/// The median of what the records of a few hundred requests say of their selection among 200 accounts.
async fn route_us(binary: &Path) -> Result<Option<u64>> {
    let pool = Pool::start(binary).await?;
    let vendor = Fakeup::bind(([127, 0, 0, 1], 0).into()).await?;
    let names: Vec<String> = (0..CANDIDATES).map(|at| format!("up-{at}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    pool.provider("vendor", &vendor.base_url(), json!({}), &names).await?;
    pool.load(400).await;
    // The books follow within a second.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let page = pool.get("/api/admin/requests?limit=100").await?;
    let mut found = Vec::new();
    for row in items(&page) {
        let path = format!("/api/admin/requests/{}", field(row, "request_id").as_str().unwrap_or_default());
        let row = pool.get(&path).await?;
        found.push(field(field(&row, "decision"), "route_us").as_u64().unwrap_or(0));
    }
    found.sort_unstable();
    Ok(found.get(found.len() / 2).copied())
}

/// Callers that leave in the middle of their streams; how many, and how many slots stay taken.
async fn aborts(binary: &Path, streams: u64) -> Result<(u64, u64)> {
    let pool = Pool::start(binary).await?;
    let vendor = Fakeup::bind(([127, 0, 0, 1], 0).into()).await?;
    vendor.script(Rule::always(Behaviour::cut(560, Then::Stall)));
    pool.provider("vendor", &vendor.base_url(), json!({}), &["up-a", "up-b", "up-c"]).await?;
    let next = Rc::new(Cell::new(0_u64));
    let tasks = LocalSet::new();
    for _ in 0..CALLERS {
        let (next, address, key) = (Rc::clone(&next), pool.address, pool.key.clone());
        tasks.spawn_local(async move {
            let request = chat(&key, "left", 300);
            while next.get() < streams {
                next.set(next.get() + 1);
                let mut connection = Connection::open(address).await?;
                connection.start(&request).await?;
            }
            Result::Ok(())
        });
    }
    tasks.await;
    let until = Instant::now() + Duration::from_secs(10);
    while pool.in_flight().await? > 0 && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let served = vendor.requests(None);
    if served < streams {
        return Err(format!("only {served} of {streams} streams reached the vendor").into());
    }
    Ok((streams, pool.in_flight().await?))
}

/// Memory that each open stream takes, in KiB.
async fn stream_kib(binary: &Path, streams: u64) -> Result<f64> {
    let pool = Pool::start(binary).await?;
    let (_vendor, upstream) = target::upstream()?;
    pool.provider("vendor", &format!("http://{upstream}"), json!({}), &["up-a", "up-b", "up-c"]).await?;
    pool.load(400).await;
    let before = pool.process.rss_mb();
    let request = chat(&pool.key, OPEN, 2 * 1024);
    let open = usize::try_from(streams)?;
    let after = stream::rss_with_open(pool.address, &request, open, &pool.process).await?;
    Ok((after - before).max(0.0) * 1024.0 / number(streams))
}
