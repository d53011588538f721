//! A small gateway: admits, sends, settles and books, dies where it is told to, starts again; and what it promised
//! until then, held against what the books say in the end.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use ledger::invariant::{self, Extent};
use ledger::testing::{TestDisk, World};
use ledger::{JournalError, Ledger, OpenRequest, Options, Progress, Reservation};
use types::price::PriceState;
use types::request::{Outcome, RequestFilter, RequestRecord, TokenUsage};
use types::{Money, RequestId, Timestamp};

use super::super::{rows, sums};
use super::*;
use crate::failpoint::Watch;
use crate::spend::rollup;
use crate::sql::pieces;

/// What an interrupted request costs that was sent.
const INTERRUPTED: i64 = 700;
/// Bytes that a request had delivered when it told how far it was.
const DELIVERED: u64 = 99;

/// How the books get into the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Booking {
    /// As they should.
    Honest,
    /// The journal is told first. The rig must find that out.
    MarkFirst,
    /// Rows and sums in a transaction each. The rig must find that out.
    InTwo,
}

/// When a promise must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// A process dies, the machine goes on: at once.
    Process,
    /// The machine dies: once it is on the disk.
    Machine,
}

/// What was said to the outside about one request.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a promise of its own; any may stand without the others"
)]
struct Said {
    admitted: bool,
    sent: bool,
    progress: bool,
    refused: bool,
    settled: Option<RequestRecord>,
}

pub(super) struct Rig {
    pub(super) store: Store,
    pub(super) world: World,
    pub(super) disk: TestDisk,
    pub(super) strict: bool,
    pub(super) booking: Booking,
    pub(super) trust: Trust,
    /// Whether statements are steps too.
    pub(super) watched: bool,
    /// Rounds of each process.
    pub(super) lives: &'static [u64],
    /// Tells runs on the same database apart.
    pub(super) run: u64,
    said: BTreeMap<u64, Said>,
    durable: BTreeMap<u64, Said>,
    next: u64,
}

type Stopped = Result<(), ()>;

impl Rig {
    pub(super) fn new(store: &Store, world: &World, run: u64) -> Self {
        Self {
            store: store.clone(),
            world: world.clone(),
            disk: TestDisk::new(world),
            strict: false,
            booking: Booking::Honest,
            trust: Trust::Process,
            watched: true,
            lives: &[4, 1],
            run,
            said: BTreeMap::new(),
            durable: BTreeMap::new(),
            next: run * 1_000,
        }
    }

    fn node(&self) -> String {
        format!("node-{}", self.run)
    }

    // Each run has an hour of its own.
    fn hour(&self) -> Timestamp {
        NOW.hour_start().plus_ms(i64::try_from(self.run).unwrap() * Timestamp::HOUR_MS)
    }

    fn options(&self, dir: &Path) -> Options {
        // A few records each, so that segments are begun and removed all the time.
        Options { dir: dir.to_owned(), strict: self.strict, segment_bytes: 2_500, now: || NOW }
    }

    fn admitted(&self, n: u64) -> RequestRecord {
        let blank = RequestRecord::blank(record(n).request_id, record(n).endpoint, self.hour());
        let offset = i64::try_from(n % 1_000).unwrap() * 1_500;
        let created_at = self.hour().plus_ms(offset);
        RequestRecord { created_at, user_id: Some(UserId(1)), key_id: Some(ApiKeyId(2)), ..blank }
    }

    fn answered(&self, n: u64) -> RequestRecord {
        RequestRecord { created_at: self.admitted(n).created_at, bill: None, decision: None, ..record(n) }
    }

    // Notes what was said of a request; `disk` tells that the journal claims to have it all on the disk.
    fn note(&mut self, n: u64, disk: bool, say: impl FnOnce(&mut Said)) {
        say(self.said.entry(n).or_default());
        if disk || self.trust == Trust::Process {
            self.durable = self.said.clone();
        }
    }

    fn go_on(&self) -> Stopped {
        if self.world.is_stopped() { Err(()) } else { Ok(()) }
    }

    /// Processes, one after the other, each killed in the end.
    pub(super) async fn live(&mut self, dir: &Path) {
        let _watch = self.watched.then(|| Watch::new(&self.world));
        for rounds in self.lives.iter().copied() {
            for _ in 0..2 {
                let mut open = Vec::new();
                let begun = self.disk.open(self.options(dir));
                let Ok((ledger, recovery)) = begun else {
                    assert!(!matches!(begun, Err(JournalError::Corrupt { .. })), "{begun:?}");
                    if self.go_on().is_err() {
                        return;
                    }
                    // One fault; the next start works.
                    continue;
                };
                let lived = self.process(&ledger, recovery.open, rounds, &mut open).await;
                let killed_before = self.world.is_stopped();
                self.world.stop();
                drop((open, ledger));
                if lived.is_err() && killed_before {
                    return;
                }
                self.world.resume();
                break;
            }
        }
    }

