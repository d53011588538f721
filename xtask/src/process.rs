//! Keeps hold of programs that run beside us, and ends them when their owner goes away.
//!
//! Only children of this process are ever signalled.

use std::net::TcpListener;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::shell::{During, Outcome};

/// A running child that does not outlive this value.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
}

impl Running {
    pub(crate) fn new(child: Child) -> Self {
        Self { child }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    pub(crate) fn wait(&mut self) -> Outcome<ExitStatus> {
        self.child.wait().during("waiting for a child")
    }

    /// Asks it to end, and insists after `grace`.
    pub(crate) fn stop(&mut self, grace: Duration) {
        if self.ended().is_some() {
            return;
        }
        // The standard library can only kill; a server deserves the chance to finish its books.
        let asked = Command::new("kill").arg(self.pid().to_string()).stderr(Stdio::null()).status();
        let started = Instant::now();
        while asked.is_ok() && started.elapsed() < grace {
            if self.ended().is_some() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _already_gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop(Duration::from_secs(5));
    }
}

/// A port on loopback that was free a moment ago.
pub(crate) fn free_port() -> Outcome<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").during("looking for a free port")?;
    Ok(listener.local_addr().during("looking for a free port")?.port())
}

/// Asks `ready` every few milliseconds until it says yes, the child ends, or `limit` has passed.
pub(crate) fn wait_until(limit: Duration, mut ready: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    while started.elapsed() < limit {
        if ready() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}
