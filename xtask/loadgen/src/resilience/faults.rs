//! One account of three in each fault, and all of them at once.

use std::path::Path;
use std::time::{Duration, Instant};

use fakeup::{Behaviour, Coding, Fakeup, Framing, Rule, Then, refused_url};
use serde_json::json;

use super::pool::Pool;
use crate::Result;
use crate::stats::number;

/// The account that is sick.
const SICK: &str = "up-a";
/// Requests at 20 a second over which the detection is watched.
const WATCHED: u64 = 100;

/// Where the fault lies.
#[derive(Clone, Debug)]
pub(super) enum Where {
    /// In what the vendor answers to the sick account.
    Answer(Box<Behaviour>),
    /// On the way to it, so that it is a provider of its own.
    Way(Way),
}

/// A fault on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Nobody listens.
    Refused,

    /// Somebody listens and says nothing where TLS is expected.
    MuteTls,
    /// Every connection is reset before anything is read.
    Reset,
}

/// A fault by its row in the catalogue.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) name: &'static str,
    at: Where,
    /// Whether the request may be sent again after it.
    again: bool,
}

/// What one fault cost.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) name: &'static str,
    /// Whether the request may be sent again after it; if not, the first callers must see it.
    pub(super) again: bool,
    pub(super) asked: u64,
    pub(super) failed: u64,
    /// Requests at 20 a second that met the fault before the account was left alone; `None` where it cannot be seen.
    pub(super) met: Option<u64>,
    /// From the first to the last of them.
    pub(super) detected: Option<Duration>,
    /// Callers of those that saw it.
    pub(super) seen: u64,
}

impl Line {
    /// Callers that were served, in per cent.
    pub(super) fn success(&self) -> f64 {
        100.0 - 100.0 * number(self.failed) / number(self.asked.max(1))
    }

    pub(super) fn row(&self) -> String {
        let met = self.met.map_or_else(|| "–".to_owned(), |met| met.to_string());
        let detected =
            self.detected.map_or_else(|| "–".to_owned(), |time| format!("{} ms", time.as_millis()));
        let (success, failed) = (self.success(), self.failed);
        format!("| {} | {success:.3} % | {failed} | {met} | {} | {detected} |", self.name, self.seen)
    }
}

/// All faults that allow another account to answer, and those that cost a few callers until the breaker opens.
pub(super) fn all() -> Vec<Fault> {
    let answer = |name, behaviour| Fault { name, at: Where::Answer(Box::new(behaviour)), again: true };
    let lost = |name, behaviour| Fault { again: false, ..answer(name, behaviour) };
    let way = |name, way| Fault { name, at: Where::Way(way), again: way != Way::Reset };
    let plain = Behaviour::default;
    vec![
        way("U1 connection refused", Way::Refused),
        way("U7 TLS handshake stalls", Way::MuteTls),
        way("U8 reset at once", Way::Reset),
        lost("U9 closed without an answer", Behaviour::instead(Then::Close)),
        lost("U10 no first byte", Behaviour::instead(Then::Stall)),
        answer("U11 error in a 200", Behaviour { error_in_success: true, ..plain() }),
        answer("U12 web page", Behaviour::body("text/html", "<!doctype html>")),
        answer("U13 empty answer", Behaviour::cut(0, Then::Finish)),
        answer("U14 cut before content", Behaviour::cut(60, Then::Close)),
        lost("U15 cut after content", Behaviour::cut(560, Then::Close)),
        answer("U22 false coding", plain().header("content-encoding", "gzip")),
        lost("U23 bomb", Behaviour { text: Some("0".repeat(6 << 20)), ..plain().coded(Coding::Gzip, None) }),
        answer("U24 too long a length", Behaviour { framing: Framing::LengthOff(64), ..plain() }),
        answer("U25 bad chunks", Behaviour { framing: Framing::BadChunk, piece_bytes: Some(40), ..plain() }),
        answer("U26 429 with Retry-After", Behaviour::status(429).header("retry-after", "60")),
        answer("U28 429 without", Behaviour::status(429)),
        answer("U30 401", Behaviour::status(401)),
        answer("U32 500", Behaviour::status(500)),
        answer("U33 529", Behaviour::status(529)),
        answer("U34 402", Behaviour::status(402)),
        answer("U36 404 model", Behaviour::status(404)),
        answer("U37 redirect", Behaviour::status(307).header("location", "http://127.0.0.1:9/")),
        answer("U39 error as the first event", Behaviour { error_after: Some(0), ..plain() }),
    ]
}

