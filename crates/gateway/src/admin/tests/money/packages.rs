//! Packages and grants.

use types::package::{GrantState, GrantView};
use types::{GrantId, Timestamp};

use super::*;

async fn granted(admin: &Admin, cast: &Cast, package: serde_json::Value) -> GrantView {
    let package = admin.package_create(input(package)).await.unwrap();
    admin.grant_create(cast.user, input(json!({"package_id": package.id}))).await.unwrap()
}

fn quota(total: &str) -> serde_json::Value {
    json!({"name": "ten", "kind": "quota", "total_usd": total, "duration_days": 30})
}

#[tokio::test]
async fn pk_01_a_grant_is_the_package_as_it_was_and_outlives_it() {
    let house = House::new().await;
    let (admin, cast) = (house.admin(), house.cast().await);
    let grant = granted(&admin, &cast, quota("10")).await;
    assert_eq!((grant.state, grant.user_name.as_deref()), (GrantState::Active, Some("maria")));
    assert_eq!(grant.ends_at, Some(house.clock.now().plus_ms(30 * Timestamp::DAY_MS)));
    let package = grant.package_id.unwrap();
    assert_eq!(admin.package_fetch(package).await.unwrap().grants, 1);

    admin.package_update(package, input(json!({"total_usd": "99"}))).await.unwrap();
    admin.package_delete(package).await.unwrap();
    let still = admin.grant_list(Some(cast.user)).await.unwrap();
    assert_eq!(
        (still.len(), still[0].spec.total_usd, still[0].state),
        (1, Some(usd("10")), GrantState::Active)
    );
    let snapshot = house.gateway.core.snapshot();
    assert_eq!(snapshot.users[&cast.user].grants.len(), 1, "it pays on");
    let gone = admin.grant_create(cast.user, input(json!({"package_id": package}))).await.unwrap_err();
    assert!(gone.fields.contains_key("package_id"));
    admin.package_restore(package).await.unwrap();
    assert_eq!(admin.package_list(false).await.unwrap().len(), 1);
}

#[tokio::test]
async fn pk_02_states_follow_time_use_and_the_administrator() {
    let house = House::new().await;
    let (admin, cast) = (house.admin(), house.cast().await);
    let grant = granted(&admin, &cast, quota("10")).await;
    let state = async || admin.grant_list(None).await.unwrap()[0].state;
    assert_eq!(state().await, GrantState::Active);
    house
        .book(&cast, |record| {
            record.grant_id = Some(grant.id);
            record.cost_usd = usd("10");
            record.base_cost_usd = usd("10");
            record.price_state = PriceState::Priced;
        })
        .await;
    assert_eq!(state().await, GrantState::Exhausted);
    let line = admin.grant_list(None).await.unwrap()[0].used[0].clone();
    assert_eq!((line.used.as_str(), line.percent), ("10", Some(100)));

    admin.usage_reset(types::quota::ScopeKind::Package, grant.id.0).await.unwrap();
    assert_eq!(state().await, GrantState::Active);
    admin.grant_update(grant.id, input(json!({"disabled": true}))).await.unwrap();
    assert_eq!(state().await, GrantState::Disabled);
    admin
        .grant_update(grant.id, input(json!({"disabled": false, "ends_at": "2027-01-15T09:00:00Z"})))
        .await
        .unwrap();
    house.clock.advance(Timestamp::DAY_MS);
    assert_eq!(state().await, GrantState::Expired);
    // Extended, it pays again.
    let extended = admin.grant_update(grant.id, input(json!({"ends_at": null}))).await.unwrap();
    assert_eq!((extended.state, extended.ends_at), (GrantState::Active, None));
    let actions: Vec<_> = house.audit("grant.").await.into_iter().map(|row| row.action).collect();
    assert_eq!(
        actions,
        ["grant.update", "grant.update", "grant.update", "grant.usage_reset", "grant.create"]
    );
}

#[tokio::test]
async fn pk_03_a_grant_that_begins_later_waits_and_one_that_ends_before_is_refused() {
    let house = House::new().await;
    let (admin, cast) = (house.admin(), house.cast().await);
    let subscription = json!({"name": "s", "kind": "subscription", "daily_usd": "1", "monthly_usd": "20"});
    let package = admin.package_create(input(subscription)).await.unwrap().id;
    let later = house.clock.now().plus_ms(Timestamp::DAY_MS);
    let grant = json!({"package_id": package, "starts_at": later});
    let grant = admin.grant_create(cast.user, input(grant)).await.unwrap();
    assert_eq!((grant.state, grant.ends_at), (GrantState::Pending, None));
    assert_eq!(grant.used.iter().filter(|line| line.limit.is_some()).count(), 2);
    for ends_at in [later, house.clock.now()] {
        let bad = json!({"package_id": package, "starts_at": later, "ends_at": ends_at});
        let problem = admin.grant_create(cast.user, input(bad)).await.unwrap_err();
        assert!(problem.fields.contains_key("ends_at"), "{problem}");
    }
    let nobody = admin.grant_create(UserId(99), input(json!({"package_id": package}))).await.unwrap_err();
    assert_eq!(nobody.code, "not_found");
    assert_eq!(admin.grant_update(GrantId(99), input(json!({}))).await.unwrap_err().code, "not_found");
}

#[tokio::test]
async fn pk_04_two_editors_of_a_package_or_grant_do_not_overwrite_each_other() {
    let house = House::new().await;
    let (admin, cast) = (house.admin(), house.cast().await);
    let grant = granted(&admin, &cast, quota("10")).await;
    let package = grant.package_id.unwrap();
    let change = json!({"total_usd": "11", "version": 1});
    admin.package_update(package, input(change.clone())).await.unwrap();
    let problem = admin.package_update(package, input(change.clone())).await.unwrap_err();
    assert!(problem.code == "stale_version" && problem.message.contains("total_usd"), "{problem}");
    admin.grant_update(grant.id, input(change.clone())).await.unwrap();
    let problem = admin.grant_update(grant.id, input(change)).await.unwrap_err();
    assert!(problem.code == "stale_version" && problem.message.contains("total_usd"), "{problem}");
}

#[tokio::test]
async fn pk_05_nonsense_is_refused_field_by_field() {
    let house = House::new().await;
    let admin = house.admin();
    let bad = json!({"name": "", "kind": "quota", "daily_usd": "1", "duration_days": 0});
    let problem = admin.package_create(input(bad)).await.unwrap_err();
    let fields: Vec<_> = problem.fields.keys().map(String::as_str).collect();
    assert_eq!(fields, ["daily_usd", "duration_days", "name", "total_usd"]);
    assert!(admin.package_list(true).await.unwrap().is_empty());
}
