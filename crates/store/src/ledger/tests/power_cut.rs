//! The machine loses its power at every step of the journal, and with it whatever was not synced: all of it, or
//! pieces. The database keeps what it committed; that is its own promise.
//!
//! What a real file system leaves is tried in `real_power_cut`, where the machine allows.

use ledger::testing::{Fault, Loss, Step, TestDisk, World};

use super::crash_matrix::without_disk;
use super::rig::{Rig, Trust};
use super::*;

/// Cuts the power at each step; answers how often, what did not hold, and how much was lost that nobody promised.
async fn cut_everywhere(
    store: &Store,
    fault: Fault,
    only: Option<Step>,
    make: impl Fn(&mut Rig),
) -> (u64, Vec<String>, usize) {
    without_disk(store).await;
    let (mut cuts, mut wrong, mut unkept) = (0_u64, Vec::new(), 0_usize);
    'cuts: for k in 1.. {
        for loss in [Loss::All, Loss::Sectors(k), Loss::Zeros(k), Loss::Sectors(k + 7_777)] {
            let (dir, image) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let world = match only {
                Some(only) => World::with_fault_of(only, k, fault),
                None => World::with_fault(k, fault),
            };
            cuts += 1;
            let mut rig = Rig::new(store, &world, cuts);
            (rig.trust, rig.watched) = (Trust::Machine, false);
            make(&mut rig);
            rig.live(dir.path()).await;
            rig.disk.image(dir.path(), image.path(), loss).unwrap();
            let (found, more) = rig.check(image.path()).await;
            let step = world.met();
            wrong.extend(found.into_iter().map(|why| format!("{fault:?} {k} {step:?} {loss:?}: {why}")));
            unkept += more;
            if step.is_none() {
                break 'cuts;
            }
        }
        assert!(k < 900, "it never ends");
    }
    (cuts, wrong, unkept)
}

#[tokio::test]
async fn fault_s11_a_power_cut_in_strict_mode_loses_nothing_that_was_acknowledged() {
    let store = crate::testing::sqlite().await;
    let (cuts, wrong, unkept) = cut_everywhere(&store, Fault::Before, None, |rig| rig.strict = true).await;
    println!("{cuts} power cuts in strict mode, {unkept} progress notes and refusals lost");
    assert_eq!(wrong, Vec::<String>::new());
    assert!(cuts > 300);
}

#[tokio::test]
async fn fault_s11_a_power_cut_loses_at_most_what_came_after_the_last_sync() {
    let store = crate::testing::sqlite().await;
    let (cuts, wrong, unkept) = cut_everywhere(&store, Fault::Before, None, |_| {}).await;
    println!("{cuts} power cuts, {unkept} acknowledged records lost within the window of the group sync");
    assert_eq!(wrong, Vec::<String>::new());
    // Otherwise the cuts would have no teeth.
    assert!(u64::try_from(unkept).unwrap() > cuts / 4, "{unkept} of {cuts}");
}

#[tokio::test]
async fn fault_s04_s11_a_power_cut_after_a_failed_sync_loses_nothing_that_was_acknowledged() {
    for strict in [true, false] {
        let store = crate::testing::sqlite().await;
        let make = |rig: &mut Rig| (rig.strict, rig.lives) = (strict, &[4]);
        let (cuts, wrong, _) = cut_everywhere(&store, Fault::Fails, Some(Step::Sync), make).await;
        assert_eq!(wrong, Vec::<String>::new());
        assert!(cuts > 20, "{cuts}");
    }
}

#[tokio::test]
async fn the_power_cut_finds_syncs_that_do_nothing() {
    let store = crate::testing::sqlite().await;
    let make = |rig: &mut Rig| {
        rig.strict = true;
        rig.disk = TestDisk::without_syncs(&rig.world);
    };
    let (cuts, wrong, _) = cut_everywhere(&store, Fault::Before, None, make).await;
    let lost = wrong.iter().filter(|why| why.contains("it is lost")).count();
    println!("{cuts} power cuts without syncs: {lost} acknowledged records found to be lost");
    assert!(lost > 100, "{lost}: {wrong:?}");
}
