//! Prices: entered, listed, imported; and what is computed anew with them.

use types::price::{ImportPrices, PriceFilter, PriceSource, Reprice};

use super::*;

fn price(input_usd: &str, output_usd: &str) -> serde_json::Value {
    json!({"input_per_million_usd": input_usd, "output_per_million_usd": output_usd})
}

#[tokio::test]
async fn us_a_price_holds_when_the_call_returns_and_hides_the_default() {
    let house = House::new().await;
    let admin = house.admin();
    let before = admin.price_fetch("gpt-4o".into()).await.unwrap();
    assert_eq!((before.source, before.version), (PriceSource::Default, 0));
    let put = admin.price_put("GPT-4o".into(), input(price("7", "8"))).await.unwrap();
    assert_eq!((put.source, put.version, put.origin.as_str()), (PriceSource::Manual, 1, "admin"));
    let kind = types::provider::ProviderKind::OpenAi;
    let found = house.gateway.core.snapshot().prices.find(kind, "gpt-4o").unwrap();
    assert_eq!(found.spec.rates.input_per_million_usd, Some(usd("7")));

    // However it is written, it is one price.
    let again = admin.price_put("gpt-4o".into(), input(price("9", "8"))).await.unwrap();
    assert_eq!((again.model.as_str(), again.version), ("GPT-4o", 2));
    let filter = PriceFilter { q: Some("gpt-4O".into()), limit: Some(500), ..PriceFilter::default() };
    let listed = admin.price_list(filter).await.unwrap().items;
    let of_model: Vec<_> = listed.iter().filter(|view| view.model.eq_ignore_ascii_case("gpt-4o")).collect();
    assert_eq!(of_model.len(), 1);

    admin.price_reset("gpt-4o".into()).await.unwrap();
    assert_eq!(admin.price_fetch("gpt-4o".into()).await.unwrap(), before);
    assert_eq!(admin.price_reset("gpt-4o".into()).await.unwrap_err().code, "not_found");
    let actions: Vec<_> = house.audit("price.").await.into_iter().map(|row| row.action).collect();
    assert_eq!(actions, ["price.reset", "price.put", "price.put"]);
}

#[tokio::test]
async fn us_the_second_editor_of_a_price_sees_what_was_changed() {
    let house = House::new().await;
    let admin = house.admin();
    let mut first = price("1", "2");
    first["version"] = json!(0);
    admin.price_put("m".into(), input(first.clone())).await.unwrap();
    let problem = admin.price_put("m".into(), input(first)).await.unwrap_err();
    assert_eq!((problem.code.as_str(), problem.status()), ("stale_version", 409));
    assert!(problem.message.contains("input_per_million_usd"), "{problem}");
    assert_eq!(admin.price_fetch("m".into()).await.unwrap().version, 1);
}

#[tokio::test]
async fn us_bad_amounts_are_refused_with_their_field_and_change_nothing() {
    let house = House::new().await;
    let admin = house.admin();
    for bad in ["-1", "NaN", "0.0000000001", "1e30"] {
        let problem = admin.price_put("m".into(), input(price(bad, "1"))).await.unwrap_err();
        assert!(problem.fields.contains_key("input_per_million_usd"), "{bad}: {problem}");
    }
    assert_eq!(admin.price_fetch("m".into()).await.unwrap_err().code, "not_found");
    assert!(house.audit("price.").await.is_empty());
}

#[tokio::test]
async fn us_the_pages_of_the_price_list_hold_everything_once_in_order() {
    let house = House::new().await;
    let admin = house.admin();
    for model in ["aaa-first", "gpt-4o", "zzz-last", "Zed"] {
        admin.price_put(model.into(), input(price("1", "1"))).await.unwrap();
    }
    let mut names = Vec::new();
    let mut filter = PriceFilter { limit: Some(97), ..PriceFilter::default() };
    loop {
        let page = admin.price_list(filter.clone()).await.unwrap();
        names.extend(page.items.into_iter().map(|view| view.model));
        match page.next {
            Some(next) => filter.cursor = Some(next),
            None => break,
        }
    }
    assert!(names.is_sorted());
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "no model twice");
    assert_eq!(count, crate::price::defaults().count() + 3);
    let only =
        |source| PriceFilter { source: Some(source), q: Some("gpt-4o".into()), ..PriceFilter::default() };
    let manual = admin.price_list(only(PriceSource::Manual)).await.unwrap().items;
    assert_eq!(manual.iter().map(|view| view.model.as_str()).collect::<Vec<_>>(), ["gpt-4o"]);
    let default = admin.price_list(only(PriceSource::Default)).await.unwrap().items;
    assert!(!default.is_empty() && default.iter().all(|view| view.model != "gpt-4o"));
}

