//! An administrator's browser without scripts: pages and plain forms over raw sockets.

use crate::harness::{ADMIN_TOKEN, Answer, Running, post};

pub(crate) struct Browser<'a> {
    server: &'a Running,
    cookie: String,
}

impl<'a> Browser<'a> {
    /// Signed in, with a language.
    pub(crate) async fn sign_in(server: &'a Running, lang: &str) -> Self {
        let nobody = Self { server, cookie: String::new() };
        let answer = nobody.post("/auth/login", "", &format!("secret={ADMIN_TOKEN}")).await;
        let sid = answer.0.split("tg_sid=").nth(1).and_then(|rest| rest.split(';').next());
        let cookie = format!("tg_sid={}; tg_lang={lang}", sid.unwrap_or_else(|| panic!("{answer:?}")));
        Self { server, cookie }
    }

    /// A page that is served.
    pub(crate) async fn page(&self, path: &str) -> String {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: test\r\nAccept: text/html\r\nCookie: {}\r\nConnection: close\r\n\r\n",
            self.cookie
        );
        let answer = self.server.raw(request).await;
        assert_eq!(answer.status(), 200, "{answer:?}");
        answer.body()
    }

    /// A form, by the server function that it is for; answers where it leads.
    pub(crate) async fn press(&self, function: &str, body: &str) -> String {
        let answer = self.post(&format!("/rpc/app/api/{function}"), "", body).await;
        answer.header("location").unwrap_or_else(|| panic!("{answer:?}")).to_owned()
    }

    /// A form of a page; answers where it leads, without the host.
    pub(crate) async fn send(&self, path: &str, page: &str, body: &str) -> String {
        let answer = self.post(path, &format!("Referer: http://test{page}\r\n"), body).await;
        let to = answer.header("location").unwrap_or_else(|| panic!("{answer:?}"));
        to.strip_prefix("http://test").unwrap_or(to).to_owned()
    }

    async fn post(&self, path: &str, more: &str, body: &str) -> Answer {
        let headers = format!(
            "Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: same-origin\r\nAccept: text/html\r\n\
             Cookie: {}\r\n{more}",
            self.cookie
        );
        self.server.raw(post(path, &headers, body)).await
    }
}
