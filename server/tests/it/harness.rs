//! Starts the real server in this process, on a free port of the loopback and in a folder of its own.

pub(crate) mod database;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use server::{BootError, Server, ServerConfig};
use store::testing::TestStore;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What [`ServerConfig::for_tests`] sets.
pub(crate) const ADMIN_TOKEN: &str = "test-admin-0f8a1c5e7b3d9264";

/// A server that accepts.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) gateway: gateway::Gateway,
    /// Folder of database and journal; `None` if the test keeps it.
    dir: Option<TempDir>,
    /// The database, if it is not in a folder.
    database: Option<TestStore>,
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Running {
    /// With the defaults of tests.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// With changes to the configuration.
    pub(crate) async fn start_with(change: impl FnOnce(&mut ServerConfig)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = ServerConfig::for_tests(dir.path());
        let database = database::fresh(&mut config).await;
        change(&mut config);
        let mut running = Self::start_as(config).await.unwrap();
        (running.dir, running.database) = (Some(dir), database);
        running
    }

    /// In a folder that outlives it, with a database that does too.
    pub(crate) async fn start_in(
        dir: &Path,
        change: impl FnOnce(&mut ServerConfig),
    ) -> Result<Self, BootError> {
        let mut config = ServerConfig::for_tests(dir);
        database::of_folder(&mut config).await;
        change(&mut config);
        Self::start_as(config).await
    }

    async fn start_as(config: ServerConfig) -> Result<Self, BootError> {
        let server = Box::pin(Server::build(config)).await?;
        let (address, gateway) = (server.local_addr(), server.gateway().clone());
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let task = TaskTracker::new().spawn(server.run(stopped));
        Ok(Self { address, gateway, dir: None, database: None, stop, task: Some(task) })
    }

    /// Begins to stop without waiting.
    pub(crate) fn begin_stop(&self) {
        self.stop.cancel();
    }

    /// Stops as SIGTERM does and waits for the end.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        self.task.take().unwrap().await.unwrap();
        drop(self.dir.take());
    }

    /// A provider at `upstream`, its credential, a user and a key; answers the key.
    pub(crate) async fn provision(&self, kind: &str, upstream: &str) -> String {
        let provider = self
            .admin(
                "POST",
                "/providers",
                &serde_json::json!({
                    "name": "fake", "kind": kind, "base_url": upstream, "api_key": "upstream-secret-0001",
                }),
            )
            .await;
        assert!(provider["id"].is_i64(), "{provider}");
        let user = self.admin("POST", "/users", &serde_json::json!({ "name": "someone" })).await;
        let path = format!("/users/{}/keys", user["id"]);
        let key = self.admin("POST", &path, &serde_json::json!({ "name": "laptop" })).await;
        key["key"].as_str().unwrap_or_else(|| panic!("{key}")).to_owned()
    }

    /// A call of the admin REST API.
    pub(crate) async fn admin(
        &self,
        method: &str,
        path: &str,
        body: &serde_json::Value,
    ) -> serde_json::Value {
        let text = body.to_string();
        let body = if body.is_null() { "" } else { text.as_str() };
        let answer = self
            .raw(&format!(
                "{method} /api/admin{path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {ADMIN_TOKEN}\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            ))
            .await;
        serde_json::from_str(&answer.body()).unwrap_or_else(|error| panic!("{error}: {}", answer.0))
    }

    /// Sends bytes as they are and reads until the server closes.
    pub(crate) async fn raw(&self, request: impl AsRef<[u8]>) -> Answer {
        let mut stream = self.connect().await;
        // A server that refuses early may close before it has read everything.
        let _sent = stream.write_all(request.as_ref()).await;
        read_to_close(&mut stream).await
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Everything that came on a connection until it was closed; fails the test if it stays open.
pub(crate) async fn read_to_close(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut bytes)).await;
    assert!(read.is_ok(), "still open after: {}", String::from_utf8_lossy(&bytes));
    Answer(String::from_utf8_lossy(&bytes).into_owned())
}

/// One or more answers as they came.
#[derive(Debug)]
pub(crate) struct Answer(pub(crate) String);

impl Answer {
    /// Status of the first answer; 0 if there was none.
    pub(crate) fn status(&self) -> u16 {
        self.0.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    /// How many answers came.
    pub(crate) fn count(&self) -> usize {
        self.0.matches("HTTP/1.1 ").count()
    }

    /// A header of the first answer.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let head = self.0.split("\r\n\r\n").next()?;
        head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// The body, with chunked framing removed.
    pub(crate) fn body(&self) -> String {
        let body = self.0.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
        if self.header("transfer-encoding") != Some("chunked") {
            return body.to_owned();
        }
        let (mut rest, mut whole) = (body, String::new());
        while let Some((size, tail)) = rest.split_once("\r\n") {
            let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
            if size == 0 || size > tail.len() {
                break;
            }
            whole.push_str(&tail[..size]);
            rest = tail.get(size + 2..).unwrap_or_default();
        }
        whole
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body()).unwrap_or_else(|error| panic!("{error}: {}", self.0))
    }
}

/// A minimal POST of JSON that closes the connection afterwards.
pub(crate) fn post(path: &str, headers: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: test\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
