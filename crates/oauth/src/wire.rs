//! What token requests and answers look like on the wire, and how vendors bend the standard: JSON bodies, other
//! spellings, refusals with status 200, missing types.

use std::sync::{Mutex, PoisonError};

use futures_util::future::BoxFuture;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use http::{Request, Response};
use serde_json::{Map, Value};
use types::oauth::{BodyForm, VendorSpec};
use types::{Secret, Timestamp};
use url::form_urlencoded;

use crate::claims::{account_in, claims_of};
use crate::echo::Sent;
use crate::{Failure, Granted, TokenSet, Transport, Unreachable};

/// Longest answer that is looked at.
const LONGEST: usize = 256 * 1024;
/// What some servers put before their UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";
/// Longest life of a token that is believed: a year.
const LIFE_MAX_S: i64 = 366 * 86_400;

/// One exchange with an endpoint: rewrites what goes out, notes what came in.
pub(crate) struct Line<'a> {
    body: BodyForm,
    transport: &'a dyn Transport,
    seen: Mutex<Option<Result<Value, Failure>>>,
}

impl<'a> Line<'a> {
    pub(crate) fn new(spec: &VendorSpec, transport: &'a dyn Transport) -> Self {
        Self { body: spec.body, transport, seen: Mutex::new(None) }
    }

    /// Sends a form as the vendor wants it; answers with what the standard would have looked like.
    pub(crate) async fn send(&self, mut request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Unreachable> {
        let sent = Sent::of(&request);
        if self.body != BodyForm::Form {
            let object = to_object(request.body(), self.body == BodyForm::JsonCamel);
            *request.body_mut() = Value::Object(object).to_string().into_bytes();
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        let response = self.transport.send(request).await?;
        let status = response.status().as_u16();
        let mut read = Self::read(status, response.body());
        if read.is_err() {
            read = Self::read(status, &sent.cleaned(response.body()));
        }
        let normal = match &read {
            Ok(value) => Response::new(value.to_string().into_bytes()),
            Err(_) => response,
        };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
        let (mut head, body) = normal.into_parts();
        head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(Response::from_parts(head, body))
    }

    fn read(status: u16, body: &[u8]) -> Result<Value, Failure> {
        if body.len() > LONGEST {
            return Err(Failure::no_token());
        }
        let body = body.strip_prefix(BOM).unwrap_or(body);
        let value = serde_json::from_slice::<Value>(body).ok().and_then(|value| match value {
            Value::Object(map) => Some(normal(map)),
            _ => None,
        });
        let Some(value) = value.filter(|_| (200..300).contains(&status)) else {
            let failure = if (200..300).contains(&status) {
                Failure::no_token()
            } else {
                Failure::of_answer(status, body)
            };
            return Err(failure);
        };
        // GitHub refuses with status 200; others send an empty `error` along with their tokens.
        if value.get("error").is_some_and(|error| !matches!(error.as_str(), Some("")) && !error.is_null()) {
            return Err(Failure::of_answer(400, body));
        }
        Ok(Value::Object(value))
    }

    /// What was seen; a failure if nothing was.
    pub(crate) fn seen(&self) -> Result<Value, Failure> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).take();
        seen.unwrap_or_else(|| Err(Failure::no_token()))
    }
}

impl<'c> oauth2::AsyncHttpClient<'c> for Line<'_> {
    type Error = Unreachable;
    type Future = BoxFuture<'c, Result<Response<Vec<u8>>, Unreachable>>;

    fn call(&'c self, request: Request<Vec<u8>>) -> Self::Future {
        Box::pin(self.send(request))
    }
}

/// A form as a JSON object, with names in camel case if the vendor wants them so.
fn to_object(form: &[u8], camel: bool) -> Map<String, Value> {
    form_urlencoded::parse(form)
        .map(|(name, value)| {
            let name = if camel { to_camel(&name) } else { name.into_owned() };
            (name, Value::String(value.into_owned()))
        })
        .collect()
}

fn to_camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut text = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        text.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        text.push_str(letters.as_str());
    }
    text
}

fn to_snake(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

/// The answer as the standard spells it.
fn normal(map: Map<String, Value>) -> Map<String, Value> {
    let mut map: Map<String, Value> = map
        .into_iter()
        .map(|(name, value)| if name.contains('_') { (name, value) } else { (to_snake(&name), value) })
        .filter(|(_, value)| !value.is_null())
        .collect();
    for name in ["expires_in", "interval"] {
        let number = map.get(name).and_then(seconds);
        match number {
            Some(number) => drop(map.insert(name.to_owned(), number.max(0).into())),
            None => drop(map.remove(name)),
        }
    }
    if let Some(Value::Array(scopes)) = map.get("scope") {
        let text = scopes.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ");
        map.insert("scope".to_owned(), Value::String(text));
    }
    if map.contains_key("access_token") && !map.contains_key("token_type") {
        map.insert("token_type".to_owned(), Value::String("bearer".to_owned()));
    }
    map
}

fn seconds(value: &Value) -> Option<i64> {
    let number = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok());
    let fraction = || value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
    number.or_else(|| format!("{:.0}", fraction()?).parse().ok())
}

