//! The way through an outbound proxy (`http`, `https`, `socks5`): reqwest speaks all three.
//!
//! Redirects, cookies, referers and decompression are off, as on the direct way.

use std::time::Duration;

use futures_util::TryStreamExt;
use types::Secret;

use super::answer::{Answer, AnswerBody};
use super::connect::{ConnectFailure, last_cause};
use super::request::Prepared;
use super::{ConnectStep, SendError, egress};

/// One connection pool through one proxy.
#[derive(Debug)]
pub(super) struct ProxiedClient(reqwest::Client);

impl ProxiedClient {
    pub(super) fn new(
        tls: &rustls::ClientConfig,
        connect: Duration,
        proxy: &Secret<String>,
    ) -> Result<Self, SendError> {
        let unusable = |error: reqwest::Error| SendError::Connect {
            step: ConnectStep::Proxy,
            message: format!("the outbound proxy cannot be used: {}", last_cause(&error.without_url())),
        };
        let proxy = reqwest::Proxy::all(proxy.expose().as_str()).map_err(unusable)?;
        let mut tls = tls.clone();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        reqwest::Client::builder()
            .no_proxy()
            .proxy(proxy)
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(connect)
            .build()
            .map(Self)
            .map_err(unusable)
    }

    pub(super) async fn send(&self, request: Prepared) -> Result<Answer, SendError> {
        let host = request.uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        // The proxy resolves names, so only literal addresses can be judged here.
        if host.parse().is_ok_and(egress::is_denied) {
            return Err(SendError::Connect {
                step: ConnectStep::Denied,
                message: "this address is never contacted".into(),
            });
        }
        let Prepared { method, uri, headers, body } = request;
        let response = self
            .0
            .request(method, uri.to_string())
            .headers(headers)
            .body(body)
            .send()
            .await
            .map_err(|error| explain(&error.without_url()))?;
        Ok(Answer {
            status: response.status(),
            headers: response.headers().clone(),
            body: AnswerBody::stream(
                response.bytes_stream().map_err(|error| std::io::Error::other(error.without_url())),
            ),
        })
    }
}

fn explain(error: &reqwest::Error) -> SendError {
    let message = last_cause(error);
    if let Some(known) = ConnectFailure::find(error) {
        return SendError::Connect { step: known.step, message };
    }
    if error.is_connect() {
        return SendError::Connect { step: ConnectStep::Proxy, message };
    }
    SendError::NoAnswer(message)
}
