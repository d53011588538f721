//! Amazon's Signature Version 4, for requests whose whole body is at hand.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>. It signs the host, the
//! date, the content's type and a session's token; paths are escaped twice, as every service but S3 has it.

use std::fmt::Write;

use hmac::{Hmac, Mac};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use types::{Secret, Timestamp};
use zeroize::Zeroizing;

use super::{Outgoing, sensitive};

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: &AsciiSet = &UNRESERVED.remove(b'/');
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// Keys of an AWS account or role.
#[derive(Debug, Deserialize)]
pub(crate) struct AwsKey {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: Secret<String>,
    /// Of temporary keys.
    pub(crate) session_token: Option<Secret<String>>,
    /// `None`: the host of the address names it.
    pub(crate) region: Option<String>,
}

/// Why a request was not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unsigned {
    #[error("the AWS region is neither in the credential nor in the provider's address")]
    NoRegion,
    #[error("the AWS keys hold characters that no header may carry")]
    Malformed,
}

impl AwsKey {
    /// Reads what is stored; `None` if that is something else.
    pub(crate) fn parse(stored: &Secret<String>) -> Option<Self> {
        serde_json::from_str(stored.expose()).ok()
    }

    /// Adds date, token and signature to a request for a service.
    pub(crate) fn sign(
        &self,
        service: &str,
        at: Timestamp,
        request: &mut Outgoing<'_>,
    ) -> Result<(), Unsigned> {
        let host = request.uri.authority().map(|authority| authority.as_str().to_ascii_lowercase());
        let host = host.ok_or(Unsigned::NoRegion)?;
        let region = self.region.as_deref().or_else(|| region_of(&host)).ok_or(Unsigned::NoRegion)?;
        let time = chrono::DateTime::from_timestamp_millis(at.0).unwrap_or_default();
        let (stamp, day) = (time.format("%Y%m%dT%H%M%SZ").to_string(), time.format("%Y%m%d").to_string());
        let text = |value: &str| HeaderValue::from_str(value).map_err(|_| Unsigned::Malformed);
        request.headers.insert(DATE, text(&stamp)?);
        if let Some(token) = &self.session_token {
            request.headers.insert(TOKEN, sensitive(text(token.expose())?));
        }
        // In the order of their names, as the signature wants them.
        let mut signed = Vec::with_capacity(4);
        if let Some(kind) = request.headers.get(CONTENT_TYPE) {
            signed.push(("content-type", kind.to_str().map_err(|_| Unsigned::Malformed)?));
        }
        signed.extend([("host", host.as_str()), ("x-amz-date", stamp.as_str())]);
        if let Some(token) = &self.session_token {
            signed.push(("x-amz-security-token", token.expose()));
        }
        let names = signed.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let canonical = Zeroizing::new(canonical(request, &signed, &names));
        let scope = format!("{day}/{region}/{service}/aws4_request");
        let hashed = hex::encode(Sha256::digest(canonical.as_bytes()));
        let to_sign = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashed}");
        let mut key = Zeroizing::new(format!("AWS4{}", self.secret_access_key.expose()).into_bytes());
        for part in [&day, region, service, "aws4_request"] {
            key = Zeroizing::new(mac(&key, part.as_bytes()));
        }
        let signature = hex::encode(mac(&key, to_sign.as_bytes()));
        let id = &self.access_key_id;
        let value =
            format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}");
        request.headers.insert(AUTHORIZATION, sensitive(text(&value)?));
        Ok(())
    }
}

/// The region that a host of Amazon's names: the label before `amazonaws.com`.
pub(crate) fn region_of(host: &str) -> Option<&str> {
    let name = host.split(':').next().unwrap_or(host);
    let rest = name.strip_suffix(".amazonaws.com").or_else(|| name.strip_suffix(".amazonaws.com.cn"))?;
    // `vpce-….bedrock-runtime.us-east-1.vpce.amazonaws.com`
    let rest = rest.strip_suffix(".vpce").unwrap_or(rest);
    let region = rest.rsplit('.').next()?;
    (rest.len() > region.len() && region.contains('-')).then_some(region)
}

fn mac(key: &[u8], data: &[u8]) -> Vec<u8> {
    // HMAC takes keys of any length.
    let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(key) else { return Vec::new() };
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}

fn canonical(request: &Outgoing<'_>, signed: &[(&str, &str)], names: &str) -> String {
    let mut text = format!(
        "{}\n{}\n{}\n",
        request.method,
        utf8_percent_encode(request.uri.path(), PATH),
        canonical_query(request.uri.query().unwrap_or_default())
    );
    for (name, value) in signed {
        // Runs of blanks count as one.
        let value = value.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(text, "{name}:{value}");
    }
    let _ = write!(text, "\n{names}\n{}", hex::encode(Sha256::digest(request.body)));
    text
}

