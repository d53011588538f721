//! The books: audit, reconciliation, a vendor's invoice, and the tasks that look at them.

use types::books::{CompareInvoice, ReconcileFilter};
use types::principal::Principal;

use super::*;

#[tokio::test]
async fn us_the_audit_finds_what_the_budgets_count_and_the_books_do_not() {
    let house = House::new().await;
    let (admin, cast) = (house.admin(), house.cast().await);
    house.spend(&cast, "3").await;
    let report = admin.ledger_audit().await.unwrap();
    assert_eq!(report.violations, []);
    assert!(report.checked > 0 && report.invariants.contains(&"INV-16".to_owned()), "{report:?}");

    // A budget that forgets what was spent lets too much through: INV-8.
    let user = crate::quota::scope(types::quota::ScopeKind::User, cast.user.0);
    house.gateway.core.quotas.budgets.reset(user, house.clock.now());
    let report = admin.ledger_audit().await.unwrap();
    let found: Vec<_> =
        report.violations.iter().map(|v| (v.invariant.as_str(), v.subject.as_str())).collect();
    assert_eq!(found, [("INV-8", "user 1")]);
    let overview = admin.overview(types::usage::OverviewSpan::Day).await.unwrap();
    assert!(overview.attention.iter().any(|a| a.kind == types::usage::AttentionKind::AuditFailed));
    assert!(house.gateway.metrics().contains("tollgate_ledger_invariant_violations 1"));
}

#[tokio::test]
async fn us_rows_and_sums_agree_and_are_rebuilt_to_the_same() {
    let house = House::new().await;
    let (admin, cast) = (house.admin(), house.cast().await);
    house.spend(&cast, "3").await;
    house.spend(&cast, "4").await;
    house.clock.advance(1);
    let found = admin.reconcile(ReconcileFilter::default()).await.unwrap();
    assert_eq!((found.rows, found.differences.len(), found.rebuilt), (2, 0, false));
    let rebuilt = admin.rebuild(ReconcileFilter::default()).await.unwrap();
    assert!(rebuilt.rebuilt && rebuilt.differences.is_empty());
    let user = crate::quota::scope(types::quota::ScopeKind::User, cast.user.0);
    assert_eq!(house.gateway.core.quotas.budgets.total(user), usd("7"));
    assert_eq!(house.audit("ledger.rebuild").await.len(), 1);
    let now = house.clock.now();
    let backwards = ReconcileFilter { since: Some(now), until: Some(now), ..ReconcileFilter::default() };
    assert!(admin.reconcile(backwards).await.unwrap_err().fields.contains_key("since"));
}

#[tokio::test]
async fn us_an_invoice_is_laid_beside_the_books_by_day_and_model() {
    let house = House::new().await;
    let (admin, cast) = (house.admin(), house.cast().await);
    house.spend(&cast, "3").await;
    house.book(&cast, |record| record.upstream_model = Some("another".to_owned())).await;
    // The clock stands at 2027-01-15.
    let csv = "date,model,cost\n2027-01-15,House-Model,3.5\n2027-01-14,house-model,1\nsoon,house-model,1\n";
    let input = CompareInvoice { csv: csv.to_owned(), provider_id: Some(cast.provider) };
    let found = admin.compare_invoice(input.clone()).await.unwrap();
    let lines: Vec<_> = found
        .lines
        .iter()
        .map(|line| (line.day.as_str(), line.model.as_str(), line.difference_usd.as_str()))
        .collect();
    assert_eq!(lines, [("2027-01-14", "house-model", "1"), ("2027-01-15", "house-model", "0.5")]);
    assert_eq!((found.invoiced_usd, found.booked_usd), (usd("4.5"), usd("3")));
    assert_eq!(found.unread, ["line 4: 'soon' is no date"]);
    let posted = CompareInvoice { csv: csv.replace('\n', "\r\n"), ..input.clone() };
    assert_eq!(admin.compare_invoice(posted).await.unwrap(), found, "as a browser posts it");
    let nobody = CompareInvoice { provider_id: Some(ProviderId(99)), ..input };
    assert_eq!(admin.compare_invoice(nobody).await.unwrap_err().code, "not_found");
}

#[tokio::test]
async fn us_a_member_sees_his_limits_and_packages_and_no_names_of_providers() {
    let house = House::new().await;
    let (admin, cast) = (house.admin(), house.cast().await);
    admin.user_update(cast.user, input(json!({"limits": {"daily_limit_usd": "10"}}))).await.unwrap();
    let package = json!({"name": "ten", "kind": "quota", "total_usd": "10"});
    let package = admin.package_create(input(package)).await.unwrap().id;
    admin.grant_create(cast.user, input(json!({"package_id": package}))).await.unwrap();
    house.spend(&cast, "4").await;
    let member = house.gateway.member(&Principal::Member { user_id: cast.user }, actor("member")).unwrap();
    let me = member.me().await.unwrap();
    assert_eq!(me.today.cost_usd, usd("4"));
    for totals in [me.today, me.last_30_days, me.by_day[0].totals, me.by_model[0].totals] {
        assert_eq!(totals.provider_cost_usd, Money::ZERO, "what the operator pays is his");
    }
    assert_eq!((me.quotas.len(), me.quotas[0].percent), (1, Some(40)));
    assert_eq!((me.packages.len(), me.packages[0].spec.name.as_str()), (1, "ten"));
    assert!(!format!("{me:?}").contains("vendor"));
}

#[tokio::test]
async fn the_tasks_of_the_books_run_and_say_what_they_found() {
    let house = House::new().await;
    let cast = house.cast().await;
    house.spend(&cast, "3").await;
    let core = &house.gateway.core;
    let names: Vec<_> = core.tasks.views().into_iter().map(|view| view.name).collect();
    for name in ["reload_snapshot", "flush_events", "recover", "prune", "audit_books", "reconcile"] {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
    for (name, said) in
        [("audit_books", " 0 violations"), ("reconcile", " 0 differ"), ("sync_prices", "switched off")]
    {
        assert!(core.tasks.wake(name));
        let result = loop {
            let view = core.tasks.views().into_iter().find(|view| view.name == name).unwrap();
            if let Some(result) = view.last_result {
                break result;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        };
        assert!(result.contains(said), "{name}: {result}");
    }
}
