//! Load of whole requests: as fast as the target answers, or at a fixed rate. Streams have their own module.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::LocalSet;
use tokio::time::sleep;

use crate::client::Connection;
use crate::process::Process;
use crate::stats::{micros, number, percentile};
use crate::{Effort, Result};

/// What one load found.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Load {
    pub(crate) per_second: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// CPU of the proxy per request; none where there is no proxy.
    pub(crate) cpu_us: Option<f64>,
}

#[derive(Debug, Default)]
struct Book {
    counting: Cell<bool>,
    stop: Cell<bool>,
    took: RefCell<Vec<Duration>>,
    failed: RefCell<Option<String>>,
}

impl Book {
    fn note(&self, outcome: Result<u16>, took: Duration) -> bool {
        match outcome {
            Ok(200) if self.counting.get() => self.took.borrow_mut().push(took),
            Ok(200) => {}
            Ok(status) => return self.fail(format!("a request was answered with {status}")),
            Err(error) => return self.fail(error.to_string()),
        }
        !self.stop.get()
    }

    fn fail(&self, why: String) -> bool {
        self.failed.borrow_mut().get_or_insert(why);
        false
    }
}

/// `connections` that each send their next request when the last one is answered.
pub(crate) async fn closed(
    address: SocketAddr,
    request: &[u8],
    connections: usize,
    effort: Effort,
    proxy: Option<&Process>,
) -> Result<Load> {
    run(address, request, connections, None, effort, proxy).await
}

/// The same number of requests in every second, spread over `connections`.
pub(crate) async fn paced(
    address: SocketAddr,
    request: &[u8],
    connections: usize,
    per_second: f64,
    effort: Effort,
) -> Result<Load> {
    let pause = Duration::from_secs_f64(number(u64::try_from(connections)?) / per_second);
    run(address, request, connections, Some(pause), effort, None).await
}

async fn run(
    address: SocketAddr,
    request: &[u8],
    connections: usize,
    pause: Option<Duration>,
    effort: Effort,
    proxy: Option<&Process>,
) -> Result<Load> {
    let book = Rc::new(Book::default());
    let request: Rc<[u8]> = request.into();
    let tasks = LocalSet::new();
    for place in 0..connections {
        let (book, request) = (Rc::clone(&book), Rc::clone(&request));
        tasks.spawn_local(async move {
            if let Some(pause) = pause {
                // Spread over one beat, or all connections would knock at once.
                let (place, all) =
                    (u32::try_from(place).unwrap_or(0), u32::try_from(connections).unwrap_or(1));
                sleep(pause * place / all).await;
            }
            if let Err(error) = one(address, &request, pause, &book).await {
                book.fail(error.to_string());
            }
        });
    }
    let watch = Rc::clone(&book);
    let counted = tasks
        .run_until(async move {
            sleep(effort.warm).await;
            let before = proxy.map(Process::cpu);
            let started = Instant::now();
            watch.counting.set(true);
            sleep(effort.run).await;
            watch.counting.set(false);
            let elapsed = started.elapsed();
            let cpu = proxy.map(Process::cpu).zip(before).map(|(after, before)| after.saturating_sub(before));
            watch.stop.set(true);
            (elapsed, cpu)
        })
        .await;
    tasks.await;
    if let Some(why) = book.failed.borrow().as_ref() {
        return Err(why.clone().into());
    }
    let (elapsed, cpu) = counted;
    let mut took = book.took.take();
    let count = number(u64::try_from(took.len())?);
    Ok(Load {
        per_second: count / elapsed.as_secs_f64(),
        p50_us: micros(percentile(&mut took, 50)),
        p99_us: micros(percentile(&mut took, 99)),
        cpu_us: cpu.map(|cpu| micros(cpu) / count),
    })
}

async fn one(address: SocketAddr, request: &[u8], pause: Option<Duration>, book: &Book) -> Result {
    let mut connection = Connection::open(address).await?;
    let mut beat = pause.map(tokio::time::interval);
    loop {
        if let Some(beat) = &mut beat {
            beat.tick().await;
        }
        let sent = Instant::now();
        let outcome = connection.exchange(request).await;
        if !book.note(outcome, sent.elapsed()) {
            return Ok(());
        }
    }
}
