//! Groups, quotas, resets, usage.

use types::limits::LimitName;
use types::quota::{QuotaFilter, ScopeKind};
use types::usage::{AttentionKind, OverviewSpan, UsageBy, UsageFilter};

use super::*;

#[tokio::test]
async fn ke_05_each_limit_is_shown_with_what_is_used_and_when_it_resets() {
    let house = House::new().await;
    let (admin, cast) = (house.admin(), house.cast().await);
    let limits = json!({"limits": {"daily_limit_usd": "10", "limit_total_usd": "40", "rpm_limit": 60}});
    admin.user_update(cast.user, input(limits)).await.unwrap();
    house.spend(&cast, "9").await;
    let filter = QuotaFilter { user_id: Some(cast.user), ..QuotaFilter::default() };
    let lines = admin.quota_list(filter).await.unwrap();
    let line = |name| lines.iter().find(|line| line.limit_name == name).unwrap();
    let day = line(LimitName::Day);
    assert_eq!((day.used.as_str(), day.limit.as_deref(), day.percent), ("9", Some("10"), Some(90)));
    assert!(day.since.unwrap() <= house.clock.now() && day.resets_at.unwrap() > house.clock.now());
    assert_eq!(day.burn_per_hour_usd.as_deref(), Some("3"), "9 USD in three hours");
    let total = line(LimitName::Total);
    assert_eq!((total.percent, total.resets_at), (Some(22), None));
    // 31 USD are left, at 3 USD an hour.
    assert_eq!(total.exhausted_at, Some(house.clock.now().plus_ms(37_200_000)));
    assert_eq!(
        (line(LimitName::Rpm).used.as_str(), line(LimitName::Rpm).limit.as_deref()),
        ("0", Some("60"))
    );
    assert_eq!(line(LimitName::Month).limit, None, "shown for its usage only");

    let of_key = QuotaFilter { key_id: Some(cast.key), ..QuotaFilter::default() };
    let scopes: Vec<_> = admin.quota_list(of_key).await.unwrap().iter().map(|line| line.scope).collect();
    assert!(scopes.contains(&ScopeKind::Key) && scopes.contains(&ScopeKind::User));
    let near = QuotaFilter { min_percent: Some(50), ..QuotaFilter::default() };
    let near = admin.quota_list(near).await.unwrap();
    assert_eq!(near.iter().map(|line| line.limit_name).collect::<Vec<_>>(), [LimitName::Day]);
    let of = |scope| admin.quota_list(QuotaFilter { scope: Some(scope), ..QuotaFilter::default() });
    assert_eq!(of(ScopeKind::Global).await.unwrap(), []);
    let of_users = of(ScopeKind::User).await.unwrap();
    assert!(!of_users.is_empty() && of_users.iter().all(|line| line.scope == ScopeKind::User));
    let gone = QuotaFilter { user_id: Some(UserId(99)), ..QuotaFilter::default() };
    assert_eq!(admin.quota_list(gone).await.unwrap_err().code, "not_found");
}

#[tokio::test]
async fn ke_07_a_reset_begins_anew_and_loses_no_history() {
    let house = House::new().await;
    let (admin, cast) = (house.admin(), house.cast().await);
    house.spend(&cast, "9").await;
    house.clock.advance(1_000);
    admin.usage_reset(ScopeKind::User, cast.user.0).await.unwrap();
    house.clock.advance(1);
    let user = crate::quota::scope(ScopeKind::User, cast.user.0);
    let budgets = &house.gateway.core.quotas.budgets;
    assert_eq!(budgets.total(user), Money::ZERO);
    house.gateway.core.reload_spend().await.unwrap();
    assert_eq!(budgets.total(user), Money::ZERO, "also after a restart");
    assert_eq!(admin.user_fetch(cast.user).await.unwrap().usage_reset_at, Some(house.clock.now()));
    let usage = UsageFilter { by: Some(UsageBy::User), ..UsageFilter::default() };
    assert_eq!(admin.usage(usage).await.unwrap()[0].totals.cost_usd, usd("9"));
    house.spend(&cast, "1").await;
    assert_eq!(budgets.total(user), usd("1"));
    assert_eq!(house.audit("user.usage_reset").await.len(), 1);
    assert_eq!(admin.usage_reset(ScopeKind::Key, 99).await.unwrap_err().code, "not_found");
    assert_eq!(admin.ledger_audit().await.unwrap().violations, []);
}

