//! Fetches a price list from an address that the administrator gave.
//!
//! It goes the same way as everything that is sent upstream: the outbound proxy, the trusted certificates, and the
//! addresses that are never contacted.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, ACCEPT_ENCODING, HeaderValue, USER_AGENT};
use http::{HeaderMap, Method, Uri};
use types::base_url::BaseUrl;
use types::limits::Limits;
use types::provider::{ProviderKind, ProviderSpec, Timeouts};
use types::{Factor, Problem, ProviderId};

use crate::price::MAX_BYTES;
use crate::snapshot::{Provider, Proxy};
use crate::upstream::{Prepared, Upstreams};

const DEADLINE: Duration = Duration::from_secs(30);

/// The text behind an address. `field` is named if the address itself is at fault.
pub(crate) async fn list(upstreams: &Upstreams, url: &str, field: &str) -> Result<String, Problem> {
    let bad = |why: String| Problem::field(field, why);
    let uri: Uri = url.trim().parse().map_err(|_| bad("expected an http(s) address".to_owned()))?;
    let origin =
        format!("{}://{}", uri.scheme_str().unwrap_or_default(), uri.authority().map_or("", |a| a.as_str()));
    let base_url = BaseUrl::parse(&origin).map_err(|error| bad(error.to_string()))?;
    let fetched = tokio::time::timeout(DEADLINE, read(upstreams, base_url, uri)).await;
    let failed =
        |why: String| Problem::new("upstream_failed", format!("the price list could not be fetched: {why}"));
    fetched.unwrap_or_else(|_| Err("no answer within 30 seconds".to_owned())).map_err(failed)
}

async fn read(upstreams: &Upstreams, base_url: BaseUrl, uri: Uri) -> Result<String, String> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/plain"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(USER_AGENT, HeaderValue::from_static("tollgate"));
    let request = Prepared { method: Method::GET, uri, headers, body: Bytes::new() };
    let mut answer = upstreams
        .fetch(&stand_in(base_url), &Proxy::Default, request)
        .await
        .map_err(|error| error.to_string())?;
    match answer.status.as_u16() {
        200 => {}
        300..=399 => return Err("redirects are not followed; enter the final address".to_owned()),
        status => return Err(format!("the address answers with status {status}")),
    }
    let broken = |error: std::io::Error| format!("the answer broke off: {error}");
    let mut all = BytesMut::new();
    if let Some(first) = answer.body.piece().await {
        let first = first.map_err(broken)?;
        let mut body = answer.body.decoded(&mut answer.headers, first).map_err(|error| error.to_string())?;
        while let Some(piece) = body.piece().await {
            all.extend_from_slice(&piece.map_err(broken)?);
            if all.len() > MAX_BYTES {
                return Err("it is larger than 16 MiB".to_owned());
            }
        }
    }
    String::from_utf8(all.into()).map_err(|_| "it is no UTF-8 text".to_owned())
}

/// The way to an upstream is chosen by its provider; a price list has none.
fn stand_in(base_url: BaseUrl) -> Provider {
    let spec = ProviderSpec {
        name: "price list".to_owned(),
        kind: ProviderKind::OpenAiCompatible,
        base_url,
        enabled: true,
        groups: Vec::new(),
        priority: 0,
        weight: 1,
        models: Vec::new(),
        model_redirects: std::collections::BTreeMap::new(),
        timeouts: Timeouts::default(),
        cost_multiplier: Factor::ONE,
        limits: Limits::default(),
        routing: types::routing::ProviderRouting::default(),
    };
    Provider::new(ProviderId(0), spec, Proxy::Default, Vec::new())
}