/// The tokens of an answer. `old` is the refresh token that was spent: kept if the vendor gave no new one (RF-06).
pub(crate) fn granted(
    answer: &Value,
    old: Option<&Secret<String>>,
    now: Timestamp,
) -> Result<Granted, Failure> {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let secret = |name: &str| text(name).map(|text| Secret::new(text.to_owned()));
    let access_token = secret("access_token").ok_or_else(Failure::no_token)?;
    if !access_token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::no_token());
    }
    let id_token = secret("id_token");
    let told = id_token.as_ref().map(|token| claims_of(token.expose()));
    let own = claims_of(access_token.expose());
    let life = answer.get("expires_in").and_then(Value::as_i64).map(|seconds| seconds.min(LIFE_MAX_S));
    let expires_at = life.map(|seconds| now.plus_ms(seconds.saturating_mul(1_000))).or(own.end(now));
    let account = account_in(answer).or(told.and_then(|claims| claims.account));
    Ok(Granted {
        expires_at,
        scopes: text("scope").map(|text| text.chars().take(2_000).collect()),
        account: account.or(own.account),
        set: TokenSet {
            access_token,
            refresh_token: secret("refresh_token").or_else(|| old.cloned()),
            id_token,
            token_type: text("token_type").map(str::to_owned),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_into_camel_case_and_back() {
        for (snake, camel) in [("client_id", "clientId"), ("grant_type", "grantType"), ("code", "code")] {
            assert_eq!((to_camel(snake).as_str(), to_snake(camel).as_str()), (camel, snake));
        }
    }

    #[test]
    fn answers_are_read_however_a_vendor_spells_them() {
        let read = |body: &str| Line::read(200, body.as_bytes()).unwrap();
        let value = read(r#"{"accessToken":"a","refreshToken":"r","expiresIn":"3600"}"#);
        assert_eq!(value["access_token"], "a");
        assert_eq!((&value["expires_in"], &value["token_type"]), (&3600.into(), &"bearer".into()));
        let value = read(r#"{"access_token":"a","expires_in":59.9,"scope":["a","b"],"id_token":null}"#);
        assert_eq!((&value["expires_in"], &value["scope"]), (&60.into(), &"a b".into()));
        assert!(value.get("id_token").is_none());
        assert_eq!(read(r#"{"access_token":"a","expires_in":-5}"#)["expires_in"], 0);
        assert_eq!(read("\u{feff}{\"access_token\":\"a\"}")["access_token"], "a");
        assert_eq!(read(r#"{"access_token":"a","error":""}"#)["access_token"], "a");
        assert_eq!(read(r#"{"access_token":"a","expires_in":"59.9"}"#)["expires_in"], 60);
        assert!(read(r#"{"access_token":"a","expires_in":"soon"}"#).get("expires_in").is_none());
    }

    #[test]
    fn a_refusal_with_status_200_is_a_refusal() {
        let body = br#"{"error":"bad_verification_code","error_description":"The code is incorrect"}"#;
        let failure = Line::read(200, body).unwrap_err();
        assert_eq!(failure.code.as_deref(), Some("bad_verification_code"));
        assert!(Line::read(200, b"<html>welcome</html>").is_err());
        assert!(Line::read(200, b"[]").is_err());
        let failure = Line::read(400, b"\xef\xbb\xbf{\"error\":\"invalid_grant\"}").unwrap_err();
        assert_eq!(failure.code.as_deref(), Some("invalid_grant"));
    }

    #[test]
    fn rf_06_the_old_refresh_token_is_kept_if_no_new_one_came() {
        let old = Secret::new("old".to_owned());
        let of = |body: &str| {
            let value = Line::read(200, body.as_bytes()).unwrap();
            granted(&value, Some(&old), Timestamp(1_000)).unwrap()
        };
        let kept = of(r#"{"access_token":"a","expires_in":10}"#);
        assert_eq!(kept.set.refresh_token.unwrap().expose(), "old");
        assert_eq!(kept.expires_at, Some(Timestamp(11_000)));
        let rotated = of(r#"{"access_token":"a","refresh_token":"new"}"#);
        assert_eq!(rotated.set.refresh_token.unwrap().expose(), "new");
        assert_eq!(rotated.expires_at, None);
    }

    #[test]
    fn a_life_that_nobody_would_grant_is_cut_and_no_header_breaks() {
        let value = Line::read(200, br#"{"access_token":"a","expires_in":9223372036854775807}"#).unwrap();
        let granted_at = granted(&value, None, Timestamp(0)).unwrap().expires_at.unwrap();
        assert_eq!(granted_at.0, LIFE_MAX_S * 1_000);
        let value = Line::read(200, br#"{"access_token":"a\r\nx: y"}"#).unwrap();
        assert!(granted(&value, None, Timestamp(0)).is_err());
        let value = Line::read(200, br#"{"refresh_token":"only"}"#).unwrap();
        assert!(granted(&value, None, Timestamp(0)).is_err());
    }
}
