//! `/api/admin/prices` and what changes many of them at once: import, sync, re-pricing of what was booked.
//!
//! Model names hold slashes; in the path they are percent-encoded (`azure%2Fgpt-4o`).

use http::Method;
use types::Page;
use types::price::{ImportPrices, PriceFilter, PutPrice, Reprice};

use super::endpoint::{Call, Endpoint, endpoint};
use super::input::{Json, LargeJson, NoBody, NoQuery};

type ByModel = Call<String, NoQuery, NoBody>;

pub(super) fn endpoints() -> Vec<Endpoint> {
    entries().into_iter().chain(lists()).chain(corrections()).collect()
}

fn entries() -> Vec<Endpoint> {
    vec![
        endpoint(
            Method::GET,
            "/prices",
            "List prices, the table of this version included",
            |admin, call: Call<(), PriceFilter, NoBody>| async move { admin.price_list(call.query).await },
        ),
        endpoint(
            Method::GET,
            "/prices/{model}",
            "Fetch the price of a model; slashes in its name as %2F",
            |admin, call: ByModel| async move { admin.price_fetch(call.path).await },
        ),
        endpoint(
            Method::PUT,
            "/prices/{model}",
            "Enter a price for a model or a pattern; it holds for requests from now on",
            |admin, call: Call<String, NoQuery, Json<PutPrice>>| async move {
                admin.price_put(call.path, call.body.0).await
            },
        ),
        endpoint(
            Method::DELETE,
            "/prices/{model}",
            "Forget a stored price; the table of this version holds again",
            |admin, call: ByModel| async move { admin.price_reset(call.path).await },
        ),
        endpoint(
            Method::GET,
            "/unpriced-models",
            "List models that were used without a known price",
            |admin, _: Call<(), NoQuery, NoBody>| async move { admin.price_unpriced().await.map(Page::whole) },
        ),
    ]
}

fn lists() -> Vec<Endpoint> {
    vec![
        endpoint(
            Method::POST,
            "/price-import/preview",
            "Say what a price list in LiteLLM's format would change",
            |admin, call: Call<(), NoQuery, LargeJson<ImportPrices>>| async move {
                admin.price_preview(call.body.0).await
            },
        ),
        endpoint(
            Method::POST,
            "/price-import",
            "Import a price list; with `preview` only if it does what was looked at",
            |admin, call: Call<(), NoQuery, LargeJson<ImportPrices>>| async move {
                admin.price_import(call.body.0).await
            },
        ),
        endpoint(
            Method::POST,
            "/price-sync",
            "Fetch the list of `prices.sync_url` and import it",
            |admin, _: Call<(), NoQuery, NoBody>| async move { admin.price_sync().await },
        ),
    ]
}

fn corrections() -> Vec<Endpoint> {
    vec![
        endpoint(
            Method::POST,
            "/reprice/preview",
            "Say what computing past requests anew would change",
            |admin, call: Call<(), NoQuery, Json<Reprice>>| async move {
                admin.reprice_preview(call.body.0).await
            },
        ),
        endpoint(
            Method::POST,
            "/reprice",
            "Compute past requests anew with the prices of today; needs a `reason`",
            |admin, call: Call<(), NoQuery, Json<Reprice>>| async move { admin.reprice(call.body.0).await },
        ),
        endpoint(
            Method::GET,
            "/adjustments",
            "List the corrections of the books, newest first",
            |admin, _: Call<(), NoQuery, NoBody>| async move { admin.adjustment_list().await.map(Page::whole) },
        ),
    ]
}
