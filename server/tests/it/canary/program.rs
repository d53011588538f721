//! The real program as a child, with everything it says at the finest level.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use super::{ADMIN, VAULT};
use crate::harness::Answer;

/// The real program with everything it says.
pub(super) struct Program {
    child: Child,
    pub(super) address: String,
    said: tokio::task::JoinHandle<String>,
}

impl Program {
    pub(super) async fn start(dir: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tollgate"))
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("DATA_DIR", dir)
            .env("HOST", "127.0.0.1")
            .env("PORT", "0")
            .env("ADMIN_TOKEN", ADMIN)
            .env("ENCRYPTION_SECRET", VAULT)
            .env("LOG_LEVEL", "trace")
            .current_dir(dir)
            .kill_on_drop(true)
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut err = child.stderr.take().unwrap();
        let mut so_far = String::new();
        let address = loop {
            let line = tokio::time::timeout(Duration::from_secs(20), out.next_line()).await.unwrap().unwrap();
            let line = line.unwrap_or_else(|| panic!("it ended: {so_far}"));
            so_far.push_str(&line);
            so_far.push('\n');
            if let Some((_, rest)) = line.split_once("127.0.0.1:") {
                let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
                if !port.is_empty() && port != "0" {
                    break format!("127.0.0.1:{port}");
                }
            }
        };
        let said = tokio_util::task::TaskTracker::new().spawn(async move {
            let errors = async {
                let mut text = String::new();
                err.read_to_string(&mut text).await.unwrap();
                text
            };
            let lines = async {
                let mut text = String::new();
                while let Ok(Some(line)) = out.next_line().await {
                    text.push_str(&line);
                    text.push('\n');
                }
                text
            };
            let (errors, lines) = tokio::join!(errors, lines);
            so_far + &lines + &errors
        });
        Self { child, address, said }
    }

    pub(super) async fn send(&self, request: String) -> Answer {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        crate::harness::read_to_close(&mut stream).await
    }

    pub(super) async fn call(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        self.send(format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            self.address,
            body.len()
        ))
        .await
    }

    pub(super) async fn admin(&self, method: &str, path: &str, body: Value) -> Answer {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        self.call(method, &format!("/api/admin{path}"), &format!("Authorization: Bearer {ADMIN}\r\n"), &text)
            .await
    }

    /// Posts a form as the sign-in page does.
    pub(super) async fn sign_in(&self, secret: &str) -> Answer {
        let form = format!("secret={secret}&next=/");
        self.send(format!(
            "POST /auth/login HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Sec-Fetch-Site: same-origin\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{form}",
            self.address,
            form.len()
        ))
        .await
    }

    /// Ends it in good order and answers all that it said.
    pub(super) async fn stop(mut self) -> String {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.child.id().unwrap()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().await.unwrap();
        self.said.await.unwrap()
    }
}
