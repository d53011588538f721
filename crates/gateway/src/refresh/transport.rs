//! The way to token endpoints: the same outbound rules as for everything else of that account (its proxy, the trusted
//! certificates, the addresses that are never contacted). Nothing but what crate `oauth` writes goes there.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use http::header::{ACCEPT_ENCODING, HeaderValue, USER_AGENT};
use http::{Request, Response};
use oauth::{Transport, Unreachable};
use types::{CredentialId, ProviderId};

use crate::core::Core;
use crate::snapshot::{Provider, Proxy, Snapshot};
use crate::upstream::Prepared;

/// Most of an answer that is read.
const ANSWER: usize = 512 * 1024;
/// Longest wait for a whole answer.
const DEADLINE: Duration = Duration::from_secs(30);

/// The way that the requests of one provider, or of one of its credentials, take.
pub(crate) struct Way<'a> {
    core: &'a Core,
    provider: &'a Provider,
    own: &'a Proxy,
}

impl<'a> Way<'a> {
    /// Of a provider that is configured.
    pub(crate) fn of(
        core: &'a Core,
        snapshot: &'a Snapshot,
        provider: ProviderId,
        credential: Option<CredentialId>,
    ) -> Option<Self> {
        let provider = snapshot.providers.iter().find(|known| known.id == provider)?;
        let credential = provider.credentials.iter().find(|known| Some(known.id) == credential);
        Some(Self::through(core, provider, credential.map_or(&Proxy::Default, |known| &known.proxy)))
    }

    /// Of a provider, with the proxy of a credential.
    pub(crate) fn through(core: &'a Core, provider: &'a Provider, own: &'a Proxy) -> Self {
        Self { core, provider, own }
    }

    async fn ask(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Unreachable> {
        let (head, body) = request.into_parts();
        let mut headers = head.headers;
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(USER_AGENT, HeaderValue::from_static("tollgate"));
        let request = Prepared { method: head.method, uri: head.uri, headers, body: Bytes::from(body) };
        let sent = self.core.upstreams.ask_for_token(self.provider, self.own, request).await;
        let mut answer = sent.map_err(|error| Unreachable(error.to_string()))?;
        let mut all = BytesMut::new();
        while let Some(piece) = answer.body.piece().await {
            let piece = piece.map_err(|error| Unreachable(format!("the answer broke off: {error}")))?;
            all.extend_from_slice(&piece);
            if all.len() > ANSWER {
                return Err(Unreachable("the answer is larger than 512 KiB".to_owned()));
            }
        }
        let mut response = Response::new(all.to_vec());
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }
}

impl Transport for Way<'_> {
    fn send(&self, request: Request<Vec<u8>>) -> BoxFuture<'_, Result<Response<Vec<u8>>, Unreachable>> {
        Box::pin(async move {
            let late = |_| Unreachable("no answer within 30 s".to_owned());
            tokio::time::timeout(DEADLINE, self.ask(request)).await.map_err(late)?
        })
    }
}
