//! `/api/admin/oauth`: vendors, and sign-ins with them.

use http::Method;
use types::oauth::{BeginFlow, FinishFlow, PutVendor};
use types::{OauthFlowId, Page};

use super::endpoint::{Call, Endpoint, endpoint};
use super::input::{Json, NoBody, NoQuery};

type ByName = Call<String, NoQuery, NoBody>;
type ById = Call<OauthFlowId, NoQuery, NoBody>;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vendors().into_iter().chain(flows()).collect()
}

fn vendors() -> Vec<Endpoint> {
    vec![
        endpoint(
            Method::GET,
            "/oauth/vendors",
            "List the vendors that accounts can be connected with",
            |admin, _: Call<(), NoQuery, NoBody>| async move { admin.vendor_list().await.map(Page::whole) },
        ),
        endpoint(Method::GET, "/oauth/vendors/{name}", "Fetch a vendor", |admin, call: ByName| async move {
            admin.vendor_fetch(call.path).await
        }),
        endpoint(
            Method::PUT,
            "/oauth/vendors/{name}",
            "Add a vendor, or change its descriptor or client; the client's secret is write-only",
            |admin, call: Call<String, NoQuery, Json<PutVendor>>| async move {
                admin.vendor_put(call.path, call.body.0).await
            },
        ),
        endpoint(
            Method::DELETE,
            "/oauth/vendors/{name}",
            "Forget what was changed of a vendor, or one that was added",
            |admin, call: ByName| async move { admin.vendor_delete(call.path).await },
        ),
    ]
}

fn flows() -> Vec<Endpoint> {
    vec![
        endpoint(
            Method::GET,
            "/oauth/flows",
            "List sign-ins with vendors, the latest first",
            |admin, _: Call<(), NoQuery, NoBody>| async move { admin.flow_list().await.map(Page::whole) },
        ),
        endpoint(
            Method::POST,
            "/oauth/flows",
            "Begin a sign-in: of a new account, or of a credential again",
            |admin, call: Call<(), NoQuery, Json<BeginFlow>>| async move { admin.flow_begin(call.body.0).await },
        )
        .creates(),
        endpoint(
            Method::GET,
            "/oauth/flows/{id}",
            "Fetch a sign-in; a device code that is due is asked for",
            |admin, call: ById| async move { admin.flow_fetch(call.path).await },
        ),
        endpoint(
            Method::POST,
            "/oauth/flows/{id}/finish",
            "Finish a sign-in by what the browser ended at: an address, a query, a fragment, or code#state",
            |admin, call: Call<OauthFlowId, NoQuery, Json<FinishFlow>>| async move {
                admin.flow_finish(call.path, call.body.0).await
            },
        ),
        endpoint(Method::POST, "/oauth/flows/{id}/cancel", "Give a sign-in up", |admin, call: ById| async move {
            admin.flow_cancel(call.path).await
        }),
    ]
}