fn list(entries: &serde_json::Value) -> ImportPrices {
    ImportPrices {
        list: Some(entries.to_string()),
        origin: Some("prices.json".into()),
        ..ImportPrices::default()
    }
}

#[tokio::test]
async fn us_an_import_does_exactly_what_its_preview_showed() {
    let house = House::new().await;
    let admin = house.admin();
    admin.price_put("mine".into(), input(price("1", "1"))).await.unwrap();
    let entries = json!({
        "mine": {"input_cost_per_token": 0.000_5, "mode": "chat"},
        "new-one": {"input_cost_per_token": 0.000_001, "output_cost_per_token": 0.000_002, "mode": "chat"},
        "nonsense": {"input_cost_per_token": -1, "mode": "chat"},
    });
    let preview = admin.price_preview(list(&entries)).await.unwrap();
    assert_eq!((preview.new, preview.kept_manual, preview.invalid), (1, 1, 1));
    assert_eq!(admin.price_fetch("new-one".into()).await.unwrap_err().code, "not_found");

    let seen = ImportPrices { preview: Some(preview.preview.clone()), ..list(&entries) };
    assert_eq!(admin.price_import(seen.clone()).await.unwrap().new, 1);
    let stored = admin.price_fetch("new-one".into()).await.unwrap();
    assert_eq!((stored.source, stored.origin.as_str()), (PriceSource::Imported, "prices.json"));
    assert_eq!(admin.price_fetch("mine".into()).await.unwrap().source, PriceSource::Manual);

    // By now it would do something else: nothing new.
    let stale = admin.price_import(seen).await.unwrap_err();
    assert_eq!(stale.status(), 409);
    let audit = house.audit("price.import").await;
    assert_eq!(audit.len(), 1);
    assert_eq!(audit[0].after.as_ref().unwrap()["new"], json!(1));
}

#[tokio::test]
async fn us_an_import_without_a_list_or_with_two_is_refused_by_field() {
    let house = House::new().await;
    let admin = house.admin();
    let none = admin.price_preview(ImportPrices::default()).await.unwrap_err();
    assert!(none.fields.contains_key("list"));
    let both = ImportPrices { url: Some("http://127.0.0.1:9/".into()), ..list(&json!({})) };
    assert!(admin.price_preview(both).await.unwrap_err().fields.contains_key("url"));
    let text = ImportPrices { list: Some("{".into()), ..ImportPrices::default() };
    assert!(admin.price_preview(text).await.unwrap_err().fields.contains_key("list"));
    let odd = ImportPrices { url: Some("ftp://host/list".into()), ..ImportPrices::default() };
    assert!(admin.price_preview(odd).await.unwrap_err().fields.contains_key("url"));
    assert!(admin.price_sync().await.unwrap_err().fields.contains_key("prices.sync_url"));
}

#[tokio::test]
async fn us_repricing_makes_up_for_a_price_that_was_unknown_and_tells_the_budgets() {
    let house = House::new().await;
    let (admin, cast) = (house.admin(), house.cast().await);
    admin.group_put("eu".into(), input(json!({"price_rate": "2"}))).await.unwrap();
    let id = house.book(&cast, |_| ()).await;
    let unpriced = admin.price_unpriced().await.unwrap();
    assert_eq!((unpriced[0].model.as_str(), unpriced[0].requests), ("house-model", 1));

    admin.price_put("house-model".into(), input(price("3", "10"))).await.unwrap();
    let which = Reprice { unpriced_only: true, ..Reprice::default() };
    let preview = admin.reprice_preview(which.clone()).await.unwrap();
    assert_eq!((preview.changed, preview.after_usd, preview.adjustment_id), (1, usd("16"), None));
    assert_eq!(admin.request_fetch(id.to_string()).await.unwrap().record.cost_usd, Money::ZERO);
    assert!(admin.reprice(which.clone()).await.unwrap_err().fields.contains_key("reason"));

    let which = Reprice { reason: Some("the price was not known".into()), ..which };
    let done = admin.reprice(which.clone()).await.unwrap();
    assert_eq!((done.changed, done.before_usd, done.after_usd), (1, Money::ZERO, usd("16")));
    let record = admin.request_fetch(id.to_string()).await.unwrap().record;
    // One million in at 3, half a million out at 10, twice that through the group; the provider takes the list price.
    assert_eq!(
        (record.base_cost_usd, record.cost_usd, record.provider_cost_usd),
        (usd("8"), usd("16"), usd("8"))
    );
    assert_eq!(record.price_state, PriceState::Priced);
    let user = crate::quota::scope(types::quota::ScopeKind::User, cast.user.0);
    assert_eq!(house.gateway.core.quotas.budgets.total(user), usd("16"));
    assert!(admin.price_unpriced().await.unwrap().is_empty());

    let again = admin.reprice(Reprice { unpriced_only: false, ..which }).await.unwrap();
    assert_eq!((again.changed, again.adjustment_id), (0, None), "what is right already is left alone");
    let kept = admin.adjustment_list().await.unwrap();
    assert_eq!((kept.len(), kept[0].rows, kept[0].reason.as_str()), (1, 1, "the price was not known"));
    assert_eq!(admin.ledger_audit().await.unwrap().violations, []);
}

