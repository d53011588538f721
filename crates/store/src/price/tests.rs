//! Tests of stored prices.

use ledger::{Batch, Position};
use types::Money;
use types::price::{PriceState, Rates};
use types::request::RequestRecord;

use super::*;
use crate::fixture::{NOW, change, record, usd};
use crate::testing::each_backend;

fn price(input: &str) -> PriceSpec {
    let rates = Rates { input_per_million_usd: Some(usd(input)), ..Rates::default() };
    PriceSpec { rates, max_output_tokens: Some(64_000), ..PriceSpec::default() }
}

async fn put(store: &Store, model: &str, version: Option<i64>) -> Result<PriceRow, StoreError> {
    let source = PriceSource::Manual;
    store.price_put(model, &price("3"), source, "admin", version, change("price.update")).await
}

#[tokio::test]
async fn of_two_who_change_a_price_at_once_the_second_is_told() {
    each_backend(|store| async move {
        assert!(matches!(put(&store, "m", Some(1)).await, Err(StoreError::StaleVersion)));
        let row = put(&store, "m", Some(0)).await.unwrap();
        let expected = PriceRow {
            model: "m".to_owned(),
            spec: price("3"),
            source: PriceSource::Manual,
            origin: "admin".to_owned(),
            updated_at: NOW,
            version: 1,
        };
        assert_eq!(row, expected);
        assert!(matches!(put(&store, "m", Some(0)).await, Err(StoreError::StaleVersion)));
        assert_eq!(put(&store, "m", Some(1)).await.unwrap().version, 2);
        assert_eq!(put(&store, "m", None).await.unwrap().version, 3);
        assert_eq!(
            store.config_load().await.unwrap().prices,
            [store.price_fetch("m").await.unwrap().unwrap()]
        );
        let revision = store.config_revision().await.unwrap();
        store.price_delete("m", change("price.delete")).await.unwrap();
        assert_eq!(store.config_revision().await.unwrap(), revision + 1);
        assert_eq!(store.price_fetch("m").await.unwrap(), None);
        let again = store.price_delete("m", change("price.delete")).await;
        assert!(matches!(again, Err(StoreError::NotFound)));
    })
    .await;
}

#[tokio::test]
async fn an_imported_list_replaces_prices_but_no_manual_ones_unless_asked() {
    each_backend(|store| async move {
        put(&store, "by-hand", None).await.unwrap();
        let mut list: Vec<_> = (0..150).map(|n| (format!("model-{n:03}"), price("1"))).collect();
        list.push(("by-hand".to_owned(), price("9")));
        list.push(("model-000".to_owned(), price("2")));
        let apply = async |list: &[(String, PriceSpec)], replace| {
            let change = change("price.import");
            store
                .price_apply(list.to_vec(), PriceSource::Imported, "list.json", replace, change)
                .await
                .unwrap()
        };
        assert_eq!(apply(&list, false).await, 150);
        assert_eq!(apply(&list, false).await, 0);
        assert_eq!(store.price_fetch("by-hand").await.unwrap().unwrap().spec, price("3"));
        assert_eq!(store.price_fetch("model-000").await.unwrap().unwrap().spec, price("2"));
        assert_eq!(apply(&list, true).await, 1);
        let row = store.price_fetch("by-hand").await.unwrap().unwrap();
        assert_eq!((row.spec, row.source, row.version), (price("9"), PriceSource::Imported, 2));

        let filter = PriceFilter { q: Some("MODEL-14".to_owned()), ..PriceFilter::default() };
        assert_eq!(store.price_list(&filter).await.unwrap().items.len(), 10);
        let literal = PriceFilter { q: Some("model_14".to_owned()), ..PriceFilter::default() };
        assert!(store.price_list(&literal).await.unwrap().items.is_empty());
        let mut filter = PriceFilter { limit: Some(60), ..PriceFilter::default() };
        let mut seen = Vec::new();
        loop {
            let page = store.price_list(&filter).await.unwrap();
            seen.extend(page.items.into_iter().map(|row| row.model));
            filter.cursor = page.next;
            if filter.cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), 151);
        assert!(seen.is_sorted());
    })
    .await;
}

#[tokio::test]
async fn models_without_a_price_are_listed_by_use() {
    each_backend(|store| async move {
        let unpriced = |n, model: &str| RequestRecord {
            price_state: PriceState::Unpriced,
            cost_usd: Money::ZERO,
            model: Some(model.to_owned()),
            ..record(n)
        };
        let rows = vec![record(1), unpriced(2, "new"), unpriced(3, "odd"), unpriced(4, "new")];
        store.ledger_apply("node", &Batch::new(rows, Position::default())).await.unwrap();
        let models = store.unpriced_models(NOW, 10).await.unwrap();
        let names: Vec<_> = models.iter().map(|model| (model.model.as_str(), model.requests)).collect();
        assert_eq!(names, [("new", 2), ("odd", 1)]);
        assert_eq!((models[0].tokens, models[0].last_used_at), (12 + 14 + 2 * 90, record(4).created_at));
        assert_eq!(store.unpriced_models(record(3).created_at, 1).await.unwrap()[0].requests, 1);
    })
    .await;
}
