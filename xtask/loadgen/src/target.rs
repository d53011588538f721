//! The targets: no proxy, nginx, and Tollgate, each started fresh on loopback.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::Result;
use crate::client::Connection;
use crate::process::Process;
use crate::request::{MODEL, get, post, put};

/// One way to the upstream.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    /// What the caller presents; the upstream itself does not look at it.
    pub(crate) key: String,
    /// The proxy; none when there is none.
    pub(crate) process: Option<Process>,
    /// Where it keeps its files; none where there are none.
    pub(crate) dir: Option<Scratch>,
}

/// A folder that goes away with its owner.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Result<Self> {
        let dir = std::env::temp_dir().join(format!("tollgate-bench-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&dir)?;
        Ok(Self(dir))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

pub(crate) const ADMIN_TOKEN: &str = "bench-admin-token-of-more-than-32-characters";

/// Starts the upstream, a second process of this program, and answers where it listens.
pub(crate) fn upstream() -> Result<(Process, SocketAddr)> {
    let null = Path::new("/dev/null");
    let mut process = Process::start(&std::env::current_exe()?, &["upstream"], &[], Stdio::piped(), null)?;
    let output = process.child().stdout.take().ok_or("the upstream has no output")?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    Ok((process, line.trim().parse()?))
}

pub(crate) fn direct(upstream: SocketAddr) -> Target {
    Target { name: "direct", address: upstream, key: String::from("none"), process: None, dir: None }
}

/// nginx as a plain reverse proxy with kept-alive connections; none where it is not installed.
pub(crate) async fn nginx(upstream: SocketAddr) -> Result<Option<Target>> {
    let Some(program) = ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/bin/nginx"]
        .iter()
        .map(Path::new)
        .find(|p| p.is_file())
    else {
        return Ok(None);
    };
    let dir = Scratch::new("nginx")?;
    let (address, place) = (free_address()?, dir.path().display().to_string());
    let config = format!(
        "daemon off; pid {place}/pid; error_log {place}/error.log; worker_processes auto; worker_rlimit_nofile 65536;
events {{ worker_connections 16384; }}
http {{
  access_log off; client_body_temp_path {place}/b; proxy_temp_path {place}/p; fastcgi_temp_path {place}/f;
  uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;
  client_max_body_size 64m; client_body_buffer_size 1m; keepalive_requests 100000000; tcp_nodelay on;
  upstream vendor {{ server {upstream}; keepalive 256; keepalive_requests 100000000; }}
  server {{ listen {address} backlog=4096;
    location / {{ proxy_pass http://vendor; proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_buffering off; }}
  }}
}}
"
    );
    // As root, workers would drop to a user who may not enter the temporary folder.
    let user = Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout.starts_with(b"0\n"));
    let config = if user { format!("user root;\n{config}") } else { config };
    let file = dir.path().join("nginx.conf");
    std::fs::write(&file, config)?;
    let log = format!("{place}/error.log");
    let process = Process::start(
        program,
        &["-p", &place, "-e", &log, "-c", &file.display().to_string()],
        &[],
        Stdio::null(),
        Path::new("/dev/null"),
    )?;
    wait_for(address, None, Path::new(&log)).await?;
    Ok(Some(Target {
        name: "nginx",
        address,
        key: String::from("none"),
        process: Some(process),
        dir: Some(dir),
    }))
}

/// What a user and his key are limited to, so far above what a bench spends that nothing is ever refused.
fn limits() -> Value {
    json!({
        "rpm_limit": 900_000_000, "limit_5h_usd": "1000000", "daily_limit_usd": "1000000",
        "limit_monthly_usd": "1000000", "limit_total_usd": "1000000", "max_concurrent_requests": 100_000,
    })
}

/// The release binary with a fresh data folder, one provider, one user and one key. With `limited`, the model has a
/// price and user and key have limits of every kind, so that each request is held, counted and settled on all of them.
pub(crate) async fn tollgate(binary: &Path, upstream: SocketAddr, limited: bool) -> Result<Target> {
    let name = if limited { "tollgate with limits" } else { "tollgate" };
    let (process, address, dir) = start_tollgate(binary, if limited { "limited" } else { "plain" })?;
    wait_for(address, Some("/readyz"), &dir.path().join("log")).await?;
    let mut admin = Connection::open(address).await?;
    let provider = json!({ "name": "bench", "kind": "openai-compatible", "base_url": format!("http://{upstream}"), "api_key": "sk-bench" });
    create(&mut admin, "/api/admin/providers", &provider).await?;
    let (user, key) = if limited {
        let price = json!({ "input_per_million_usd": "3", "output_per_million_usd": "15" });
        let price = put(&format!("/api/admin/prices/{MODEL}"), ADMIN_TOKEN, &price.to_string());
        let answer = admin.fetch(&price).await?;
        if answer.status != 200 {
            return Err(format!("the price was answered {}", answer.status).into());
        }
        (json!({ "name": "bench", "limits": limits() }), json!({ "name": "bench", "limits": limits() }))
    } else {
        (json!({ "name": "bench" }), json!({ "name": "bench" }))
    };
    let user = create(&mut admin, "/api/admin/users", &user).await?;
    let id = user.get("id").and_then(Value::as_i64).ok_or("the new user has no id")?;
    let key = create(&mut admin, &format!("/api/admin/users/{id}/keys"), &key).await?;
    let key = key.get("key").and_then(Value::as_str).ok_or("the new key was not shown")?.to_owned();
    Ok(Target { name, address, key, process: Some(process), dir: Some(dir) })
}

/// From the start of the process to its first 200 on `/readyz`, with an empty data folder.
pub(crate) async fn cold_start(binary: &Path) -> Result<Duration> {
    let started = Instant::now();
    let (_process, address, dir) = start_tollgate(binary, "cold")?;
    wait_for(address, Some("/readyz"), &dir.path().join("log")).await?;
    Ok(started.elapsed())
}

pub(crate) fn start_tollgate(binary: &Path, name: &str) -> Result<(Process, SocketAddr, Scratch)> {
    let dir = Scratch::new(name)?;
    let (process, address) = start_in(binary, &dir)?;
    Ok((process, address, dir))
}

/// The same in a data folder that may have been used before.
pub(crate) fn start_in(binary: &Path, dir: &Scratch) -> Result<(Process, SocketAddr)> {
    let address = free_address()?;
    let (port, data) = (address.port().to_string(), dir.path().display().to_string());
    let env = [
        ("HOST", "127.0.0.1"),
        ("PORT", port.as_str()),
        ("DATA_DIR", data.as_str()),
        ("ADMIN_TOKEN", ADMIN_TOKEN),
        ("LOG_LEVEL", "warn"),
    ];
    let log = dir.path().join("log");
    Ok((Process::start(binary, &["serve"], &env, Stdio::null(), &log)?, address))
}

pub(crate) async fn create(connection: &mut Connection, path: &str, body: &Value) -> Result<Value> {
    let answer = connection.fetch(&post(path, ADMIN_TOKEN, &body.to_string())).await?;
    if answer.status != 201 {
        return Err(
            format!("{path} answered {}: {}", answer.status, String::from_utf8_lossy(&answer.body)).into()
        );
    }
    Ok(serde_json::from_slice(&answer.body)?)
}

/// Waits until the address takes connections or, with a path, answers it with 200; else says what stands in `log`.
pub(crate) async fn wait_for(address: SocketAddr, path: Option<&str>, log: &Path) -> Result {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(30) {
        if let Ok(mut connection) = Connection::open(address).await {
            match path {
                None => return Ok(()),
                Some(path) if matches!(connection.exchange(&get(path)).await, Ok(200)) => return Ok(()),
                Some(_) => {}
            }
        }
        sleep(Duration::from_millis(2)).await;
    }
    let said = std::fs::read_to_string(log).unwrap_or_default();
    Err(format!("{address} did not become ready within 30 s:\n{said}").into())
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
