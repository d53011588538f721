//! WebSocket on `/v1/responses`: the handshake (RFC 6455, section 4.2). What follows is in [`talk`].

use axum::extract::{Request, State};
use axum::response::Response;
use gateway::Refusal;
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version};
use hyper::upgrade::OnUpgrade;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use types::dialect::Endpoint;

use super::context::Context;
use super::{forward, refuse};
use crate::middleware::csrf;
use crate::state::AppState;

mod incoming;
mod talk;
mod turn;

/// Headers of the handshake that its requests do not have: those of the connection, and those that name one request.
const HANDSHAKE_ONLY: [&str; 7] = [
    "connection",
    "upgrade",
    "origin",
    "content-length",
    "idempotency-key",
    "x-request-id",
    "transfer-encoding",
];

/// `GET /v1/responses`.
pub(super) async fn open(State(state): State<AppState>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let upgrade = parts.extensions.remove::<OnUpgrade>().filter(|_| asks_for_websocket(&parts));
    let Some(upgrade) = upgrade else { return expected(&state, &parts) };
    let accept = match accept_key(&parts.headers) {
        Ok(accept) => accept,
        Err(refusal) => return forward::refuse_parts(&state, &parts, &refusal),
    };
    let context = Context::of(&state, &parts);
    let path = parts.uri.path().to_owned();
    let ingress = forward::ingress(Endpoint::Responses, None, None, parts, &context);
    let opened = if csrf::is_foreign(&ingress.headers, state.gateway.site()) {
        Err(Refusal::new(
            403,
            "cross_origin",
            "a page of another origin may not open a WebSocket here; programs send no Origin header",
        ))
    } else {
        state.gateway.open_socket(&ingress, state.config.edge.sockets)
    };
    let socket = match opened {
        Ok(socket) => socket,
        Err(refusal) => return refuse::respond(state.gateway.refuse(&ingress, &refusal)),
    };
    let line = talk::Line {
        state,
        headers: headers_of_requests(&ingress.headers),
        path,
        peer: context.peer.detached(),
        id: ingress.request_id,
        client_ip: ingress.client_ip,
    };
    context.peer.hand_over(talk::run(upgrade, line, socket));
    let mut response = Response::default();
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    response
}

fn asks_for_websocket(parts: &Parts) -> bool {
    let says = |name: &HeaderName, word: &str| {
        parts
            .headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word)))
    };
    parts.version == Version::HTTP_11 && says(&CONNECTION, "upgrade") && says(&UPGRADE, "websocket")
}

/// A `GET` that is no handshake: a proxy in front dropped `Upgrade`, or a person looks. 426 makes Codex go on over plain
/// HTTP at once; any other refusal costs it seven tries or ends it.
fn expected(state: &AppState, parts: &Parts) -> Response {
    let refusal = Refusal::new(
        426,
        "upgrade_required",
        "this address takes POST, or the handshake of a WebSocket; a proxy in front may have dropped its Upgrade header",
    );
    let mut response = forward::refuse_parts(state, parts, &refusal);
    // RFC 9110, 15.5.22: the answer must name what to speak instead.
    response.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
    response
}

fn accept_key(headers: &HeaderMap) -> Result<HeaderValue, Refusal> {
    let wrong = |what: &str| Refusal::bad_request(format!("the handshake of the WebSocket is wrong: {what}"));
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(wrong("sec-websocket-version must be 13"));
    }
    let key = headers.get(SEC_WEBSOCKET_KEY).ok_or_else(|| wrong("sec-websocket-key is missing"))?;
    // 16 bytes in Base64.
    if key.len() != 24 || !key.as_bytes().ends_with(b"==") {
        return Err(wrong("sec-websocket-key must be 16 bytes in Base64"));
    }
    HeaderValue::from_str(&derive_accept_key(key.as_bytes())).map_err(|_| wrong("sec-websocket-key"))
}

/// What the requests of a socket are sent with: the handshake's headers, where they say something about a request.
fn headers_of_requests(handshake: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(handshake.len());
    for (name, value) in handshake {
        if !HANDSHAKE_ONLY.contains(&name.as_str()) && !name.as_str().starts_with("sec-") {
            headers.append(name.clone(), value.clone());
        }
    }
    // What names the protocol of the socket means nothing to an upstream that is asked over HTTP.
    let betas: Vec<String> = handshake
        .get_all("openai-beta")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|beta| !beta.starts_with("responses_websockets="))
        .map(str::to_owned)
        .collect();
    headers.remove("openai-beta");
    if let (false, Ok(value)) = (betas.is_empty(), HeaderValue::from_str(&betas.join(", "))) {
        headers.insert("openai-beta", value);
    }
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_of_a_socket_has_what_the_handshake_says_of_its_sender_and_nothing_of_the_connection() {
        let mut handshake = HeaderMap::new();
        for (name, value) in [
            ("host", "a"),
            ("authorization", "Bearer k"),
            ("user-agent", "codex_exec/0.169.0"),
            ("session-id", "s"),
            ("connection", "Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-key", "x"),
            ("sec-websocket-extensions", "permessage-deflate"),
            ("idempotency-key", "i"),
            ("x-request-id", "r"),
            ("openai-beta", "responses_websockets=2026-02-06, other=1"),
        ] {
            handshake.append(name, HeaderValue::from_static(value));
        }
        let headers = headers_of_requests(&handshake);
        let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            ["authorization", "content-type", "host", "openai-beta", "session-id", "user-agent"]
        );
        assert_eq!(headers.get("openai-beta").unwrap(), "other=1");
    }

    #[test]
    fn the_accepting_key_is_that_of_the_rfc() {
        let mut headers = HeaderMap::new();
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        assert_eq!(accept_key(&headers).unwrap_err().status, 400);
        headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ=="));
        assert_eq!(accept_key(&headers).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("8"));
        assert_eq!(accept_key(&headers).unwrap_err().status, 400);
    }
}
