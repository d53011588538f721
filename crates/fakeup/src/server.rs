//! The listener and what all its connections share.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::amazon::{self, AwsAccount};
use crate::behaviour::Behaviour;
use crate::connection;
use crate::doors::{self, Client, Doors, ServiceAccount};
use crate::invoice::{Entry, Invoice};
use crate::plan::{Plan, plan, plan_of_word};
use crate::request::{Call, Received};
use crate::rule::{Book, Rule};
use crate::scenario;

/// Plans of plain answers that are kept ready.
const READY: usize = 256;

/// What makes two plain answers equal.
type Kind = (Call, bool, bool, bool, bool, String);

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) invoice: Invoice,
    doors: Mutex<Doors>,
    /// Whether anybody was admitted, so that a benchmark does not queue at the door.
    guarded: AtomicBool,
    book: Mutex<Book>,
    /// Whether the book is empty, so that a benchmark does not queue for it.
    scripted: AtomicU32,
    ready: RwLock<HashMap<Kind, Arc<Plan>>>,
    released: watch::Sender<u64>,
    connections: AtomicU64,
    broken_requests: AtomicU64,
    resets: AtomicU32,
}

impl Shared {
    fn new() -> Self {
        Self {
            invoice: Invoice::default(),
            doors: Mutex::default(),
            guarded: AtomicBool::new(false),
            book: Mutex::default(),
            scripted: AtomicU32::new(0),
            ready: RwLock::default(),
            released: watch::Sender::new(0),
            connections: AtomicU64::new(0),
            broken_requests: AtomicU64::new(0),
            resets: AtomicU32::new(0),
        }
    }

    pub(crate) fn script(&self, rule: Rule) {
        self.book.lock().unwrap_or_else(PoisonError::into_inner).add(rule);
        self.scripted.store(1, Ordering::Release);
    }

    pub(crate) fn forget(&self) {
        self.book.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.scripted.store(0, Ordering::Release);
    }

    pub(crate) fn release(&self) {
        self.released.send_modify(|count| *count += 1);
    }

    pub(crate) fn released(&self) -> watch::Receiver<u64> {
        self.released.subscribe()
    }

    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Acquire)
    }

    pub(crate) fn broken_request(&self) {
        self.broken_requests.fetch_add(1, Ordering::AcqRel);
    }

    /// What this request meets.
    pub(crate) fn plan(&self, request: &Received) -> Arc<Plan> {
        // What scripts say comes after the door, but for the endpoints that give out tokens.
        if !doors::gives_tokens(request)
            && let Some(word) = self.word(request)
        {
            return Arc::new(plan_of_word(&word));
        }
        if self.scripted.load(Ordering::Acquire) != 0 {
            let behaviour = self.book.lock().unwrap_or_else(PoisonError::into_inner).take(request);
            if let Some(behaviour) = behaviour {
                return Arc::new(plan(request, &behaviour));
            }
        }
        if doors::gives_tokens(request)
            && let Some(word) = self.word(request)
        {
            return Arc::new(plan_of_word(&word));
        }
        if let Some(behaviour) = request.model().and_then(scenario::of_model) {
            return Arc::new(plan(request, &behaviour));
        }
        let sse = request.query().is_some_and(|query| query.contains("alt=sse"));
        let (call, streaming) = (request.call(), request.streaming());
        if call == Call::Models {
            return Arc::new(plan(request, &Behaviour::default()));
        }
        let asked = streaming && request.include_usage();
        let amazon = amazon::is_concerned(request);
        let kind = (call, streaming, sse, asked, amazon, request.model().unwrap_or_default().to_owned());
        if let Some(ready) = self.ready.read().unwrap_or_else(PoisonError::into_inner).get(&kind) {
            return ready.clone();
        }
        let made = Arc::new(plan(request, &Behaviour::default()));
        let mut ready = self.ready.write().unwrap_or_else(PoisonError::into_inner);
        if ready.len() < READY {
            ready.insert(kind, made.clone());
        }
        made
    }

    fn word(&self, request: &Received) -> Option<doors::Word> {
        if self.guarded.load(Ordering::Acquire) { self.doors().judge(request) } else { None }
    }

    fn admit(&self, change: impl FnOnce(&mut Doors)) {
        change(&mut self.doors());
        self.guarded.store(true, Ordering::Release);
    }

    fn doors(&self) -> MutexGuard<'_, Doors> {
        self.doors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this connection is to be reset before anything is read.
    fn resets_now(&self) -> bool {
        let taken = self.resets.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1));
        taken.is_ok()
    }
}

