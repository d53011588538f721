//! Carries a plan out on a socket, and notices when the peer leaves.

use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;

use crate::behaviour::Then;
use crate::invoice::{End, Line};
use crate::plan::{Act, Plan};

/// Most that is read ahead while an answer is on its way.
const AHEAD: usize = 256 * 1024;

/// Carries out a plan. `released` counts calls of [`crate::Fakeup::release`].
pub(crate) async fn play(
    stream: &mut TcpStream,
    ahead: &mut BytesMut,
    plan: &Plan,
    line: &Line,
    released: &mut watch::Receiver<u64>,
) -> End {
    let mut reset = false;
    let end = {
        let (mut reader, mut writer) = stream.split();
        let mut end = End::Finished;
        for act in &plan.acts {
            let went_on = match act {
                Act::Send(bytes) => send(&mut reader, &mut writer, ahead, bytes.clone(), line).await,
                Act::Repeat(bytes, times) => {
                    let mut there = true;
                    for _ in 0..*times {
                        there = there && send(&mut reader, &mut writer, ahead, bytes.clone(), line).await;
                        if !there {
                            break;
                        }
                    }
                    there
                }
                Act::Pause(time) => pause(&mut reader, ahead, *time).await,
                Act::Then(Then::Finish) => true,
                Act::Then(Then::Close) => {
                    end = End::BrokenOff;
                    break;
                }
                Act::Then(Then::Reset) => {
                    (end, reset) = (End::BrokenOff, true);
                    break;
                }
                Act::Then(Then::Stall) => {
                    left(&mut reader, ahead).await;
                    false
                }
                Act::Then(Then::Hold) => {
                    tokio::select! {
                        changed = released.changed() => changed.is_ok(),
                        () = left(&mut reader, ahead) => false,
                    }
                }
            };
            if !went_on {
                end = End::ClientGone;
                break;
            }
        }
        end
    };
    if reset {
        // The peer gets an RST in place of a FIN. Where the option fails, the test that needs it fails too.
        drop(stream.set_zero_linger());
    }
    end
}

/// Writes everything; false if the peer left before.
async fn send(
    reader: &mut ReadHalf<'_>,
    writer: &mut WriteHalf<'_>,
    ahead: &mut BytesMut,
    mut bytes: Bytes,
    line: &Line,
) -> bool {
    while !bytes.is_empty() {
        let written = tokio::select! {
            biased;
            written = writer.write(&bytes) => written,
            () = left(reader, ahead) => return false,
        };
        let Ok(count @ 1..) = written else { return false };
        line.sent(count);
        bytes.advance(count);
    }
    true
}

async fn pause(reader: &mut ReadHalf<'_>, ahead: &mut BytesMut, time: Duration) -> bool {
    tokio::select! {
        () = tokio::time::sleep(time) => true,
        () = left(reader, ahead) => false,
    }
}

/// Ends when the peer has closed or reset the connection.
async fn left(reader: &mut ReadHalf<'_>, ahead: &mut BytesMut) {
    while ahead.len() < AHEAD {
        match reader.read_buf(ahead).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
    std::future::pending::<()>().await;
}