#[tokio::test]
async fn us_repricing_keeps_the_factors_of_the_time() {
    let house = House::new().await;
    let (admin, cast) = (house.admin(), house.cast().await);
    admin.price_put("house-model".into(), input(price("1", "2"))).await.unwrap();
    house.book(&cast, |_| ()).await;
    let which = Reprice { reason: Some("first".into()), ..Reprice::default() };
    assert_eq!(admin.reprice(which.clone()).await.unwrap().after_usd, usd("2"));
    // The user pays triple from now on; what is past was not triple.
    admin.user_update(cast.user, input(json!({"price_rate": "3"}))).await.unwrap();
    admin.price_put("house-model".into(), input(price("2", "2"))).await.unwrap();
    assert_eq!(admin.reprice(which).await.unwrap().after_usd, usd("3"));
}

/// Answers each connection with the same bytes.
async fn list_server(house: &House, answer: String) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/prices.json?raw=1", listener.local_addr().unwrap());
    let draining = house.gateway.draining();
    house.gateway.tracker().spawn(async move {
        loop {
            let (mut stream, _) = tokio::select! {
                () = draining.cancelled() => return,
                accepted = listener.accept() => accepted.unwrap(),
            };
            let mut head = [0; 4_096];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    url
}

fn http(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

/// Lets some time pass, wakes the task and waits for its result.
async fn run_sync(house: &House, passed_ms: i64) -> String {
    let core = &house.gateway.core;
    house.clock.advance(passed_ms);
    assert!(core.tasks.wake("sync_prices"));
    loop {
        let view = core.tasks.views().into_iter().find(|view| view.name == "sync_prices").unwrap();
        if view.last_run_at == Some(house.clock.now()) {
            return view.last_result.unwrap();
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn us_a_list_is_synced_from_its_address_and_leaves_stronger_prices_alone() {
    let house = House::new().await;
    let admin = house.admin();
    let body = json!({
        "mine": {"input_cost_per_token": 0.000_5, "mode": "chat"},
        "filed": {"input_cost_per_token": 0.000_5, "mode": "chat"},
        "fresh": {"input_cost_per_token": 0.000_001, "mode": "chat"},
    });
    admin.price_put("mine".into(), input(price("1", "1"))).await.unwrap();
    admin
        .price_import(list(&json!({"filed": {"input_cost_per_token": 0.000_003, "mode": "chat"}})))
        .await
        .unwrap();
    let url = list_server(&house, http("200 OK", &body.to_string())).await;
    let preview = ImportPrices { url: Some(url.clone()), ..ImportPrices::default() };
    assert_eq!(admin.price_preview(preview).await.unwrap().new, 1);
    admin.setting_put("prices.sync_url".into(), url.clone()).await.unwrap();
    assert_eq!(admin.price_sync().await.unwrap().new, 1);
    let fresh = admin.price_fetch("fresh".into()).await.unwrap();
    assert_eq!((fresh.source, fresh.origin), (PriceSource::Synced, url));
    assert_eq!(admin.price_fetch("filed".into()).await.unwrap().source, PriceSource::Imported);
    assert_eq!(admin.price_fetch("mine".into()).await.unwrap().source, PriceSource::Manual);
    assert_eq!(house.audit("price.sync").await.len(), 1);

    // By the clock: when it is due, once, and under a name of its own.
    admin.price_reset("fresh".into()).await.unwrap();
    admin.setting_put("prices.sync_hours".into(), "24".into()).await.unwrap();
    assert_eq!(run_sync(&house, 1).await, "1 new, 0 changed, 0 invalid");
    assert_eq!(run_sync(&house, 60_000).await, "not due yet");
    assert_eq!(house.audit("price.sync").await[0].actor, "schedule");

    for (answer, said) in [
        (http("302 Found", ""), "redirects are not followed"),
        (http("404 Not Found", ""), "status 404"),
        (String::new(), "could not be fetched"),
    ] {
        let url = list_server(&house, answer).await;
        let problem = admin
            .price_preview(ImportPrices { url: Some(url), ..ImportPrices::default() })
            .await
            .unwrap_err();
        assert!(problem.code == "upstream_failed" && problem.message.contains(said), "{problem}");
    }
}
