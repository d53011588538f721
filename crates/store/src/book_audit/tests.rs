//! Tests of the audit: silent over honest books, and loud about each kind of damage.

use ledger::price::{Priced, cost};
use ledger::{Batch, Position};
use types::price::{PriceSource, PriceSpec, PriceState, Rates};
use types::request::RequestRecord;

use super::*;
use crate::fixture::{NOW, change, record, refused, usd};
use crate::testing::each_backend;

// A request whose bill is right.
fn priced(n: u64) -> RequestRecord {
    let rates = Rates {
        input_per_million_usd: Some(usd("3")),
        output_per_million_usd: Some(usd("15")),
        ..Rates::default()
    };
    let spec = PriceSpec { rates, ..PriceSpec::default() };
    let price = Priced { model: "m", source: PriceSource::Default, spec: &spec };
    let factors = Factors { multiplier: "0.8".parse().unwrap(), ..Factors::default() };
    let row = record(n);
    let cost = cost(price, &row.usage(), None, true, factors);
    RequestRecord {
        cost_usd: cost.billed,
        base_cost_usd: cost.base,
        provider_cost_usd: cost.provider,
        bill: Some(Box::new(cost.bill)),
        ..row
    }
}

async fn book(store: &Store) {
    let mut rows: Vec<_> = (0..50).map(priced).collect();
    rows[4].idempotency_key = Some("a:b".to_owned());
    rows[5].idempotency_key = Some("a:c".to_owned());
    rows.push(refused(50, 401, "no_key"));
    store.ledger_apply("node", &Batch::new(rows, Position::default())).await.unwrap();
}

#[tokio::test]
async fn honest_books_have_no_violations_and_damage_is_named() {
    each_backend(|store| async move {
        book(&store).await;
        let audit = store.audit_books(NOW).await.unwrap();
        assert_eq!(audit.violations, []);
        assert!(audit.checked > 400, "{audit:?}");
        let names: Vec<_> = audit.invariants.iter().map(String::as_str).collect();
        let all = ["INV-2", "INV-6", "INV-7", "INV-9", "INV-11", "INV-12", "INV-13", "INV-16", "INV-17"];
        assert_eq!(names, all);
        let fourth = record(4).request_id.to_string();
        for (damage, invariant) in [
            ("UPDATE requests SET provider_id = NULL WHERE id = $1", "INV-2"),
            ("UPDATE requests SET input_tokens = -1 WHERE id = $1", "INV-6"),
            ("UPDATE requests SET idempotency_key = 'a:c' WHERE id = $1", "INV-9"),
            ("UPDATE requests SET price_state = 'unpriced' WHERE id = $1", "INV-11"),
            ("UPDATE requests SET price_state = 'none' WHERE id = $1", "INV-12"),
            ("UPDATE requests SET outcome = 'refused' WHERE id = $1", "INV-13"),
            ("UPDATE requests SET cost_nano = cost_nano + 1 WHERE id = $1", "INV-16"),
            ("UPDATE requests SET cost_nano = cost_nano + 1 WHERE id = $1", "INV-17"),
            ("UPDATE requests SET base_cost_nano = base_cost_nano - 1 WHERE id = $1", "INV-17"),
            ("UPDATE requests SET provider_cost_nano = 0 WHERE id = $1", "INV-17"),
            ("UPDATE adjustment_rows SET cost_after = 3 WHERE request_id = $1", "INV-7"),
            ("UPDATE adjustment_rows SET cost_after = 3 WHERE request_id = $1", "INV-17"),
        ] {
            if damage.contains("adjustment") {
                adjust(&store).await;
            }
            assert_eq!(store.pool.execute(damage, args![fourth.as_str()]).await.unwrap(), 1, "{damage}");
            let found = store.audit_books(NOW).await.unwrap().violations;
            let told = found.iter().any(|violation| violation.invariant == invariant);
            assert!(told, "{damage}: {found:?}");
            for sql in [
                "DELETE FROM adjustment_rows",
                "DELETE FROM adjustments",
                "DELETE FROM requests",
                "DELETE FROM usage_hour",
                "DELETE FROM usage_day",
                "DELETE FROM spend_minute",
                "DELETE FROM key_usage",
            ] {
                store.pool.execute(sql, args![]).await.unwrap();
            }
            book(&store).await;
            assert_eq!(store.audit_books(NOW).await.unwrap().violations, []);
        }
    })
    .await;
}

async fn adjust(store: &Store) {
    let id = store.adjustment_begin("a test", change("price.reprice")).await.unwrap();
    let row = priced(4);
    let same = crate::Correction {
        request_id: row.request_id,
        cost_usd: row.cost_usd,
        base_cost_usd: row.base_cost_usd,
        provider_cost_usd: row.provider_cost_usd,
        price_state: PriceState::Priced,
        bill: row.bill,
    };
    store.adjustment_apply(id, vec![same]).await.unwrap();
    assert_eq!(store.audit_books(NOW).await.unwrap().violations, []);
}
