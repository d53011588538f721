//! Refreshes whose process died: what their lease says to those that come after.

use super::*;

/// Longer than any test.
const LONG_MS: i64 = HOUR_MS;

impl Rig {
    /// A refresh began, and nobody is left to end it.
    async fn cut_off(&self, node: &str, lasts_ms: i64) {
        let version = self.slot().version();
        assert!(
            self.house.store().credential_token_lease(self.id, version, node, lasts_ms).await.unwrap(),
            "{node}"
        );
    }

    async fn due(&self) -> usize {
        remind(self.house.core()).await;
        due(&self.house.core().snapshot(), NOW).len()
    }
}

#[tokio::test]
async fn rf_06_a_refresh_that_was_cut_off_is_made_anew_though_the_token_is_not_due() {
    let rig = Rig::new(2 * HOUR_MS).await;
    assert_eq!(rig.due().await, 0);
    rig.cut_off("test", LONG_MS).await;
    assert_eq!(rig.due().await, 1);
    assert_eq!(rig.refreshed(Trigger::Due).await, Flown::Fresh);
    assert_eq!((rig.due().await, rig.endpoint.asked()), (0, 1));
}

#[tokio::test]
async fn rf_06_another_instances_refresh_is_left_alone_until_its_lease_is_over() {
    let rig = Rig::new(2 * HOUR_MS).await;
    rig.cut_off("other", LONG_MS).await;
    assert_eq!(rig.due().await, 0);
    rig.cut_off("other", 0).await;
    assert_eq!(rig.due().await, 1);
}

#[tokio::test]
async fn rf_06_a_refresh_under_way_is_none_that_was_cut_off() {
    let rig = Rig::new(2 * HOUR_MS).await;
    rig.endpoint.hold();
    let flight = rig.begin();
    rig.endpoint.was_asked(1).await;
    assert_eq!(rig.due().await, 0);
    rig.endpoint.release();
    assert_eq!(flight.await.unwrap(), Flown::Fresh);
    assert_eq!((rig.due().await, rig.endpoint.asked()), (0, 1));
}

#[tokio::test]
async fn rf_06_what_was_cut_off_stays_on_record_until_the_vendor_has_answered() {
    let rig = Rig::new(2 * HOUR_MS).await;
    rig.cut_off("test", LONG_MS).await;
    rig.endpoint.state.lock().unwrap().failures = vec![(503, ""), (503, ""), (503, "")];
    assert_eq!(rig.due().await, 1);
    let busy = rig.refreshed(Trigger::Due).await;
    assert!(matches!(busy, Flown::Failed(TokenFault::Transient, _)), "{busy:?}");
    assert_eq!(rig.due().await, 0, "a moment of quiet first");
    // The vendor had spent the token.
    rig.endpoint.state.lock().unwrap().good = "another".to_owned();
    for _ in 0..2 {
        let lost = rig.refreshed(Trigger::Manual).await;
        assert!(
            matches!(&lost, Flown::Failed(TokenFault::NeedsSignIn, why) if why.contains("was cut off")),
            "{lost:?}"
        );
        assert_eq!(rig.due().await, 0, "it is known");
    }
}
