//! Who may come in at the faces of Amazon, Google and Microsoft, and the endpoints that give out access tokens there.
//!
//! Nothing is checked until somebody is admitted: a fake that nobody told about accounts answers everybody.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::amazon::{self, AwsAccount};
use crate::request::Received;

/// A service account of Google's.
#[derive(Clone, Debug, Default)]
pub struct ServiceAccount {
    /// Its e-mail: the statement's issuer.
    pub email: String,
    /// Its public key: DER, PKCS #1.
    pub public_key: Vec<u8>,
}

/// A client of Microsoft Entra ID's.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// Part of the token endpoint's path.
    pub tenant: String,
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: String,
}

/// Everybody who was admitted.
#[derive(Debug)]
pub(crate) struct Doors {
    pub(crate) aws: Vec<AwsAccount>,
    pub(crate) services: Vec<ServiceAccount>,
    pub(crate) clients: Vec<Client>,
    /// Access tokens with the second in which they end.
    tokens: HashMap<String, u64>,
    pub(crate) life_s: u64,
    minted: u64,
}

impl Default for Doors {
    fn default() -> Self {
        let none = (Vec::new(), Vec::new(), Vec::new());
        Self {
            aws: none.0,
            services: none.1,
            clients: none.2,
            tokens: HashMap::new(),
            life_s: 3_600,
            minted: 0,
        }
    }
}

/// An answer given at the door.
#[derive(Debug)]
pub(crate) struct Word {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) error_type: Option<&'static str>,
}

impl Word {
    fn new(status: u16, body: Value) -> Self {
        Self { status, body, error_type: None }
    }
}

/// Whether it asks for a token.
pub(crate) fn gives_tokens(request: &Received) -> bool {
    request.method == "POST" && (request.path() == "/token" || is_microsofts(request))
}

fn is_microsofts(request: &Received) -> bool {
    request.path().ends_with("/oauth2/v2.0/token")
}

impl Doors {
    /// The door's own answer; `None` if the request may go on.
    #[expect(clippy::disallowed_methods, reason = "the far side has a clock of its own, as vendors do")]
    pub(crate) fn judge(&mut self, request: &Received) -> Option<Word> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let path = request.path();
        if gives_tokens(request) {
            let microsofts = is_microsofts(request);
            return Some(if microsofts { self.client(request, now) } else { self.statement(request, now) });
        }
        if !self.aws.is_empty() && amazon::is_concerned(request) {
            let (kind, message) = amazon::check(request, &self.aws, now).err()?;
            let body = json!({ "message": message });
            return Some(Word { status: 403, body, error_type: Some(kind) });
        }
        let google = !self.services.is_empty() && path.contains("/publishers/");
        let microsoft = !self.clients.is_empty() && path.starts_with("/openai/");
        if (google || microsoft) && !self.is_known(request, now) {
            let body = if google {
                json!({"error": {"code": 401, "status": "UNAUTHENTICATED",
                    "message": "Request had invalid authentication credentials."}})
            } else {
                json!({"error": {"code": "401", "message": "Access token is missing, invalid, or expired."}})
            };
            return Some(Word::new(401, body));
        }
        None
    }

    /// Takes back every token that was given out.
    pub(crate) fn revoke(&mut self) {
        self.tokens.clear();
    }

    pub(crate) fn minted(&self) -> u64 {
        self.minted
    }

    fn is_known(&self, request: &Received, now: u64) -> bool {
        let token = request.header("authorization").and_then(|text| text.strip_prefix("Bearer "));
        token.and_then(|token| self.tokens.get(token)).is_some_and(|end| *end > now)
    }

    fn give(&mut self, now: u64) -> Word {
        self.minted += 1;
        let token = format!("fake-access-token-{}", self.minted);
        self.tokens.insert(token.clone(), now + self.life_s);
        Word::new(200, json!({"access_token": token, "token_type": "Bearer", "expires_in": self.life_s}))
    }

    /// A statement signed by a service account (RFC 7523).
    fn statement(&mut self, request: &Received, now: u64) -> Word {
        let refuse =
            |what: &str| Word::new(400, json!({"error": "invalid_grant", "error_description": what}));
        let form = form(request);
        let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        if field("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
            return refuse("Unsupported grant type.");
        }
        let Some((signed, signature)) = field("assertion").rsplit_once('.') else {
            return refuse("Invalid JWT.");
        };
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
        let read = |part: usize| {
            let text = signed.split('.').nth(part).unwrap_or_default();
            serde_json::from_slice::<Value>(&decode(text)).unwrap_or_default()
        };
        let (header, claims) = (read(0), read(1));
        let known = self.services.iter().find(|account| text(&claims, "iss") == account.email);
        let Some(account) = known.filter(|_| text(&header, "alg") == "RS256") else {
            return refuse("Invalid grant: account not found");
        };
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &account.public_key);
        if key.verify(signed.as_bytes(), &decode(signature)).is_err() {
            return refuse("Invalid JWT Signature.");
        }
        let host = request.header("host").unwrap_or_default();
        let (issued, end) = (number(&claims, "iat"), number(&claims, "exp"));
        if text(&claims, "aud") != format!("http://{host}/token") {
            return refuse("Invalid JWT: wrong audience.");
        }
        if end <= now || issued > now + 10 || end.saturating_sub(issued) > 3_600 {
            return refuse("Invalid JWT: Token must be a short-lived token and in a reasonable timeframe.");
        }
        if text(&claims, "scope") != "https://www.googleapis.com/auth/cloud-platform" {
            return refuse("Invalid OAuth scope.");
        }
        self.give(now)
    }

    /// Id and secret of a client (RFC 6749, section 4.4).
    fn client(&mut self, request: &Received, now: u64) -> Word {
        let form = form(request);
        let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let tenant = request.path().trim_start_matches('/').split('/').next().unwrap_or_default();
        let known = self.clients.iter().any(|client| {
            client.tenant == tenant
                && client.id == field("client_id")
                && client.secret == field("client_secret")
        });
        let fits = field("grant_type") == "client_credentials"
            && field("scope") == "https://cognitiveservices.azure.com/.default";
        if known && fits {
            return self.give(now);
        }
        let why = "AADSTS7000215: Invalid client secret provided.";
        Word::new(401, json!({"error": "invalid_client", "error_description": why}))
    }
}

fn text<'a>(claims: &'a Value, name: &str) -> &'a str {
    claims.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn number(claims: &Value, name: &str) -> u64 {
    claims.get(name).and_then(Value::as_u64).unwrap_or_default()
}

fn form(request: &Received) -> HashMap<String, String> {
    let text = String::from_utf8_lossy(&request.body);
    let plain = |text: &str| {
        let mut bytes = Vec::with_capacity(text.len());
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            bytes.push(match byte {
                b'+' => b' ',
                b'%' => {
                    let digits: Vec<u8> = rest.by_ref().take(2).collect();
                    let digits = String::from_utf8_lossy(&digits).into_owned();
                    u8::from_str_radix(&digits, 16).unwrap_or(b'?')
                }
                other => other,
            });
        }
        String::from_utf8_lossy(&bytes).into_owned()
    };
    text.split('&').filter_map(|pair| pair.split_once('=')).map(|(n, v)| (plain(n), plain(v))).collect()
}
