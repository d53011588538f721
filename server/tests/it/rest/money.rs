//! Prices, groups, packages, quotas and the books over the admin REST API: shapes, statuses, strictness. What they do
//! to requests is tested elsewhere.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::check_error;
use crate::auth::console::{Answer, Console};

async fn post(console: &Console, path: &str, body: Value) -> Answer {
    console.rest(Method::POST, path, Some(body)).await
}

async fn get(console: &Console, path: &str) -> Value {
    let answer = console.rest(Method::GET, path, None).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {answer:?}");
    answer.json()
}

#[tokio::test]
async fn a_price_lives_under_a_name_with_a_slash_and_goes_back_to_the_table() {
    let console = Console::start().await;
    let path = "/prices/acme%2Fmodel-1";
    check_error(&console.rest(Method::GET, path, None).await, 404, "not_found");
    let price = json!({ "input_per_million_usd": "3", "output_per_million_usd": 15.5 });
    let put = console.rest(Method::PUT, path, Some(price.clone())).await;
    assert_eq!(put.status, StatusCode::OK, "{put:?}");
    let view = put.json();
    assert_eq!((&view["model"], &view["source"]), (&json!("acme/model-1"), &json!("manual")));
    assert_eq!(view["output_per_million_usd"], "15.5");
    assert_eq!(get(&console, "/prices?q=acme&source=manual").await["items"][0]["model"], "acme/model-1");

    let mut stale = price;
    stale["version"] = json!(view["version"].as_i64().unwrap() + 1);
    check_error(&console.rest(Method::PUT, path, Some(stale)).await, 409, "stale_version");
    assert_eq!(console.rest(Method::DELETE, path, None).await.status, StatusCode::NO_CONTENT);
    check_error(&console.rest(Method::GET, path, None).await, 404, "not_found");
    let known = get(&console, "/prices?source=default&limit=1").await;
    assert_eq!(known["items"][0]["source"], "default");
    assert!(known["next"].is_string(), "the table of this version has more than one entry");
}

#[tokio::test]
async fn amounts_that_make_no_sense_are_refused_by_the_name_of_their_field() {
    let console = Console::start().await;
    for (body, field) in [
        (json!({ "input_per_million_usd": "-1", "output_per_million_usd": "1" }), "input_per_million_usd"),
        (json!({ "input_per_million_usd": "NaN", "output_per_million_usd": "1" }), "input_per_million_usd"),
        (json!({ "input_per_million_usd": "1e30", "output_per_million_usd": "1" }), "input_per_million_usd"),
        (
            json!({ "input_per_million_usd": "1", "output_per_million_usd": "0.0000000001" }),
            "output_per_million_usd",
        ),
        (json!({ "input_per_million": "1" }), "input_per_million"),
        (json!({}), "input_per_million_usd"),
    ] {
        let answer = console.rest(Method::PUT, "/prices/m", Some(body)).await;
        check_error(&answer, 422, "invalid_input");
        assert!(answer.json()["error"]["fields"].get(field).is_some(), "{field}: {answer:?}");
    }
    check_error(&console.rest(Method::GET, "/prices/m", None).await, 404, "not_found");
    for (path, body, field) in [
        ("/users", json!({ "name": "a", "limits": { "daily_limit_usd": "-5" } }), "limits.daily_limit_usd"),
        ("/users", json!({ "name": "a", "price_rate": "1001" }), "price_rate"),
        ("/packages", json!({ "name": "p", "kind": "quota", "total_usd": "x" }), "total_usd"),
        ("/packages", json!({ "name": "p", "kind": "quota" }), "total_usd"),
        ("/reprice", json!({ "model": "m" }), "reason"),
    ] {
        let answer = post(&console, path, body).await;
        check_error(&answer, 422, "invalid_input");
        assert!(answer.json()["error"]["fields"].get(field).is_some(), "{field}: {answer:?}");
    }
}

