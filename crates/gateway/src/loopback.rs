//! Ports that vendors fixed for their redirects: listened on only while a sign-in waits there, and only to send the
//! browser on to the dashboard with what the vendor gave it. Nothing is exchanged or stored here.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use types::OauthFlowId;
use types::oauth::{PortState, PortView};

/// Longest head of a request that is read.
const HEAD: usize = 16 * 1024;
/// Longest wait for it.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest wait for another program's port.
const GLANCE: Duration = Duration::from_millis(250);
/// Connections at once; further ones wait.
const AT_ONCE: usize = 16;
/// Sign-ins that wait at one port.
const MOST: usize = 64;

/// Why no port is listened on where the operator wants none.
pub(crate) const OFF: &str = "OAUTH_CALLBACK_HOST is off";

/// A sign-in that waits at a port.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    /// The path of its redirect.
    pub(crate) path: String,
    pub(crate) state_hash: Vec<u8>,
    /// Where the browser is sent on to, without the query.
    pub(crate) to: String,
    /// Which one it is, once that is known.
    pub(crate) flow: Option<OauthFlowId>,
}

/// A port that is listened on. It stands in the table exactly as long as its listener lives, so that whoever comes
/// while it is about to close finds it open still.
#[derive(Debug)]
struct Port {
    waiting: Vec<(Waiting, Instant)>,
    /// Wakes the listener: those who wait have changed.
    changed: Arc<Notify>,
}

/// The ports in use.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loopback(Arc<Mutex<HashMap<u16, Port>>>);

impl Loopback {
    /// Waits at a port for the answer to a sign-in; says why if the port cannot be had.
    pub(crate) async fn wait(
        &self,
        tracker: &TaskTracker,
        (host, port): (IpAddr, u16),
        waiting: Waiting,
        life: Duration,
    ) -> Result<(), String> {
        let until = Instant::now() + life;
        if self.add(port, &waiting, until) {
            return Ok(());
        }
        let listener = match TcpListener::bind(SocketAddr::new(host, port)).await {
            Ok(listener) => listener,
            // Somebody else here was quicker.
            Err(_) if self.add(port, &waiting, until) => return Ok(()),
            Err(error) => return Err(error.to_string()),
        };
        let changed = Arc::new(Notify::new());
        let made = Port { waiting: vec![(waiting, until)], changed: changed.clone() };
        self.lock().insert(port, made);
        let (ports, connections) = (self.clone(), tracker.clone());
        tracker.spawn(async move { ports.listen(port, listener, &changed, connections).await });
        Ok(())
    }

    /// What a port does now. It is not taken to find that out: a sign-in may want it at this moment.
    pub(crate) async fn look(&self, host: Option<IpAddr>, port: u16) -> PortView {
        if self.lock().get(&port).is_some_and(|port| !port.waiting.is_empty()) {
            return PortView { port, state: PortState::Listening, reason: None };
        }
        let Some(host) = host else {
            let reason = Some(OFF.to_owned());
            return PortView { port, state: PortState::Off, reason };
        };
        let near = if host.is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { host };
        let near = TcpStream::connect((near, port));
        match tokio::time::timeout(GLANCE, near).await {
            Ok(Ok(_)) => {
                let reason = Some("another program listens there".to_owned());
                PortView { port, state: PortState::Occupied, reason }
            }
            _ => PortView { port, state: PortState::Off, reason: None },
        }
    }

    /// Names the sign-in that has this state.
    pub(crate) fn name(&self, state_hash: &[u8], flow: OauthFlowId) {
        for port in self.lock().values_mut() {
            for (waiting, _) in
                port.waiting.iter_mut().filter(|(waiting, _)| waiting.state_hash == state_hash)
            {
                waiting.flow = Some(flow);
            }
        }
    }

    /// A sign-in waits no more. The last one closes the port.
    pub(crate) fn done(&self, flow: OauthFlowId) {
        self.forget(|waiting, _| waiting.flow == Some(flow));
    }

