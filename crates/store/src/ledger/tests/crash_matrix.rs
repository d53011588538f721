//! The process dies at every single step of its dealings with the journal and the database, or one step fails and it
//! lives on: nothing that was said is lost, nothing is booked twice.
//!
//! A journal renames nothing: a segment is made under its final name and found empty or torn by the next start.

use std::collections::BTreeMap;

use ledger::testing::{Fault, Step, TestDisk, World};

use super::rig::{Booking, Rig};
use super::*;

// The process dies, not the machine: what SQLite has written is there, synced or not.
pub(super) async fn without_disk(store: &Store) {
    if !store.is_shared() {
        store.pool.execute("PRAGMA synchronous = OFF", crate::sql::args![]).await.unwrap();
    }
}

/// Runs to the end once for each step; answers how many there were of each kind, and what did not hold.
async fn enumerate(
    store: &Store,
    fault: Fault,
    make: impl Fn(&mut Rig),
) -> (BTreeMap<Step, u64>, Vec<String>) {
    without_disk(store).await;
    let mut met = BTreeMap::new();
    let mut wrong = Vec::new();
    for k in 1.. {
        let dir = tempfile::tempdir().unwrap();
        let world = match fault {
            // Nothing else can be torn.
            Fault::Torn => World::with_fault_of(Step::Append, k, fault),
            _ => World::with_fault(k, fault),
        };
        let mut rig = Rig::new(store, &world, k);
        make(&mut rig);
        rig.live(dir.path()).await;
        let step = world.met();
        let (found, _) = rig.check(dir.path()).await;
        wrong.extend(found.into_iter().map(|why| format!("{fault:?} {k} {step:?}: {why}")));
        let Some(step) = step else { break };
        *met.entry(step).or_default() += 1;
        assert!(k < 900, "it never ends");
    }
    (met, wrong)
}

async fn holds_at_every_step(store: &Store, fault: Fault, strict: bool) {
    let (met, wrong) = enumerate(store, fault, |rig| rig.strict = strict).await;
    println!("{} strict={strict} {fault:?}: {met:?}", store.backend());
    assert_eq!(wrong, Vec::<String>::new());
    assert!(met.get(&Step::Append).is_some_and(|count| *count > 20), "{met:?}");
    for step in [Step::Open, Step::Remove, Step::SyncDir, Step::Sync, Step::Statement, Step::Commit] {
        let due = if fault == Fault::Torn { 0 } else { 5 };
        assert!(met.get(&step).copied().unwrap_or(0) >= due, "{step:?}: {met:?}");
    }
}

macro_rules! matrix {
    ($($name:ident: $fault:ident, $strict:literal;)+) => {
        $(#[tokio::test]
        async fn $name() {
            let home = crate::testing::sqlite().await;
            holds_at_every_step(&home, Fault::$fault, $strict).await;
        })+
    };
}

matrix! {
    inv_01_02_15_16_nothing_is_lost_when_the_process_dies_before_any_step: Before, false;
    inv_01_02_15_16_nothing_is_lost_when_the_process_dies_after_any_step: After, false;
    inv_01_02_15_16_nothing_is_lost_when_the_process_dies_within_any_write: Torn, false;
    inv_01_02_15_16_nothing_is_lost_when_any_one_step_fails: Fails, false;
    inv_01_02_15_16_in_strict_mode_nothing_is_lost_when_the_process_dies_before_any_step: Before, true;
    inv_01_02_15_16_in_strict_mode_nothing_is_lost_when_the_process_dies_within_any_write: Torn, true;
    inv_01_02_15_16_in_strict_mode_nothing_is_lost_when_any_one_step_fails: Fails, true;
}

// What differs on PostgreSQL are the transactions; the journal is the same.
#[tokio::test]
async fn inv_01_02_15_16_nothing_is_lost_on_postgres_when_the_process_dies_before_any_step() {
    if let Some(home) = crate::testing::postgres().await {
        holds_at_every_step(&home, Fault::Before, false).await;
    }
}

#[tokio::test]
async fn inv_01_02_15_16_nothing_is_lost_on_postgres_when_any_one_step_fails() {
    if let Some(home) = crate::testing::postgres().await {
        holds_at_every_step(&home, Fault::Fails, false).await;
    }
}

// The rig itself: without a fault each of these is right, and somewhere on the way a death makes it wrong.
#[tokio::test]
async fn the_matrix_finds_a_journal_that_acknowledges_before_it_writes() {
    let store = crate::testing::sqlite().await;
    let make = |rig: &mut Rig| rig.disk = TestDisk::acknowledging_early(&rig.world);
    let (_, wrong) = enumerate(&store, Fault::Before, make).await;
    assert!(wrong.iter().any(|why| why.contains("it is lost")), "{wrong:?}");
}

#[tokio::test]
async fn the_matrix_finds_books_that_forget_the_journal_before_they_are_written() {
    let store = crate::testing::sqlite().await;
    let (_, wrong) = enumerate(&store, Fault::Before, |rig| rig.booking = Booking::MarkFirst).await;
    assert!(wrong.iter().any(|why| why.contains("it is lost")), "{wrong:?}");
}

#[tokio::test]
async fn the_matrix_finds_rows_and_sums_that_are_written_apart() {
    let store = crate::testing::sqlite().await;
    let (met, wrong) = enumerate(&store, Fault::Before, |rig| rig.booking = Booking::InTwo).await;
    assert!(wrong.iter().any(|why| why.contains("INV-16")), "{wrong:?}");
    // Only dying in between is wrong.
    assert!(wrong.iter().all(|why| why.contains("Statement") || why.contains("Commit")), "{wrong:?}");
    assert!(met.len() > 5);
}