    async fn process(
        &mut self,
        ledger: &Ledger,
        found: Vec<OpenRequest>,
        rounds: u64,
        open: &mut Vec<(u64, Reservation)>,
    ) -> Stopped {
        let records: Vec<_> = found.into_iter().map(interrupted).collect();
        if ledger.conclude(&records).is_err() {
            return self.go_on();
        }
        for round in 0..rounds {
            self.book(ledger).await?;
            let fresh = [(); 4].map(|()| {
                self.next += 1;
                self.next
            });
            let mut running = Vec::new();
            for n in [fresh[0], fresh[1], fresh[2]] {
                if let Ok(reservation) = ledger.admit(self.admitted(n)) {
                    self.note(n, self.strict, |said| said.admitted = true);
                    running.push((n, reservation));
                } else {
                    self.said.entry(n).or_default();
                }
                self.go_on()?;
            }
            // The third is never sent.
            for (index, (n, reservation)) in running.into_iter().enumerate() {
                if index < 2 {
                    self.send(n, reservation, open)?;
                }
                self.go_on()?;
            }
            let refusal = RequestRecord { created_at: self.hour(), ..refused(fresh[3], 429, "rate_limit") };
            self.said.entry(fresh[3]).or_default();
            if ledger.refuse(&refusal).is_ok() {
                self.note(fresh[3], false, |said| said.refused = true);
            }
            self.go_on()?;
            // The oldest ends, the others run on.
            if open.len() > 1 {
                let (n, reservation) = open.remove(0);
                self.settle(n, reservation);
                self.go_on()?;
            }
            if round % 2 == 1 && ledger.sync().is_ok() {
                self.durable = self.said.clone();
            }
            self.go_on()?;
        }
        Ok(())
    }

    fn send(&mut self, n: u64, mut reservation: Reservation, open: &mut Vec<(u64, Reservation)>) -> Stopped {
        let whole = self.answered(n);
        let sent = reservation.record_mut();
        (sent.provider_id, sent.credential_id) = (whole.provider_id, whole.credential_id);
        (sent.upstream_dialect, sent.model) = (whole.upstream_dialect, whole.model);
        sent.attempts = whole.attempts;
        if reservation.mark_sent().is_err() {
            return self.go_on();
        }
        self.note(n, self.strict, |said| said.sent = true);
        self.go_on()?;
        let usage = TokenUsage { output: 7, ..TokenUsage::default() };
        let progress = Progress { usage, response_bytes: DELIVERED, output_estimate: 7, service_tier: None };
        if reservation.progress(&progress).is_ok() {
            self.note(n, false, |said| said.progress = true);
        }
        self.go_on()?;
        if n % 4 == 1 {
            self.settle(n, reservation);
        } else {
            open.push((n, reservation));
        }
        self.go_on()
    }

    fn settle(&mut self, n: u64, mut reservation: Reservation) {
        let whole = self.answered(n);
        *reservation.record_mut() = whole.clone();
        if reservation.settle().is_ok() {
            self.note(n, self.strict, |said| said.settled = Some(whole));
        }
    }

    async fn book(&mut self, ledger: &Ledger) -> Stopped {
        let node = self.node();
        loop {
            let position = self.store.ledger_position(&node).await.unwrap();
            let batch = match ledger.read_batch(position, 5) {
                Ok(Some(batch)) => batch,
                Ok(None) => return self.go_on(),
                Err(error) => {
                    assert!(!matches!(error, JournalError::Corrupt { .. }), "{error}");
                    return self.go_on();
                }
            };
            self.durable = self.said.clone();
            self.go_on()?;
            if self.booking == Booking::MarkFirst {
                let _ = ledger.mark_applied(batch.end);
                self.go_on()?;
            }
            let applied = match self.booking {
                Booking::InTwo => in_two(&self.store, &node, &batch).await,
                _ => self.store.ledger_apply(&node, &batch).await.map(drop),
            };
            self.go_on()?;
            if applied.is_err() {
                // Tried again at the next round.
                return Ok(());
            }
            let _ = ledger.mark_applied(batch.end);
            self.go_on()?;
        }
    }

