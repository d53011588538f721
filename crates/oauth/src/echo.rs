//! What a vendor repeats of a request in its refusal: secrets are taken out before anything else reads it, because
//! refusals come to rest in logs, in the database and on pages.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use http::header::AUTHORIZATION;
use url::form_urlencoded;
use zeroize::Zeroizing;

/// What stands in the place of a secret.
const INSTEAD: &str = "[redacted]";
/// Shorter ones would take ordinary words out of sentences.
const SHORTEST: usize = 6;
/// Fields of token requests that are nobody's business.
const SECRET: [&str; 8] = [
    "refresh_token",
    "code",
    "code_verifier",
    "device_code",
    "client_secret",
    "client_assertion",
    "assertion",
    "subject_token",
];

/// The secrets of one request, in the spellings in which they may come back.
pub(crate) struct Sent(Vec<Zeroizing<String>>);

impl Sent {
    /// Of a request whose body is a form.
    pub(crate) fn of(request: &Request<Vec<u8>>) -> Self {
        let mut sent = Self(Vec::new());
        for (name, value) in form_urlencoded::parse(request.body()) {
            if SECRET.contains(&name.as_ref()) {
                sent.add(&value);
            }
        }
        let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        if let Some((scheme, secret)) = header.and_then(|text| text.split_once(' ')) {
            sent.add(secret);
            let pair = STANDARD.decode(secret).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"));
            let pair = pair.map(|bytes| Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()));
            if let Some((_, password)) = pair.as_ref().and_then(|pair| pair.split_once(':')) {
                sent.add(password);
                let spelled = format!("p={password}");
                form_urlencoded::parse(spelled.as_bytes()).for_each(|(_, plain)| sent.add(&plain));
            }
        }
        // What holds another one goes first, or half of it would stay.
        sent.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        sent
    }

    fn add(&mut self, secret: &str) {
        if secret.len() >= SHORTEST {
            let encoded = form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>();
            for spelling in [secret.to_owned(), encoded, secret.replace('/', "\\/")] {
                self.0.push(Zeroizing::new(spelling));
            }
        }
    }

    /// A refusal without them.
    pub(crate) fn cleaned(&self, body: &[u8]) -> Vec<u8> {
        let mut text = String::from_utf8_lossy(body).into_owned();
        for secret in &self.0 {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), INSTEAD);
            }
        }
        text.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_leak_secrets_are_found_in_every_spelling_and_ordinary_words_are_not() {
        let request = Request::builder()
            .header(AUTHORIZATION, format!("Basic {}", STANDARD.encode("gate:s%2Fcret-of-client")))
            .body(b"grant_type=refresh_token&refresh_token=r%2F1%2B2-token&code=abc".to_vec())
            .unwrap();
        let sent = Sent::of(&request);
        let clean = |text: &str| String::from_utf8(sent.cleaned(text.as_bytes())).unwrap();
        for text in ["no r/1+2-token", "no r%2F1%2B2-token", "no r\\/1+2-token", "no s/cret-of-client"] {
            assert_eq!(clean(text), "no [redacted]");
        }
        assert_eq!(clean("the refresh_token is unknown, abc"), "the refresh_token is unknown, abc");
    }
}
