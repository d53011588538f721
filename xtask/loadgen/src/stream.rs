//! Load of streams: the first byte, the cost of a chunk, and what an open stream weighs.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::LocalSet;
use tokio::time::sleep;

use crate::client::Connection;
use crate::process::Process;
use crate::stats::{micros, number, percentile};
use crate::{Effort, Result};

/// Microseconds from sending a request to the first event of its stream: median and 99th percentile.
pub(crate) async fn first_byte(address: SocketAddr, request: &[u8], effort: Effort) -> Result<(f64, f64)> {
    let mut connection = Connection::open(address).await?;
    let mut took = Vec::new();
    let started = Instant::now();
    while started.elapsed() < effort.warm + effort.run {
        let sent = Instant::now();
        connection.start(request).await?;
        if started.elapsed() > effort.warm {
            took.push(sent.elapsed());
        }
        while connection.events().await?.is_some() {}
        // One after the other with a pause: this asks for latency, not for throughput.
        sleep(Duration::from_millis(2)).await;
    }
    Ok((micros(percentile(&mut took, 50)), micros(percentile(&mut took, 99))))
}

/// CPU of the proxy per chunk while `streams` run beside each other.
pub(crate) async fn cpu_per_chunk(
    address: SocketAddr,
    request: &[u8],
    streams: usize,
    effort: Effort,
    proxy: &Process,
) -> Result<f64> {
    let chunks = Rc::new(Cell::new(0_u64));
    let stop = Rc::new(Cell::new(false));
    let tasks = LocalSet::new();
    for _ in 0..streams {
        let (chunks, stop) = (Rc::clone(&chunks), Rc::clone(&stop));
        let request = request.to_vec();
        tasks.spawn_local(async move {
            let mut connection = Connection::open(address).await?;
            while !stop.get() {
                connection.start(&request).await?;
                while let Some(new) = connection.events().await? {
                    chunks.set(chunks.get() + new);
                    if stop.get() {
                        break;
                    }
                }
            }
            Result::Ok(())
        });
    }
    let (cpu, count) = tasks
        .run_until(async {
            sleep(effort.warm + Duration::from_secs(1)).await;
            let (before, seen) = (proxy.cpu(), chunks.get());
            sleep(effort.run).await;
            let found = (proxy.cpu().saturating_sub(before), chunks.get() - seen);
            stop.set(true);
            found
        })
        .await;
    if count == 0 {
        return Err("no stream delivered a chunk".into());
    }
    Ok(micros(cpu) / number(count))
}

/// Resident memory of the proxy in MB while `streams` are open and nearly silent.
pub(crate) async fn rss_with_open(
    address: SocketAddr,
    request: &[u8],
    streams: usize,
    proxy: &Process,
) -> Result<f64> {
    let mut open = Vec::with_capacity(streams);
    for _ in 0..streams {
        let mut connection = Connection::open(address).await?;
        connection.start(request).await?;
        open.push(connection);
    }
    // Two of the upstream's beats, so that every stream has done its work more than once.
    sleep(Duration::from_secs(4)).await;
    Ok(proxy.rss_mb())
}