/// A running fake vendor. It ends when it is dropped.
#[derive(Debug)]
pub struct Fakeup {
    address: SocketAddr,
    shared: Arc<Shared>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Fakeup {
    /// Starts on a free port of the loopback.
    ///
    /// # Panics
    ///
    /// If the loopback has no free port.
    #[expect(clippy::panic, reason = "a test without its upstream has nothing to test")]
    pub async fn start() -> Self {
        match Self::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await {
            Ok(fakeup) => fakeup,
            Err(error) => panic!("the fake upstream could not be started: {error}"),
        }
    }

    /// Starts on an address.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let mut fakeup = Self {
            address,
            shared: Arc::new(Shared::new()),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        };
        fakeup.address = fakeup.listen(address).await?;
        Ok(fakeup)
    }

    /// Listens on one more address with the same rules and the same invoice.
    pub async fn listen(&self, address: SocketAddr) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        self.tasks.spawn(accept(listener, self.shared.clone(), self.tasks.clone(), self.stop.clone()));
        Ok(address)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The base URL, without a path.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds a rule.
    pub fn script(&self, rule: Rule) {
        self.shared.script(rule);
    }

    /// Forgets every rule.
    pub fn forget(&self) {
        self.shared.forget();
    }

    /// From now on the face of Amazon wants signatures of admitted accounts.
    pub fn admit_aws(&self, account: AwsAccount) {
        self.shared.admit(|doors| doors.aws.push(account));
    }

    /// From now on the face of Google wants tokens, and `/token` gives them out for signed statements.
    pub fn admit_service_account(&self, account: ServiceAccount) {
        self.shared.admit(|doors| doors.services.push(account));
    }

    /// From now on the face of Microsoft wants tokens, and `/{tenant}/oauth2/v2.0/token` gives them out.
    pub fn admit_client(&self, client: Client) {
        self.shared.admit(|doors| doors.clients.push(client));
    }

    /// How long tokens live that are given out from now on, in seconds.
    pub fn token_life(&self, seconds: u64) {
        self.shared.doors().life_s = seconds;
    }

    /// Takes back every token that was given out.
    pub fn revoke_tokens(&self) {
        self.shared.doors().revoke();
    }

    /// Tokens that were given out so far.
    pub fn minted(&self) -> u64 {
        self.shared.doors().minted()
    }

    /// Lets every answer go on that is held at this moment.
    pub fn release(&self) {
        self.shared.release();
    }

    /// Resets so many of the next connections before anything is read from them.
    pub fn reset_next(&self, connections: u32) {
        self.shared.resets.store(connections, Ordering::Release);
    }

    /// Every request so far.
    pub fn invoice(&self) -> Vec<Entry> {
        self.shared.invoice.entries()
    }

    /// Requests that came with a credential (`None`: all), also those that the invoice has forgotten by now.
    pub fn requests(&self, credential: Option<&str>) -> u64 {
        self.shared.invoice.requests(credential)
    }

    /// Empties the invoice.
    pub fn clear_invoice(&self) {
        self.shared.invoice.clear();
    }

    /// Connections so far.
    pub fn connections(&self) -> u64 {
        self.shared.connections()
    }

    /// Connections that ended in the middle of a request.
    pub fn broken_requests(&self) -> u64 {
        self.shared.broken_requests.load(Ordering::Acquire)
    }

    /// Waits until the invoice is as wished, and answers it; after `limit`, it answers it as it is then.
    pub async fn until(&self, limit: Duration, wished: impl Fn(&[Entry]) -> bool) -> Vec<Entry> {
        let waiting = async {
            loop {
                let mut changed = std::pin::pin!(self.shared.invoice.changed());
                changed.as_mut().enable();
                if wished(&self.invoice()) {
                    return;
                }
                changed.await;
            }
        };
        // Too late is for the caller to see in what he gets.
        drop(tokio::time::timeout(limit, waiting).await);
        self.invoice()
    }
}

impl Drop for Fakeup {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, tasks: TaskTracker, stop: CancellationToken) {
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) => continue,
            },
        };
        let number = shared.connections.fetch_add(1, Ordering::AcqRel) + 1;
        if shared.resets_now() {
            drop(stream.set_zero_linger());
            continue;
        }
        tasks.spawn(serve(shared.clone(), stream, number, stop.clone()));
    }
}

async fn serve(shared: Arc<Shared>, stream: TcpStream, number: u64, stop: CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        // A peer that breaks a connection is part of the game.
        _ = connection::serve(&shared, stream, number) => {}
    }
}

/// A base URL where nobody listens, nor will: this process keeps the port for as long as it lives.
///
/// # Errors
///
/// If the loopback has no free port.
pub fn refused_url() -> io::Result<String> {
    static KEPT: Mutex<Vec<TcpSocket>> = Mutex::new(Vec::new());
    let socket = TcpSocket::new_v4()?;
    socket.bind(([127, 0, 0, 1], 0).into())?;
    let url = format!("http://{}", socket.local_addr()?);
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).push(socket);
    Ok(url)
}
