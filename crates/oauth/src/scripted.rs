//! A transport for tests: answers from a list, and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::Mutex;

use futures_util::future::BoxFuture;
use http::{Request, Response};
use types::Timestamp;
use types::oauth::VendorSpec;
use url::form_urlencoded;

use crate::{Registered, Transport, Unreachable};

pub(crate) const NOW: Timestamp = Timestamp(1_800_000_000_000);

#[derive(Default)]
pub(crate) struct Scripted {
    answers: Mutex<VecDeque<Result<(u16, String), Unreachable>>>,
    pub(crate) asked: Mutex<Vec<Request<Vec<u8>>>>,
}

impl Scripted {
    pub(crate) fn answering(answers: &[(u16, &str)]) -> Self {
        let answers = answers.iter().map(|(status, body)| Ok((*status, (*body).to_owned()))).collect();
        Self { answers: Mutex::new(answers), asked: Mutex::default() }
    }

    pub(crate) fn down() -> Self {
        let answers = Mutex::new(VecDeque::from([Err(Unreachable("connection refused".to_owned()))]));
        Self { answers, asked: Mutex::default() }
    }

    /// The form of the nth request, as name and value.
    pub(crate) fn form(&self, n: usize) -> Vec<(String, String)> {
        let asked = self.asked.lock().unwrap();
        form_urlencoded::parse(asked[n].body()).into_owned().collect()
    }

    pub(crate) fn json(&self, n: usize) -> serde_json::Value {
        serde_json::from_slice(self.asked.lock().unwrap()[n].body()).unwrap()
    }

    pub(crate) fn header(&self, n: usize, name: &str) -> Option<String> {
        let asked = self.asked.lock().unwrap();
        asked[n].headers().get(name).map(|value| value.to_str().unwrap().to_owned())
    }
}

pub(crate) fn value(form: &[(String, String)], name: &str) -> Option<String> {
    form.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
}

impl Transport for Scripted {
    fn send(&self, request: Request<Vec<u8>>) -> BoxFuture<'_, Result<Response<Vec<u8>>, Unreachable>> {
        self.asked.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop_front().expect("asked more often than scripted");
        Box::pin(async move {
            let (status, body) = answer?;
            Ok(Response::builder().status(status).body(body.into_bytes()).unwrap())
        })
    }
}

pub(crate) fn vendor(change: impl FnOnce(&mut VendorSpec)) -> Registered {
    let mut spec = VendorSpec {
        label: "Test".to_owned(),
        authorize_url: "https://login.example.com/authorize".to_owned(),
        token_url: "https://login.example.com/token".to_owned(),
        device_url: "https://login.example.com/device".to_owned(),
        scopes: vec!["openid".to_owned(), "inference".to_owned()],
        ..VendorSpec::default()
    };
    change(&mut spec);
    let client_secret = Some(types::Secret::new("s&cret".to_owned()));
    Registered { spec, client_id: "client-1".to_owned(), client_secret }
}
