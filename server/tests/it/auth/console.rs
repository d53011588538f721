//! A running server seen from outside: real sockets, no redirects followed, no cookies kept unless asked for.

use std::path::Path;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, SET_COOKIE};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use server::state::AppState;
use server::{Server, ServerConfig};
use tokio_util::task::TaskTracker;

pub(crate) struct Console {
    pub(crate) base: String,
    pub(crate) token: String,
    pub(crate) state: AppState,
    http: Client<HttpConnector, Full<Bytes>>,
    _tasks: TaskTracker,
    _dir: tempfile::TempDir,
    _database: Option<store::testing::TestStore>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.body))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// `name=value` of a cookie that the answer sets.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.set_cookie(name).map(|line| line.split(';').next().unwrap().to_owned())
    }

    /// The whole `Set-Cookie` line.
    pub(crate) fn set_cookie(&self, name: &str) -> Option<String> {
        let prefix = format!("{name}=");
        self.headers
            .get_all(SET_COOKIE)
            .iter()
            .map(|line| line.to_str().unwrap().to_owned())
            .find(|line| line.starts_with(&prefix))
    }
}

/// Headers of a form that one of our own pages sends.
pub(crate) const FORM: &[(&str, &str)] = &[
    ("content-type", "application/x-www-form-urlencoded"),
    ("sec-fetch-site", "same-origin"),
    ("accept", "text/html"),
];

impl Console {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut ServerConfig)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = ServerConfig::for_tests(Path::new(dir.path()));
        let database = crate::harness::database::fresh(&mut config).await;
        change(&mut config);
        let token = config.admin_token.as_ref().unwrap().expose().clone();
        let server = Box::pin(Server::build(config)).await.unwrap();
        let base = format!("http://{}", server.local_addr());
        let state = server.state().clone();
        let tasks = TaskTracker::new();
        tasks.spawn(server.run(std::future::pending()));
        let http = Client::builder(TokioExecutor::new()).build_http();
        Self { base, token, state, http, _tasks: tasks, _dir: dir, _database: database }
    }

    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.http.request(request.body(Full::from(body.to_owned())).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.call(Method::GET, path, headers, "").await
    }

    /// A page as the browser asks for it, with that session cookie.
    pub(crate) async fn page(&self, path: &str, cookie: &str) -> Answer {
        self.get(path, &[("accept", "text/html"), ("cookie", cookie)]).await
    }

    /// A call of the REST API with the admin token.
    pub(crate) async fn rest(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let headers =
            [(AUTHORIZATION.as_str(), bearer.as_str()), (CONTENT_TYPE.as_str(), "application/json")];
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.call(method, &format!("/api/admin{path}"), &headers, &body).await
    }

    /// A form that one of our own pages sends, with that session cookie.
    pub(crate) async fn form(&self, path: &str, cookie: &str, body: &str) -> Answer {
        let mut headers = FORM.to_vec();
        headers.push((COOKIE.as_str(), cookie));
        self.call(Method::POST, path, &headers, body).await
    }

    /// Signs in with a secret; answers the session cookie as `name=value`.
    pub(crate) async fn sign_in(&self, secret: &str) -> String {
        let answer = self.form("/auth/login", "", &format!("secret={secret}")).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
        answer.cookie("tg_sid").unwrap_or_else(|| panic!("no session: {answer:?}"))
    }

    pub(crate) async fn admin_session(&self) -> String {
        self.sign_in(&self.token).await
    }

    /// Makes a user with a key; answers his id and the key.
    pub(crate) async fn member(&self, name: &str) -> (i64, String) {
        let user = self.rest(Method::POST, "/users", Some(json!({ "name": name }))).await;
        assert_eq!(user.status, StatusCode::CREATED, "{user:?}");
        let id = user.json()["id"].as_i64().unwrap();
        let key =
            self.rest(Method::POST, &format!("/users/{id}/keys"), Some(json!({ "name": "laptop" }))).await;
        assert_eq!(key.status, StatusCode::CREATED, "{key:?}");
        (id, key.json()["key"].as_str().unwrap().to_owned())
    }
}