    /// The sign-in that was to have this state waits no more.
    pub(crate) fn undo(&self, state_hash: &[u8]) {
        self.forget(|waiting, _| waiting.state_hash == state_hash);
    }

    /// Closes everything: the process ends.
    pub(crate) fn close(&self) {
        self.forget(|_, _| true);
    }

    fn forget(&self, is_over: impl Fn(&Waiting, Instant) -> bool) {
        for port in self.lock().values_mut() {
            port.waiting.retain(|(waiting, until)| !is_over(waiting, *until));
            port.changed.notify_one();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u16, Port>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins those that wait at a port already.
    fn add(&self, port: u16, waiting: &Waiting, until: Instant) -> bool {
        let mut ports = self.lock();
        let Some(port) = ports.get_mut(&port) else { return false };
        if port.waiting.len() >= MOST {
            port.waiting.remove(0);
        }
        port.waiting.push((waiting.clone(), until));
        port.changed.notify_one();
        true
    }

    async fn listen(&self, port: u16, listener: TcpListener, changed: &Notify, tracker: TaskTracker) {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        tracing::info!(port, address = ?listener.local_addr().ok(), "listening for a vendor's redirect while a sign-in waits");
        let mut listener = Some(listener);
        while let Some(until) = self.last(port, &mut listener) {
            let Some(open) = &listener else { break };
            let accepted = tokio::select! {
                () = changed.notified() => continue,
                () = tokio::time::sleep_until(until) => {
                    let now = Instant::now();
                    self.forget(|_, until| until <= now);
                    continue;
                }
                accepted = open.accept() => accepted,
            };
            let Ok((stream, _)) = accepted else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let Ok(place) = places.clone().acquire_owned().await else { break };
            let ports = self.clone();
            tracker.spawn(async move {
                let answered = tokio::time::timeout(PATIENCE, ports.answer(port, stream)).await;
                if !matches!(answered, Ok(Ok(()))) {
                    tracing::debug!(port, "a connection to a vendor's port ended early");
                }
                drop(place);
            });
        }
        tracing::info!(port, "no sign-in waits any more; the port is closed");
    }

    /// When the last of those that wait at a port gives up. If nobody waits the port is closed, while nobody can come.
    fn last(&self, port: u16, listener: &mut Option<TcpListener>) -> Option<Instant> {
        let mut ports = self.lock();
        let last = ports.get(&port).and_then(|port| port.waiting.iter().map(|(_, until)| *until).max());
        if last.is_none() {
            listener.take();
            ports.remove(&port);
        }
        last
    }

    async fn answer(&self, port: u16, mut stream: TcpStream) -> std::io::Result<()> {
        let mut head = Vec::new();
        let mut piece = [0; 2048];
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            let read = stream.read(&mut piece).await?;
            if read == 0 || head.len() > HEAD {
                return Ok(());
            }
            head.extend_from_slice(piece.get(..read).unwrap_or_default());
        }
        let head = String::from_utf8_lossy(&head);
        let mut words = head.lines().next().unwrap_or_default().split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let to = self.target(port, method, target);
        let answer = if let Some(to) = to {
            format!(
                "HTTP/1.1 303 See Other\r\nlocation: {to}\r\nreferrer-policy: no-referrer\r\ncache-control: no-store\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
        } else {
            let text = "No sign-in waits for this answer. Begin a new one in the dashboard.\n";
            format!(
                "HTTP/1.1 404 Not Found\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
                text.len()
            )
        };
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await
    }

    /// Where the browser is sent on to, if a sign-in waits for what it brings.
    fn target(&self, port: u16, method: &str, target: &str) -> Option<String> {
        let (path, query) = target.split_once('?')?;
        if method != "GET" || !query.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let state = oauth::parse_query(query).state?;
        let hash = Sha256::digest(state.expose().as_bytes()).to_vec();
        let ports = self.lock();
        let mut waiting = ports.get(&port)?.waiting.iter().map(|(waiting, _)| waiting);
        let own = waiting.find(|waiting| waiting.state_hash == hash && waiting.path == path)?;
        Some(format!("{}?{query}", own.to))
    }
}

#[cfg(test)]
mod tests;
