//! Tests of the listeners on real ports.

use super::*;

fn hash(state: &str) -> Vec<u8> {
    Sha256::digest(state.as_bytes()).to_vec()
}

async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

async fn get(port: u16, target: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    stream.write_all(format!("GET {target} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes()).await.ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await.ok()?;
    Some(text)
}

fn waiting(state: &str) -> Waiting {
    Waiting {
        path: "/callback".to_owned(),
        state_hash: hash(state),
        to: "https://gate.example/auth/enrol/callback".to_owned(),
        flow: None,
    }
}

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const LIFE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn oa_02_a_port_is_open_only_while_a_sign_in_waits_and_sends_its_answer_on() {
    let (ports, tracker, port) = (Loopback::default(), TaskTracker::new(), free_port().await);
    assert!(get(port, "/callback").await.is_none());
    ports.wait(&tracker, (HERE, port), waiting("s-1"), LIFE).await.unwrap();
    ports.wait(&tracker, (HERE, port), waiting("s-2"), LIFE).await.unwrap();
    ports.name(&hash("s-1"), OauthFlowId(1));
    ports.name(&hash("s-2"), OauthFlowId(2));
    let answer = get(port, "/callback?code=c&state=s-2").await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    assert!(answer.contains("location: https://gate.example/auth/enrol/callback?code=c&state=s-2\r\n"));
    for wrong in ["/callback?code=c&state=other", "/elsewhere?code=c&state=s-1", "/callback", "/"] {
        assert!(get(port, wrong).await.unwrap().starts_with("HTTP/1.1 404"), "{wrong}");
    }
    ports.done(OauthFlowId(1));
    assert!(get(port, "/callback?code=c&state=s-2").await.is_some());
    ports.done(OauthFlowId(2));
    tracker.close();
    tracker.wait().await;
    assert!(get(port, "/callback?code=c&state=s-2").await.is_none());
}

#[tokio::test]
async fn oa_02_a_port_that_is_about_to_close_can_be_waited_at_again_and_by_two_at_once() {
    let (ports, tracker, port) = (Loopback::default(), TaskTracker::new(), free_port().await);
    for round in 1..=20 {
        let (one, two) = (format!("s-{round}"), format!("t-{round}"));
        // Neither has opened the port when the other one looks.
        let (first, second) = tokio::join!(
            ports.wait(&tracker, (HERE, port), waiting(&one), LIFE),
            ports.wait(&tracker, (HERE, port), waiting(&two), LIFE)
        );
        assert_eq!((first, second), (Ok(()), Ok(())), "round {round}");
        ports.name(&hash(&one), OauthFlowId(round));
        let answer = get(port, &format!("/callback?code=c&state={two}")).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
        ports.done(OauthFlowId(round));
        // One that was never stored has no number.
        ports.undo(&hash(&two));
        assert_eq!(ports.look(Some(HERE), port).await.state, PortState::Off);
    }
    tracker.close();
    tracker.wait().await;
    assert!(get(port, "/callback").await.is_none());
}

#[tokio::test]
async fn oa_02_an_occupied_port_is_said_and_stops_nothing() {
    let holder = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = holder.local_addr().unwrap().port();
    let (ports, tracker) = (Loopback::default(), TaskTracker::new());
    let fault = ports.wait(&tracker, (HERE, port), waiting("s"), LIFE).await.unwrap_err();
    assert!(fault.to_lowercase().contains("in use"), "{fault}");
    drop(holder);
    ports.wait(&tracker, (HERE, port), waiting("s"), LIFE).await.unwrap();
    ports.close();
    tracker.close();
    tracker.wait().await;
}

#[tokio::test]
async fn oa_02_a_port_is_listened_on_where_the_operator_says() {
    let (ports, tracker, port) = (Loopback::default(), TaskTracker::new(), free_port().await);
    let other = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
    ports.wait(&tracker, (other, port), waiting("s"), LIFE).await.unwrap();
    assert!(TcpStream::connect((HERE, port)).await.is_err(), "not on the usual address");
    assert!(TcpStream::connect((other, port)).await.is_ok());
    ports.close();
    tracker.close();
    tracker.wait().await;
}
