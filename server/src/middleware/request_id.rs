//! Gives each request its identity, and keeps the caller's own beside it.
//!
//! The caller's id goes back in the answer, so that his logs and ours can be joined, but it is never our
//! primary key: two callers may choose the same text.

use http::{HeaderMap, HeaderName, HeaderValue};
use types::{RequestId, Timestamp};

/// The header, both ways.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Both identities of one request; an extension of every request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestIds {
    /// Ours: what the books and the log know it by.
    pub own: RequestId,
    /// The caller's `x-request-id`, if it is `[A-Za-z0-9_-]{1,64}`.
    pub client: Option<String>,
}

impl RequestIds {
    /// Makes ours and reads the caller's.
    pub fn assign(at: Timestamp, headers: &HeaderMap) -> Self {
        Self { own: new_id(at), client: client_id(headers) }
    }

    /// What the caller knows the request by: his own id if it is valid, else ours.
    pub fn shown(&self) -> String {
        self.client.clone().unwrap_or_else(|| self.own.to_string())
    }

    /// What the answer's `x-request-id` says.
    pub fn echo(&self) -> HeaderValue {
        let mut text = uuid::Uuid::encode_buffer();
        let shown = match &self.client {
            Some(client) => client.as_str(),
            None => self.own.0.as_hyphenated().encode_lower(&mut text),
        };
        HeaderValue::from_str(shown).unwrap_or(HeaderValue::from_static(""))
    }
}

/// A UUID version 7. The random part comes from the thread's generator: no system call for each request.
fn new_id(at: Timestamp) -> RequestId {
    let millis = u64::try_from(at.0).unwrap_or_default();
    RequestId(uuid::Builder::from_unix_timestamp_millis(millis, &rand::random::<[u8; 10]>()).into_uuid())
}

fn client_id(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(X_REQUEST_ID)?.to_str().ok()?;
    let valid = (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    valid.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(sent: &str) -> RequestIds {
        let mut headers = HeaderMap::new();
        headers.insert(X_REQUEST_ID, HeaderValue::from_bytes(sent.as_bytes()).unwrap());
        RequestIds::assign(Timestamp(1_795_000_000_000), &headers)
    }

    #[test]
    fn lg_04_a_valid_id_of_the_caller_is_echoed_and_never_replaces_ours() {
        let good = ids("trace_42-a");
        assert_eq!(good.client.as_deref(), Some("trace_42-a"));
        assert_eq!(good.echo(), "trace_42-a");
        assert_eq!(good.own.0.get_version_num(), 7);
    }

    #[test]
    fn ids_with_other_characters_or_of_other_lengths_are_ignored() {
        for bad in ["", "a b", "a;b", "x\u{e4}", "../../etc", &"a".repeat(65), "id=1"] {
            let ids = ids(bad);
            assert_eq!(ids.client, None, "{bad}");
            assert_eq!(ids.echo(), ids.own.to_string());
        }
    }

    #[test]
    fn ids_sort_by_time() {
        let headers = HeaderMap::new();
        let early = RequestIds::assign(Timestamp(1_000), &headers).own;
        let late = RequestIds::assign(Timestamp(2_000), &headers).own;
        assert!(early < late);
    }
}
