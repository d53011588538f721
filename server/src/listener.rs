//! The accept loop: HTTP/1.1 on plain TCP, with the deadlines and caps that `axum::serve` does not have.
//!
//! HTTP/2 is left out on purpose: there is no TLS here, so it could only be cleartext HTTP/2 with prior
//! knowledge, which no client of ours speaks and which brings a family of floods of its own. A reverse proxy in
//! front speaks HTTP/2 to the world.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::EdgeLimits;
use crate::router::Doors;

pub mod capacity;
mod handover;
mod phase;
mod wakes;
mod watched;

use handover::Handover;
use phase::{Phase, Tracked};
use wakes::Wakes;
use watched::Watched;

/// Connections that the kernel may hold for us before they are accepted.
const BACKLOG: u32 = 1024;

/// The connection that a request came on; an extension of every request.
#[derive(Clone, Debug)]
pub struct Peer {
    address: SocketAddr,
    phase: Arc<Phase>,
    handover: Handover,
}

impl Peer {
    /// The other end of the socket: the caller or a proxy.
    pub fn ip(&self) -> IpAddr {
        self.address.ip()
    }

    /// Asks for a soft end: after the answer, what the caller still sends is read and dropped for a moment.
    /// Closed at once, the kernel would answer it with a reset, and the caller would never see the answer.
    pub fn linger(&self) {
        self.phase.linger();
    }

    /// Leaves what the connection's task is to do once HTTP is done with it, if the answer is 101: what speaks another
    /// protocol then is counted, waited for and cut like any connection.
    pub fn hand_over(&self, next: impl Future<Output = ()> + Send + 'static) {
        self.handover.leave(next);
    }

    /// The same other end, for requests that come over another protocol than HTTP.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self { handover: Handover::default(), ..self.clone() }
    }
}

impl Default for Peer {
    /// For requests that came over no socket, as in tests of the router.
    fn default() -> Self {
        Self {
            address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            phase: Arc::default(),
            handover: Handover::default(),
        }
    }
}

/// Takes the address. Connections wait in the kernel until [`accept`] runs, so a taken port is found before
/// anything else is touched (ST-04).
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// What ends the loop and its connections.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    /// No new connections any more; idle ones end, busy ones end after their answer.
    pub accepting: CancellationToken,
    /// Whatever is still open is cut.
    pub cut: CancellationToken,
}

/// Accepts until told to stop. It returns at once then; connections live on in `tracker`.
pub async fn accept(
    listener: TcpListener,
    doors: Doors,
    limits: EdgeLimits,
    tracker: TaskTracker,
    stop: Stop,
) {
    let permits = Arc::new(Semaphore::new(capacity::connections(limits.connections)));
    let limits = Arc::new(limits);
    let mut pause = Duration::ZERO;
    loop {
        let next = async {
            // Over the cap, connections wait in the backlog instead of being taken and dropped.
            let permit = Arc::clone(&permits).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            biased;
            () = stop.accepting.cancelled() => return,
            next = next => next,
        };
        match accepted {
            Ok((stream, address)) => {
                pause = Duration::ZERO;
                // As it is, without another future around it: that would hold room for it twice.
                tracker.spawn(serve(
                    (stream, address),
                    permit,
                    doors.clone(),
                    Arc::clone(&limits),
                    stop.clone(),
                ));
            }
            Err(error) if is_peers_fault(&error) => {}
            Err(error) => {
                // Out of descriptors (S27): trying again at once would only burn the processor.
                pause = (pause * 2).clamp(Duration::from_millis(20), Duration::from_secs(1));
                tracing::error!(%error, pause_ms = pause.as_millis(), "connections cannot be accepted");
                tokio::time::sleep(pause).await;
            }
        }
    }
}

fn is_peers_fault(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// One connection, to its end; `_permit` is its place among all that there may be. What it keeps across its waits is
/// kept for each open stream.
async fn serve(
    (stream, address): (TcpStream, SocketAddr),
    _permit: Result<OwnedSemaphorePermit, AcquireError>,
    doors: Doors,
    limits: Arc<EdgeLimits>,
    stop: Stop,
) {
    // Without it, streams show a first byte 40 ms late.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY");
    }
    let phase = Arc::<Phase>::default();
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&phase), &limits));
    let handover = Handover::default();
    let peer = Peer { address, phase: Arc::clone(&phase), handover: handover.clone() };
    let service = service_fn(move |request: Request<Incoming>| {
        peer.phase.busy();
        let (doors, peer) = (doors.clone(), peer.clone());
        async move {
            let phase = Arc::clone(&peer.phase);
            let response = doors.answer(request, peer).await;
            Ok::<_, std::convert::Infallible>(response.map(|body| Tracked::new(body, phase)))
        }
    });
    // `header_read_timeout` also counts the time between two requests, so one value cannot say "10 s for a head,
    // 75 s idle"; `Watched` keeps both times. A closed sending half counts as "gone" (no `half_close`): that is
    // how a caller who hung up is noticed before the first byte, and his upstream call cancelled.
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_header_size(limits.head_bytes)
        .max_buf_size((2 * limits.head_bytes).max(64 << 10))
        .serve_connection(io, service)
        .with_upgrades();
    tokio::pin!(connection);
    let wakes = Arc::<Wakes>::default();
    let outcome = tokio::select! {
        biased;
        outcome = poll_fn(|cx| wakes.poll(cx, |cx| connection.as_mut().poll(cx))) => outcome,
        () = stop.accepting.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                biased;
                outcome = poll_fn(|cx| wakes.poll(cx, |cx| connection.as_mut().poll(cx))) => outcome,
                () = stop.cut.cancelled() => Ok(()),
            }
        }
    };
    // Taken in any case: what is left there holds the connection itself.
    let next = handover.take();
    if let (Some(next), true) = (next, outcome.is_ok()) {
        // The deadlines of HTTP are over; the other protocol has its own.
        phase.busy();
        tokio::select! {
            biased;
            () = next => {}
            () = stop.cut.cancelled() => {}
        }
    }
    if let Err(error) = outcome {
        // Callers hang up and probes send nonsense; neither needs a person.
        tracing::debug!(peer = %address, %error, "connection ended");
    }
}
