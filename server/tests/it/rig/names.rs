//! A name server on the loopback that says what it is told to.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

/// What the server says of a name.
#[derive(Clone, Debug)]
pub(crate) enum Says {
    Addresses(Vec<IpAddr>),
    /// The same, late.
    Late(Duration, Vec<IpAddr>),
    /// The same, but only to who asks again by TCP.
    Long(Vec<IpAddr>),
    /// A response code: 2 is SERVFAIL, 3 NXDOMAIN.
    Code(u8),
    Nothing,
}

#[derive(Default)]
struct State {
    names: HashMap<String, Says>,
    asked: Vec<String>,
}

/// A running name server.
pub(crate) struct Names {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
    tasks: [JoinHandle<()>; 2],
}

impl Names {
    pub(crate) async fn start() -> Self {
        let (listener, socket) = loop {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            // The same port for both; the other half may be taken.
            if let Ok(socket) = UdpSocket::bind(listener.local_addr().unwrap()).await {
                break (listener, Arc::new(socket));
            }
        };
        let (address, state) = (listener.local_addr().unwrap(), Arc::<Mutex<State>>::default());
        let (tasks, state_udp, state_tcp) = (TaskTracker::new(), Arc::clone(&state), Arc::clone(&state));
        let inner = tasks.clone();
        let udp = tasks.spawn(async move {
            let mut buffer = [0; 1_500];
            loop {
                let Ok((length, peer)) = socket.recv_from(&mut buffer).await else { continue };
                let question = buffer[..length].to_vec();
                let says = state_udp.lock().unwrap().says(&question);
                let socket = Arc::clone(&socket);
                inner.spawn(async move {
                    let answer = match says {
                        Says::Nothing => return,
                        Says::Late(after, addresses) => {
                            tokio::time::sleep(after).await;
                            answer(&question, 0, &addresses)
                        }
                        Says::Addresses(addresses) => answer(&question, 0, &addresses),
                        Says::Long(_) => {
                            let mut cut = answer(&question, 0, &[]);
                            cut[2] |= 0x02;
                            cut
                        }
                        Says::Code(code) => answer(&question, code, &[]),
                    };
                    drop(socket.send_to(&answer, peer).await);
                });
            }
        });
        let tcp = tasks.spawn(async move {
            loop {
                let Ok((mut stream, _)) = listener.accept().await else { continue };
                let mut question = vec![0; usize::from(stream.read_u16().await.unwrap())];
                stream.read_exact(&mut question).await.unwrap();
                let says = state_tcp.lock().unwrap().says(&question);
                let Says::Long(addresses) = says else { panic!("asked by TCP for {says:?}") };
                let answer = answer(&question, 0, &addresses);
                stream.write_u16(answer.len().try_into().unwrap()).await.unwrap();
                stream.write_all(&answer).await.unwrap();
            }
        });
        Self { address, state, tasks: [udp, tcp] }
    }

    /// Sets what is said of a name; of all others it is said that there are none.
    pub(crate) fn say(&self, name: &str, says: Says) {
        self.state.lock().unwrap().names.insert(name.to_owned(), says);
    }

    /// Questions for a name so far.
    pub(crate) fn asked(&self, name: &str) -> usize {
        self.state.lock().unwrap().asked.iter().filter(|asked| *asked == name).count()
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl State {
    fn says(&mut self, question: &[u8]) -> Says {
        let (mut name, mut at) = (String::new(), 12);
        while question[at] != 0 {
            let end = at + 1 + usize::from(question[at]);
            if !name.is_empty() {
                name.push('.');
            }
            name.push_str(std::str::from_utf8(&question[at + 1..end]).unwrap());
            at = end;
        }
        self.asked.push(name.clone());
        self.names.get(&name).cloned().unwrap_or(Says::Code(3))
    }
}

/// The question again, and the addresses of the asked family.
fn answer(question: &[u8], code: u8, addresses: &[IpAddr]) -> Vec<u8> {
    let asks_ipv6 = question[question.len() - 3] == 28;
    let fitting: Vec<_> = addresses.iter().filter(|address| address.is_ipv6() == asks_ipv6).collect();
    let mut message = question.to_vec();
    message[2] = 0x81;
    message[3] = 0x80 | code;
    message[7] = fitting.len().try_into().unwrap();
    for address in fitting {
        message.extend_from_slice(&[0xc0, 12, 0, if asks_ipv6 { 28 } else { 1 }, 0, 1, 0, 0, 0, 60]);
        match address {
            IpAddr::V4(v4) => message.extend([&[0, 4][..], &v4.octets()].concat()),
            IpAddr::V6(v6) => message.extend([&[0, 16][..], &v6.octets()].concat()),
        }
    }
    message
}
