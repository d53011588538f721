//! Other processes: starting them with room for sockets, ending them, and what they cost (`/proc`).
//!
//! Linux only. Only children of this process are ever signalled.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Result;
use crate::stats::number;

/// A child with all that it started itself; ended when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts a program with as many open files as the system lets it have. Standard output goes to us or nowhere,
    /// what it says on standard error into `log`.
    pub(crate) fn start(
        program: &Path,
        args: &[&str],
        env: &[(&str, &str)],
        output: Stdio,
        log: &Path,
    ) -> Result<Self> {
        let raised = "ulimit -n 65536 2>/dev/null || ulimit -n \"$(ulimit -Hn)\"; exec \"$0\" \"$@\"";
        let child = Command::new("sh")
            .args(["-c", raised])
            .arg(program)
            .args(args)
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(fs::File::create(log)?)
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        Ok(Self { child })
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// CPU time used so far by this process and its children, user and system.
    pub(crate) fn cpu(&self) -> Duration {
        family(self.id()).iter().map(|pid| cpu_of(*pid)).sum()
    }

    /// Resident memory in MB, summed over this process and its children.
    pub(crate) fn rss_mb(&self) -> f64 {
        number(family(self.id()).iter().map(|pid| rss_kb(*pid)).sum()) / 1024.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _gone = Command::new("kill").arg(self.child.id().to_string()).stderr(Stdio::null()).status();
        for _ in 0..100 {
            if self.child.try_wait().is_ok_and(|status| status.is_some()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A process and its direct children.
fn family(pid: u32) -> Vec<u32> {
    let mut found = vec![pid];
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    for other in entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()) {
        if field(other, 1) == Some(u64::from(pid)) {
            found.push(other);
        }
    }
    found
}

/// The nth number after the state in `/proc/<pid>/stat`, counted from 1 (the parent).
fn field(pid: u32, nth: usize) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold anything; what follows its last bracket is regular.
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(nth)?.parse().ok()
}

fn cpu_of(pid: u32) -> Duration {
    // utime and stime, in clock ticks: 100 a second on every Linux that Rust's std supports.
    let ticks = field(pid, 11).unwrap_or(0) + field(pid, 12).unwrap_or(0);
    Duration::from_millis(ticks * 10)
}

fn rss_kb(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_ascii_whitespace().next()?.parse().ok()).unwrap_or(0)
}
