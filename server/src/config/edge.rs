//! Deadlines and caps of the HTTP edge. They are not configurable from outside in this version; they are
//! values and not constants so that tests need not wait for minutes.

use std::time::Duration;

/// Deadlines and caps of the HTTP edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EdgeLimits {
    /// From the first byte of a request (or the connection's begin) to the end of its head.
    pub header_time: Duration,
    /// How long a connection may wait for its next request.
    pub keep_alive_idle: Duration,
    /// How long an answer may wait for a reader that takes nothing.
    pub write_stall: Duration,
    /// From the end of the head to the end of the body.
    pub body_time: Duration,
    /// How long a body may take before its rate counts.
    pub body_grace: Duration,
    /// What a body must bring each second on average, once its rate counts; bytes.
    pub body_rate: u64,
    /// Largest request body of a model path in bytes.
    pub body_bytes: usize,
    /// Request bodies in memory, all of them together, in bytes; bodies of up to 64 KiB are not counted.
    pub bodies_bytes: usize,
    /// Head fields of a request; hyper's own limit is 100.
    pub headers: usize,
    /// Bytes of a request's head, start line included.
    pub head_bytes: usize,
    /// Bytes of path and query.
    pub url_bytes: usize,
    /// Open connections; the limit on file descriptors may lower it.
    pub connections: usize,
    /// Open sockets of `/v1/responses`; each is one of the connections too.
    pub sockets: usize,
    /// How long such a socket may live; a response that runs then is still finished.
    pub socket_life: Duration,
    /// How long it may wait for its next request.
    pub socket_idle: Duration,
    /// How often its other end is asked whether it is there; silent for three times that, it is gone.
    pub socket_ping: Duration,
    /// How long new connections are still taken after the signal to stop, so that a load balancer sees
    /// `/readyz` fail before it meets a closed port.
    pub linger: Duration,
    /// How long open streams may go on after the signal to stop.
    pub drain: Duration,
    /// How long the database may be away at start.
    pub database_patience: Duration,
}

impl EdgeLimits {
    /// The limits of a profile; they differ in `linger` only, because a person at a terminal does not wait.
    pub fn of_profile(production: bool) -> Self {
        Self {
            header_time: Duration::from_secs(10),
            keep_alive_idle: Duration::from_secs(75),
            write_stall: Duration::from_mins(1),
            body_time: Duration::from_mins(1),
            body_grace: Duration::from_secs(5),
            body_rate: 1024,
            body_bytes: 64 << 20,
            bodies_bytes: 512 << 20,
            headers: 64,
            head_bytes: 32 << 10,
            url_bytes: 8 << 10,
            connections: 8192,
            sockets: 2048,
            socket_life: Duration::from_hours(1),
            socket_idle: Duration::from_mins(15),
            socket_ping: Duration::from_secs(30),
            linger: if production { Duration::from_secs(5) } else { Duration::ZERO },
            drain: Duration::from_secs(30),
            database_patience: Duration::from_secs(30),
        }
    }

    /// Short deadlines and small caps.
    pub fn for_tests() -> Self {
        Self {
            header_time: Duration::from_millis(400),
            keep_alive_idle: Duration::from_millis(1_500),
            write_stall: Duration::from_secs(5),
            body_time: Duration::from_secs(3),
            body_grace: Duration::from_millis(300),
            body_bytes: 1 << 20,
            bodies_bytes: 8 << 20,
            connections: 256,
            sockets: 64,
            linger: Duration::ZERO,
            drain: Duration::from_secs(3),
            database_patience: Duration::from_millis(200),
            ..Self::of_profile(false)
        }
    }
}