    /// Starts for the last time, on an honest disk, books everything, and answers what does not hold, and how much of
    /// what was said without being promised for this case does not hold either.
    pub(super) async fn check(&self, dir: &Path) -> (Vec<String>, usize) {
        let mut wrong = Vec::new();
        let node = self.node();
        let opened = TestDisk::new(&World::default()).open(self.options(dir));
        let Ok((ledger, recovery)) = opened else {
            return (vec![format!("it does not start: {opened:?}")], 0);
        };
        let records: Vec<_> = recovery.open.into_iter().map(interrupted).collect();
        ledger.conclude(&records).unwrap();
        loop {
            let position = self.store.ledger_position(&node).await.unwrap();
            let Some(batch) = ledger.read_batch(position, 50).unwrap() else { break };
            self.store.ledger_apply(&node, &batch).await.unwrap();
            ledger.mark_applied(batch.end).unwrap();
        }
        drop(ledger);
        match invariant::entries(dir) {
            Err(error) => wrong.push(format!("the journal cannot be read: {error}")),
            Ok(entries) => {
                wrong.extend(invariant::check(&entries, Extent::Rest).iter().map(ToString::to_string));
            }
        }
        let until = self.hour().plus_ms(Timestamp::HOUR_MS);
        let audit = self.store.audit_books(self.hour()).await.unwrap();
        wrong.extend(audit.violations.iter().map(|violation| format!("{violation:?}")));
        let filter = RequestFilter {
            since: Some(self.hour()),
            until: Some(until),
            limit: Some(500),
            ..RequestFilter::default()
        };
        let page = self.store.request_list(&filter).await.unwrap();
        let rows: HashMap<RequestId, RequestRecord> =
            page.items.into_iter().map(|row| (row.record.request_id, row.record)).collect();
        let known: HashSet<RequestId> = self.said.keys().map(|n| record(*n).request_id).collect();
        wrong.extend(rows.keys().filter(|id| !known.contains(id)).map(|id| format!("nobody asked for {id}")));
        let keeps_admits = self.trust == Trust::Machine && self.strict;
        let row = |n: &u64| rows.get(&record(*n).request_id);
        for (n, said) in &self.durable {
            let why = broken(said, keeps_admits, row(n));
            wrong.extend(why.map(|why| format!("request {n}: {why}, {said:?}")));
        }
        let unkept =
            self.said.iter().filter(|(n, said)| broken(said, keeps_admits, row(n)).is_some()).count();
        (wrong, unkept)
    }
}

// What a promise was worth; `keeps_admits` tells that an admission alone is one.
fn broken(said: &Said, keeps_admits: bool, row: Option<&RequestRecord>) -> Option<String> {
    let Some(row) = row else {
        let promised = said.sent || said.refused || said.settled.is_some() || (said.admitted && keeps_admits);
        return promised.then(|| "it is lost".to_owned());
    };
    if let Some(settled) = &said.settled {
        let same = (row.outcome, row.cost_usd, row.output_tokens)
            == (settled.outcome, settled.cost_usd, settled.output_tokens);
        return (!same).then(|| format!("it was settled otherwise: {row:?}"));
    }
    if said.refused {
        return (row.outcome != Outcome::Refused).then(|| "it was refused".to_owned());
    }
    if said.sent && row.cost_usd.is_zero() {
        return Some("it was sent and costs nothing".to_owned());
    }
    let behind = row.outcome == Outcome::Interrupted && row.response_bytes != DELIVERED;
    (said.progress && behind).then(|| "its progress is lost".to_owned())
}

// What the gateway does with requests that a stop interrupted, in small.
fn interrupted(open: OpenRequest) -> RequestRecord {
    let sent = open.sent;
    let mut record = ledger::interrupted(open);
    if sent {
        let cost = Money::from_nano(INTERRUPTED).unwrap();
        (record.cost_usd, record.base_cost_usd, record.provider_cost_usd) = (cost, cost, cost);
        record.price_state = PriceState::Priced;
    }
    record
}

async fn in_two(store: &Store, node: &str, batch: &Batch) -> Result<(), crate::StoreError> {
    let mut new = HashSet::new();
    let bounded: Vec<_> = batch.rows.iter().map(rows::bounded).collect();
    let mut txn = store.pool.begin_write().await?;
    for piece in pieces(&bounded) {
        rows::insert_unknown(&mut txn, piece, &mut new).await?;
    }
    txn.commit().await?;
    let fresh: Vec<_> = batch.rows.iter().filter(|row| new.contains(&row.request_id.to_string())).collect();
    let (usage, latency) = ledger::batch::fold(fresh.iter().copied());
    let mut txn = store.pool.begin_write().await?;
    sums::add_usage(&mut txn, &usage).await?;
    sums::add_days(&mut txn, &usage).await?;
    sums::add_latency(&mut txn, &latency).await?;
    sums::add_key_usage(&mut txn, &fresh).await?;
    rollup::add(&mut txn, &fresh).await?;
    txn.commit().await?;
    store.ledger_apply(node, &Batch::new(vec![], batch.end)).await.map(drop)
}
