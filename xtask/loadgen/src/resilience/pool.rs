//! The real program with a pool of accounts at fake vendors, and callers who ask it.

use std::cell::Cell;
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::LocalSet;

use crate::Result;
use crate::client::Connection;
use crate::process::Process;
use crate::request::{fetch, post, put};
use crate::target::{ADMIN_TOKEN, Scratch, create, start_tollgate, wait_for};

/// Callers at once.
const CALLERS: u64 = 8;

/// A running gateway with one user and one key.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) address: SocketAddr,
    pub(super) key: String,
    pub(super) process: Process,
    _dir: Scratch,
}

/// What became of a load.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Served {
    pub(super) asked: u64,
    pub(super) well: u64,
}

impl Pool {
    /// Fresh, without providers. Conversations stick to nothing, so that each request is a choice of its own.
    pub(super) async fn start(binary: &Path) -> Result<Self> {
        let (process, address, dir) = start_tollgate(binary, "resilience")?;
        wait_for(address, Some("/readyz"), &dir.path().join("log")).await?;
        let mut admin = Connection::open(address).await?;
        let user = create(&mut admin, "/api/admin/users", &json!({"name": "bench"})).await?;
        let path = format!("/api/admin/users/{}/keys", field(&user, "id"));
        let key = create(&mut admin, &path, &json!({"name": "bench"})).await?;
        let key = field(&key, "key").as_str().ok_or("the new key was not shown")?.to_owned();
        let pool = Self { address, key, process, _dir: dir };
        pool.set("affinity.enabled", "false").await?;
        Ok(pool)
    }

    pub(super) async fn set(&self, name: &str, value: &str) -> Result {
        let body = json!({ "value": value }).to_string();
        let ask = put(&format!("/api/admin/settings/{name}"), ADMIN_TOKEN, &body);
        let answer = Connection::open(self.address).await?.fetch(&ask).await?;
        if answer.status == 200 {
            Ok(())
        } else {
            Err(format!("{name} was answered {}", answer.status).into())
        }
    }

    /// A provider with one account of each of these names.
    pub(super) async fn provider(&self, name: &str, url: &str, more: Value, accounts: &[&str]) -> Result {
        let mut spec = json!({"name": name, "kind": "openai-compatible", "base_url": url});
        if let (Some(spec), Some(more)) = (spec.as_object_mut(), more.as_object()) {
            spec.extend(more.clone());
        }
        let mut admin = Connection::open(self.address).await?;
        let provider = create(&mut admin, "/api/admin/providers", &spec).await?;
        for account in accounts {
            let spec = json!({"provider_id": field(&provider, "id"), "name": account, "api_key": account});
            create(&mut admin, "/api/admin/credentials", &spec).await?;
        }
        Ok(())
    }

    /// What the admin API answers.
    pub(super) async fn get(&self, path: &str) -> Result<Value> {
        let answer = Connection::open(self.address).await?.fetch(&fetch(path, ADMIN_TOKEN)).await?;
        Ok(serde_json::from_slice(&answer.body)?)
    }

    /// Requests that any account counts as running.
    pub(super) async fn in_flight(&self) -> Result<u64> {
        let all = self.get("/api/admin/credentials").await?;
        Ok(items(&all).filter_map(|one| field(one, "in_flight").as_u64()).sum())
    }

    /// So many requests by a few callers, each as soon as the one before is answered; every second one is a stream.
    pub(super) async fn load(&self, requests: u64) -> Served {
        let (next, well) = (Rc::new(Cell::new(0_u64)), Rc::new(Cell::new(0_u64)));
        let tasks = LocalSet::new();
        for _ in 0..CALLERS {
            let (next, well) = (Rc::clone(&next), Rc::clone(&well));
            let (address, key) = (self.address, self.key.clone());
            tasks.spawn_local(async move {
                let mut caller = None;
                while next.get() < requests {
                    let number = next.replace(next.get() + 1);
                    let is_well = ask(&mut caller, address, &key, number).await;
                    well.set(well.get() + u64::from(is_well));
                }
            });
        }
        tasks.await;
        Served { asked: requests, well: well.get() }
    }

    /// The same at a fixed rate.
    pub(super) async fn paced(&self, requests: u64, pause: Duration) -> Served {
        let mut beat = tokio::time::interval(pause);
        let tasks = LocalSet::new();
        let well = Rc::new(Cell::new(0_u64));
        let all = async {
            for number in 0..requests {
                beat.tick().await;
                let (well, address, key) = (Rc::clone(&well), self.address, self.key.clone());
                tokio::task::spawn_local(async move {
                    let mut caller = None;
                    let is_well = ask(&mut caller, address, &key, number).await;
                    well.set(well.get() + u64::from(is_well));
                });
            }
        };
        tasks.run_until(all).await;
        tasks.await;
        Served { asked: requests, well: well.get() }
    }
}

/// A field of an answer; null if it is not there.
pub(super) fn field<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}

/// The entries of a list.
pub(super) fn items(list: &Value) -> impl Iterator<Item = &Value> {
    field(list, "items").as_array().into_iter().flatten()
}

/// Whether one request was answered wholly and well. No two of them have the same words.
async fn ask(caller: &mut Option<Connection>, address: SocketAddr, key: &str, number: u64) -> bool {
    let stream = number.is_multiple_of(2);
    let body = json!({
        "model": "bench-model", "stream": stream,
        "messages": [{"role": "user", "content": format!("request {number}")}],
    });
    let request = post("/v1/chat/completions", key, &body.to_string());
    let mut connection = match caller.take() {
        Some(connection) => connection,
        None => match Connection::open(address).await {
            Ok(connection) => connection,
            Err(_) => return false,
        },
    };
    let Ok(answer) = connection.fetch(&request).await else { return false };
    *caller = Some(connection);
    let text = String::from_utf8_lossy(&answer.body);
    answer.status == 200 && if stream { text.contains("[DONE]") } else { text.contains("\"choices\"") }
}