#[tokio::test]
async fn pk_groups_are_tags_until_something_is_set_and_count_from_the_beginning() {
    let house = House::new().await;
    let (admin, cast) = (house.admin(), house.cast().await);
    house.spend(&cast, "4").await;
    let tag = &admin.group_list().await.unwrap()[0];
    assert_eq!((tag.name.as_str(), tag.id, tag.providers, tag.version), ("eu", None, 1, 0));
    let change = json!({"price_rate": "1.5", "limits": {"limit_total_usd": "5"}, "version": 0});
    let group = admin.group_put("eu".into(), input(change.clone())).await.unwrap();
    assert_eq!((group.version, group.price_rate.to_string().as_str()), (1, "1.5"));
    let of_all = admin.quota_list(QuotaFilter::default()).await.unwrap();
    let line = of_all.iter().find(|line| line.scope == ScopeKind::Group).unwrap();
    assert_eq!(
        (line.used.as_str(), line.percent),
        ("4", Some(80)),
        "what went through the tag before counts"
    );
    let problem = admin.group_put("eu".into(), input(change)).await.unwrap_err();
    assert!(problem.code == "stale_version" && problem.message.contains("price_rate"), "{problem}");
    for bad in ["", "a b", "a,b", &"x".repeat(41)] {
        let problem = admin.group_put(bad.to_owned(), input(json!({"price_rate": "2"}))).await.unwrap_err();
        assert!(problem.fields.contains_key("name"), "{bad:?}");
    }
    admin.group_usage_reset("eu".into()).await.unwrap();
    assert!(admin.group_list().await.unwrap()[0].usage_reset_at.is_some());
    assert_eq!(admin.group_usage_reset("nobody".into()).await.unwrap_err().code, "not_found");
}

#[tokio::test]
async fn us_the_overview_asks_for_a_person_where_money_does() {
    let house = House::new().await;
    let (admin, cast) = (house.admin(), house.cast().await);
    admin.user_update(cast.user, input(json!({"limits": {"daily_limit_usd": "10"}}))).await.unwrap();
    house.spend(&cast, "9").await;
    house.book(&cast, |_| ()).await;
    let overview = admin.overview(OverviewSpan::Day).await.unwrap();
    let told: Vec<_> = overview.attention.iter().map(|a| (a.kind, a.subject.as_str())).collect();
    let near = "user maria: daily_limit_usd 90 %";
    assert_eq!(told, [(AttentionKind::Unpriced, "house-model"), (AttentionKind::NearLimit, near)]);
    assert_eq!((overview.totals.cost_usd, overview.totals.unpriced), (usd("9"), 1));
}

#[tokio::test]
async fn us_usage_is_summed_by_everything_and_exported() {
    let house = House::new().await;
    let (admin, cast) = (house.admin(), house.cast().await);
    house.spend(&cast, "0.000000001").await;
    house.spend(&cast, "2").await;
    for by in UsageBy::ALL {
        let lines = admin.usage(UsageFilter { by: Some(*by), ..UsageFilter::default() }).await.unwrap();
        assert_eq!(lines[0].totals.cost_usd, usd("2.000000001"), "{by}");
    }
    let by = UsageFilter { by: Some(UsageBy::User), ..UsageFilter::default() };
    let csv = admin.usage_export(by.clone(), true).await.unwrap();
    assert!(csv.lines().nth(1).unwrap().starts_with("user,1,maria,2,"), "{csv}");
    assert!(csv.contains(",2.000000001,"));
    let json: Vec<types::usage::UsageLine> =
        serde_json::from_str(&admin.usage_export(by.clone(), false).await.unwrap()).unwrap();
    assert_eq!(json, admin.usage(by).await.unwrap());
    let now = Some(house.clock.now());
    let backwards = UsageFilter { since: now, until: Some(Timestamp(0)), ..UsageFilter::default() };
    assert!(admin.usage(backwards).await.unwrap_err().fields.contains_key("since"));
}

#[tokio::test]
async fn us_a_time_zone_that_does_not_exist_is_refused_and_a_new_one_counts_at_once() {
    let house = House::new().await;
    let (admin, cast) = (house.admin(), house.cast().await);
    let zone = "billing.time_zone";
    let problem = admin.setting_put(zone.into(), "Mars/Olympus".into()).await.unwrap_err();
    assert!(problem.fields.contains_key(zone), "{problem}");
    assert_eq!(house.gateway.settings().billing_time_zone, "UTC");
    admin.user_update(cast.user, input(json!({"limits": {"limit_monthly_usd": "10"}}))).await.unwrap();
    house.spend(&cast, "1").await;
    let month = async || {
        let filter = QuotaFilter { user_id: Some(cast.user), ..QuotaFilter::default() };
        let lines = admin.quota_list(filter).await.unwrap();
        let line = lines.into_iter().find(|line| line.limit_name == LimitName::Month).unwrap();
        (line.used, line.since.unwrap().to_string())
    };
    // The clock stands at 2027-01-15 08:00 UTC.
    assert_eq!(month().await, ("1".to_owned(), "2027-01-01T00:00:00.000Z".to_owned()));
    admin.setting_put(zone.into(), "Asia/Kathmandu".into()).await.unwrap();
    assert_eq!(month().await, ("1".to_owned(), "2026-12-31T18:15:00.000Z".to_owned()));
    admin.setting_reset(zone.into()).await.unwrap();
    assert_eq!(month().await.1, "2027-01-01T00:00:00.000Z");
}