fn canonical_query(query: &str) -> String {
    let again = |text: &str| {
        let plain = percent_decode_str(text).collect::<Vec<u8>>();
        percent_encoding::percent_encode(&plain, UNRESERVED).to_string()
    };
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (again(name), again(value)))
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method, Uri};

    use super::*;

    /// 2015-08-30T12:36:00Z, the instant of Amazon's published test suite.
    const SUITE: Timestamp = Timestamp(1_440_938_160_000);

    fn key(region: Option<&str>) -> AwsKey {
        AwsKey {
            access_key_id: "AKIDEXAMPLE".into(),
            secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into()),
            session_token: None,
            region: region.map(str::to_owned),
        }
    }

    fn signed(key: &AwsKey, method: &Method, uri: &str, body: &[u8], kind: Option<&str>) -> HeaderMap {
        let uri: Uri = uri.parse().unwrap();
        let mut headers = HeaderMap::new();
        if let Some(kind) = kind {
            headers.insert(CONTENT_TYPE, kind.parse().unwrap());
        }
        let mut request = Outgoing { method, uri: &uri, body, headers: &mut headers };
        key.sign("service", SUITE, &mut request).unwrap();
        headers
    }

    #[test]
    fn signatures_are_those_of_amazons_published_test_suite() {
        let form = Some("application/x-www-form-urlencoded");
        for (method, uri, body, kind, names, signature) in [
            (
                Method::GET,
                "https://example.amazonaws.com/",
                &b""[..],
                None,
                "host;x-amz-date",
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                Method::GET,
                "https://example.amazonaws.com/?Param2=value2&Param1=value1",
                b"",
                None,
                "host;x-amz-date",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            (
                Method::POST,
                "https://example.amazonaws.com/",
                b"",
                None,
                "host;x-amz-date",
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            (
                Method::POST,
                "https://example.amazonaws.com/",
                b"Param1=value1",
                form,
                "content-type;host;x-amz-date",
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ),
        ] {
            let headers = signed(&key(Some("us-east-1")), &method, uri, body, kind);
            assert_eq!(headers["x-amz-date"], "20150830T123600Z");
            let expected = format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={names}, Signature={signature}"
            );
            assert_eq!(headers["authorization"], expected, "{method} {uri}");
            assert!(headers["authorization"].is_sensitive());
        }
    }

    #[test]
    fn a_session_token_is_sent_and_signed() {
        let mut key = key(Some("us-east-1"));
        key.session_token = Some(Secret::new("session-token-1".into()));
        let headers = signed(&key, &Method::GET, "https://example.amazonaws.com/", b"", None);
        assert_eq!(headers["x-amz-security-token"], "session-token-1");
        assert!(headers["x-amz-security-token"].is_sensitive());
        let text = headers["authorization"].to_str().unwrap();
        assert!(text.contains("SignedHeaders=host;x-amz-date;x-amz-security-token, "), "{text}");
    }

    #[test]
    fn the_region_is_the_keys_own_or_the_hosts() {
        for (host, region) in [
            ("bedrock-runtime.us-east-1.amazonaws.com", Some("us-east-1")),
            ("bedrock-runtime.eu-west-3.amazonaws.com:443", Some("eu-west-3")),
            ("bedrock-runtime.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            ("vpce-1.bedrock-runtime.us-east-1.vpce.amazonaws.com", Some("us-east-1")),
            ("example.amazonaws.com", None),
            ("bedrock.example.com", None),
            ("127.0.0.1:9000", None),
        ] {
            assert_eq!(region_of(host), region, "{host}");
        }
        let uri: Uri = "http://127.0.0.1:9000/x".parse().unwrap();
        let mut headers = HeaderMap::new();
        let mut request = Outgoing { method: &Method::GET, uri: &uri, body: b"", headers: &mut headers };
        assert_eq!(key(None).sign("bedrock", SUITE, &mut request), Err(Unsigned::NoRegion));
    }

    #[test]
    fn names_of_models_are_escaped_twice_and_queries_sorted() {
        let uri: Uri = "https://h/model/a%3A0/invoke?b=2&a=1&a=%7e&c".parse().unwrap();
        let mut headers = HeaderMap::new();
        let request = Outgoing { method: &Method::POST, uri: &uri, body: b"{}", headers: &mut headers };
        let text = canonical(&request, &[("host", "h")], "host");
        assert!(text.starts_with("POST\n/model/a%253A0/invoke\na=1&a=~&b=2&c=\nhost:h\n\nhost\n"), "{text}");
    }
}