async fn pool_with(binary: &Path, fault: &Fault) -> Result<(Pool, Vec<Fakeup>)> {
    let pool = Pool::start(binary).await?;
    let vendor = Fakeup::bind(([127, 0, 0, 1], 0).into()).await?;
    let timeouts = json!({"timeouts": {"first_byte_ms": 1_000, "total_ms": 1_000, "connect_ms": 300}});
    let mut vendors = Vec::new();
    match &fault.at {
        Where::Answer(behaviour) => {
            pool.provider("vendor", &vendor.base_url(), timeouts, &[SICK, "up-b", "up-c"]).await?;
            vendor.script(Rule::credential(SICK, behaviour.as_ref().clone()));
        }
        Where::Way(way) => {
            let other = Fakeup::bind(([127, 0, 0, 1], 0).into()).await?;
            let url = match way {
                Way::Refused => refused_url()?,

                Way::MuteTls => {
                    other.script(Rule::always(Behaviour::instead(Then::Stall)));
                    other.base_url().replace("http:", "https:")
                }
                Way::Reset => {
                    other.reset_next(u32::MAX);
                    other.base_url()
                }
            };
            pool.provider("sick", &url, timeouts.clone(), &[SICK]).await?;
            pool.provider("vendor", &vendor.base_url(), timeouts, &["up-b", "up-c"]).await?;
            vendors.push(other);
        }
    }
    vendors.insert(0, vendor);
    Ok((pool, vendors))
}

/// Measures one fault: many requests by a few callers, and then, in a fresh gateway, 20 a second.
pub(super) async fn measure(binary: &Path, fault: &Fault, requests: u64) -> Result<Line> {
    let (pool, _vendors) = pool_with(binary, fault).await?;
    let served = pool.load(requests).await;
    drop(pool);
    let (pool, vendors) = pool_with(binary, fault).await?;
    pool.set("routing.strategy", "round_robin").await?;
    let vendor = vendors.first().ok_or("no vendor")?;
    let mut times: Vec<Instant> = Vec::new();
    let watch = async {
        loop {
            let met = vendor.requests(Some(SICK));
            while u64::try_from(times.len()).is_ok_and(|known| known < met) {
                times.push(Instant::now());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let paced = tokio::select! {
        paced = pool.paced(WATCHED, Duration::from_millis(50)) => paced,
        () = watch => return Err("the watch ended".into()),
    };
    let visible = matches!(fault.at, Where::Answer(_));
    let span = first_run(&times);
    Ok(Line {
        name: fault.name,
        again: fault.again,
        asked: served.asked,
        failed: served.asked - served.well,
        met: visible.then(|| met(vendor)),
        detected: span.filter(|_| visible),
        seen: paced.asked - paced.well,
    })
}

/// From the first meeting to the last before the account was left alone. Every seventh of a second would be its turn: one
/// that comes a second after the one before is a look whether it is well again.
fn first_run(times: &[Instant]) -> Option<Duration> {
    let first = times.first()?;
    let mut last = first;
    for time in times {
        if time.duration_since(*last) >= Duration::from_secs(1) {
            break;
        }
        last = time;
    }
    Some(last.duration_since(*first))
}

/// Requests that met the sick account; one that was repeated on a fresh connection (U47) counts once.
fn met(vendor: &Fakeup) -> u64 {
    let entries = vendor.invoice();
    let sick = entries.iter().filter(|entry| entry.credential() == Some(SICK));
    let bodies: std::collections::HashSet<_> = sick.map(|entry| entry.request.body.clone()).collect();
    u64::try_from(bodies.len()).unwrap_or(u64::MAX)
}

/// Load on the upstream in a total outage.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outage {
    pub(super) name: &'static str,
    pub(super) asked: u64,
    pub(super) calls: u64,
}

impl Outage {
    pub(super) fn ratio(&self) -> f64 {
        number(self.calls) / number(self.asked.max(1))
    }

    pub(super) fn row(&self) -> String {
        format!("| {} | {} | {} | {:.3} |", self.name, self.asked, self.calls, self.ratio())
    }
}

/// What total outages look like.
pub(super) fn outages() -> Vec<(&'static str, Behaviour)> {
    vec![
        ("500", Behaviour::status(500)),
        ("529", Behaviour::status(529)),
        ("429", Behaviour::status(429)),
        ("empty answers", Behaviour::cut(0, Then::Finish)),
    ]
}

/// All accounts in the same fault.
pub(super) async fn outage(
    binary: &Path,
    name: &'static str,
    behaviour: Behaviour,
    requests: u64,
) -> Result<Outage> {
    let pool = Pool::start(binary).await?;
    let vendor = Fakeup::bind(([127, 0, 0, 1], 0).into()).await?;
    pool.provider("vendor", &vendor.base_url(), json!({}), &["up-a", "up-b", "up-c"]).await?;
    vendor.script(Rule::always(behaviour));
    let served = pool.load(requests).await;
    Ok(Outage { name, asked: served.asked, calls: vendor.requests(None) })
}