#[tokio::test]
async fn a_list_larger_than_a_call_is_imported_exactly_as_it_was_previewed() {
    let console = Console::start().await;
    let mut list = json!({
        "acme-1": { "input_cost_per_token": 3e-6, "output_cost_per_token": 1.5e-5, "litellm_provider": "acme", "mode": "chat" },
        "acme-2": { "input_cost_per_token": -1, "output_cost_per_token": 1e-6, "litellm_provider": "acme", "mode": "chat" },
    });
    list["note"] = json!({ "filler": "x".repeat(2 << 20) });
    let mut body = json!({ "list": list.to_string(), "origin": "acme.json" });
    let preview = post(&console, "/price-import/preview", body.clone()).await;
    assert_eq!(preview.status, StatusCode::OK, "{}", preview.body.chars().take(500).collect::<String>());
    let preview = preview.json();
    assert_eq!((&preview["new"], &preview["changed"]), (&json!(1), &json!(0)), "{preview}");
    assert!(preview["invalid"].as_u64().unwrap() >= 1, "{preview}");
    check_error(&console.rest(Method::GET, "/prices/acme-1", None).await, 404, "not_found");

    body["preview"] = json!("of another list");
    check_error(&post(&console, "/price-import", body.clone()).await, 409, "stale_version");
    body["preview"] = preview["preview"].clone();
    assert_eq!(post(&console, "/price-import", body).await.status, StatusCode::OK);
    let price = get(&console, "/prices/acme-1").await;
    assert_eq!((&price["input_per_million_usd"], &price["source"]), (&json!("3"), &json!("imported")));

    check_error(&post(&console, "/price-sync", Value::Null).await, 422, "invalid_input");
    let large = json!({ "list": "x".repeat(2 << 20) });
    let elsewhere = post(&console, "/reprice", large).await;
    assert_eq!(elsewhere.status, StatusCode::PAYLOAD_TOO_LARGE, "only lists and invoices may be large");
    let huge = json!({ "list": "x".repeat(17 << 20) });
    assert_eq!(post(&console, "/price-import", huge).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn pk_05_a_package_is_granted_extended_revoked_and_given_back() {
    let console = Console::start().await;
    let (user, _) = console.member("ann").await;
    let package = json!({ "name": "small", "kind": "quota", "total_usd": "20", "duration_days": 30 });
    let made = post(&console, "/packages", package.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let id = made.json()["id"].as_i64().unwrap();
    check_error(&post(&console, "/packages", package).await, 409, "conflict");
    let template = format!("/packages/{id}");
    let changed = console.rest(Method::PATCH, &template, Some(json!({ "total_usd": "25" }))).await;
    assert_eq!((changed.status, &changed.json()["total_usd"]), (StatusCode::OK, &json!("25")), "{changed:?}");
    check_error(&console.rest(Method::GET, "/packages/4711", None).await, 404, "not_found");
    check_error(&console.rest(Method::GET, "/packages/x", None).await, 404, "not_found");

    let grants = format!("/users/{user}/packages");
    check_error(&post(&console, "/users/4711/packages", json!({ "package_id": id })).await, 404, "not_found");
    check_error(&post(&console, &grants, json!({ "package_id": 4711 })).await, 422, "invalid_input");
    let granted = post(&console, &grants, json!({ "package_id": id })).await;
    assert_eq!(granted.status, StatusCode::CREATED, "{granted:?}");
    let grant = granted.json();
    assert_eq!((&grant["state"], &grant["total_usd"]), (&json!("active"), &json!("25")));
    assert!(grant["ends_at"].is_string());
    let path = format!("/grants/{}", grant["id"]);
    for (change, field, value) in [
        (json!({ "ends_at": null }), "ends_at", Value::Null),
        (json!({ "disabled": true }), "state", json!("disabled")),
        (json!({ "disabled": false, "total_usd": "50" }), "state", json!("active")),
    ] {
        let answer = console.rest(Method::PATCH, &path, Some(change)).await;
        assert_eq!((answer.status, &answer.json()[field]), (StatusCode::OK, &value), "{answer:?}");
    }
    assert_eq!(get(&console, &grants).await["items"].as_array().unwrap().len(), 1);
    assert_eq!(get(&console, &format!("/grants?user_id={user}")).await["items"][0]["total_usd"], "50");
    assert_eq!(
        post(&console, &format!("{path}/usage-reset"), Value::Null).await.status,
        StatusCode::NO_CONTENT
    );

    assert_eq!(console.rest(Method::DELETE, &template, None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(get(&console, "/packages").await["items"], json!([]));
    assert_eq!(
        get(&console, "/grants").await["items"].as_array().unwrap().len(),
        1,
        "what was granted stays"
    );
    assert_eq!(post(&console, &format!("{template}/restore"), Value::Null).await.status, StatusCode::OK);
}

#[tokio::test]
async fn groups_have_rates_and_usage_is_reset_by_name_and_by_number() {
    let console = Console::start().await;
    let (user, _) = console.member("ann").await;
    let put = |body: Value| console.rest(Method::PUT, "/groups/fast", Some(body));
    let set = put(json!({ "price_rate": "1.2", "limits": { "daily_limit_usd": "100" } })).await;
    assert_eq!(set.status, StatusCode::OK, "{set:?}");
    assert_eq!(set.json()["price_rate"], "1.2");
    check_error(&put(json!({ "price_rate": "2", "version": 0 })).await, 409, "stale_version");
    check_error(&put(json!({ "rate": "2" })).await, 422, "invalid_input");
    assert_eq!(get(&console, "/groups").await["items"][0]["limits"]["daily_limit_usd"], "100");

    for path in [format!("/users/{user}"), "/groups/fast".to_owned()] {
        let answer = post(&console, &format!("{path}/usage-reset"), Value::Null).await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::NO_CONTENT, ""), "{path}");
    }
    for path in
        ["/users/4711", "/keys/4711", "/providers/4711", "/credentials/4711", "/grants/4711", "/groups/none"]
    {
        check_error(&post(&console, &format!("{path}/usage-reset"), Value::Null).await, 404, "not_found");
    }
}

#[tokio::test]
async fn quotas_and_books_answer_in_the_agreed_shapes() {
    let console = Console::start().await;
    let (user, _) = console.member("ann").await;
    let limits = json!({ "limits": { "daily_limit_usd": "5", "rpm_limit": 60 } });
    let changed = console.rest(Method::PATCH, &format!("/users/{user}"), Some(limits)).await;
    assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
    let quotas = get(&console, &format!("/quotas?user_id={user}")).await;
    let daily = quotas["items"].as_array().unwrap().iter().find(|l| l["limit_name"] == "daily_limit_usd");
    let daily = daily.unwrap_or_else(|| panic!("{quotas}"));
    assert_eq!(
        (&daily["limit"], &daily["used"], &daily["reserved"]),
        (&json!("5"), &json!("0"), &json!("0"))
    );
    assert!(daily["resets_at"].is_string(), "{daily}");
    check_error(&console.rest(Method::GET, "/quotas?user_id=4711", None).await, 404, "not_found");
    check_error(&console.rest(Method::GET, "/quotas?user=1", None).await, 422, "invalid_input");

    let audit = get(&console, "/ledger/audit").await;
    assert_eq!(audit["violations"], json!([]), "{audit}");
    assert!(audit["invariants"].as_array().unwrap().len() > 1, "{audit}");
    let compared = get(&console, &format!("/ledger/reconcile?user_id={user}")).await;
    assert_eq!((&compared["differences"], &compared["rebuilt"]), (&json!([]), &json!(false)));
    let rebuilt = post(&console, "/ledger/rebuild", json!({ "since": "2026-01-01" })).await;
    assert_eq!((rebuilt.status, &rebuilt.json()["rebuilt"]), (StatusCode::OK, &json!(true)), "{rebuilt:?}");
    let invoice = json!({ "csv": "date,model,cost\n2026-11-20,gpt-4o,1.25\nnonsense\n" });
    let invoice = post(&console, "/ledger/invoice", invoice).await;
    assert_eq!(invoice.status, StatusCode::OK, "{invoice:?}");
    assert_eq!(invoice.json()["invoiced_usd"], "1.25");
    assert_eq!(invoice.json()["unread"].as_array().unwrap().len(), 1);

    assert_eq!(get(&console, "/unpriced-models").await["items"], json!([]));
    assert_eq!(get(&console, "/adjustments").await["items"], json!([]));
    let preview = post(&console, "/reprice/preview", json!({ "unpriced_only": true })).await;
    assert_eq!((preview.status, &preview.json()["changed"]), (StatusCode::OK, &json!(0)), "{preview:?}");
}

#[tokio::test]
async fn usage_comes_as_a_file_for_programs_and_for_the_page() {
    let console = Console::start().await;
    let (_, key) = console.member("ann").await;
    let csv = console.rest(Method::GET, "/usage/export?by=user", None).await;
    assert_eq!(csv.status, StatusCode::OK, "{csv:?}");
    assert!(csv.header("content-type").starts_with("text/csv"), "{csv:?}");
    assert_eq!(csv.header("content-disposition"), "attachment; filename=\"usage-by-user.csv\"");
    assert!(csv.body.starts_with("by,key,label,requests,"), "{csv:?}");
    let json = console.rest(Method::GET, "/usage/export?by=model&format=json", None).await;
    assert_eq!((json.header("content-type"), json.json().is_array()), ("application/json", true));
    check_error(&console.rest(Method::GET, "/usage/export?format=xls", None).await, 422, "invalid_input");
    check_error(&console.rest(Method::GET, "/usage/export?span=7d", None).await, 422, "invalid_input");

    let admin = console.admin_session().await;
    let page = console.page("/usage/export?by=day&format=csv", &admin).await;
    assert_eq!((page.status, page.body.starts_with("by,key,")), (StatusCode::OK, true), "{page:?}");
    assert_eq!(
        console.page("/usage/export?format=xls", &admin).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let member = console.sign_in(&key).await;
    assert_eq!(console.page("/usage/export", &member).await.status, StatusCode::FORBIDDEN);
    let stranger = console.page("/usage/export?by=day", "").await;
    assert!(stranger.header("location").starts_with("/login?next=%2Fusage%2Fexport"), "{stranger:?}");
}
