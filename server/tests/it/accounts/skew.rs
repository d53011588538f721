//! Clocks that differ: vendors whose tokens say their end by a clock that is ten minutes before or behind ours.

use serde_json::json;

use super::{pool, refuses};

const TEN_MINUTES_S: i64 = 600;

fn now_s() -> i64 {
    gateway::clock::system_now().0 / 1_000
}

#[tokio::test]
async fn rf_02_a_vendors_clock_that_is_ten_minutes_behind_makes_no_token_over_before_its_time() {
    let (rig, vendor, id) = pool(3_600).await;
    // A life of five minutes, and an end that lies five minutes back by our clock.
    vendor.set(|script| (script.expires_in, script.jwt) = (None, Some((now_s() + 300 - TEN_MINUTES_S, 300))));
    assert_eq!(rig.refresh(id).await["refreshed"], true);
    let view = rig.account_view(id).await;
    assert_eq!(view["token"]["status"], "active", "{view}");
    for _ in 0..5 {
        assert_eq!(rig.usual().await, 200);
    }
    assert_eq!(vendor.asked(), 2, "nothing is refreshed in a circle");
}

#[tokio::test]
async fn rf_02_a_vendors_clock_that_is_ten_minutes_ahead_costs_one_refused_try() {
    let (rig, vendor, id) = pool(3_600).await;
    // It says that ten minutes are left where none is: the upstream refuses it.
    vendor.set(|script| (script.expires_in, script.jwt) = (None, Some((now_s() + TEN_MINUTES_S, 300))));
    assert_eq!(rig.refresh(id).await["refreshed"], true);
    assert_eq!(rig.usual().await, 200);
    let skewed = rig.last_token();
    assert!(skewed.starts_with("ey"), "{skewed}");
    rig.on_credential(&skewed, refuses());
    vendor.set(|script| (script.expires_in, script.jwt) = (Some(3_600), None));
    assert_eq!((rig.usual().await, rig.last_token().as_str()), (200, "a3-CANARY-access-token"));
    assert_eq!(vendor.asked(), 3);
    let view = rig.account_view(id).await;
    assert_eq!((&view["state"], &view["token"]["status"]), (&json!("valid"), &json!("active")), "{view}");
}
