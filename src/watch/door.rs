//! The door: HTTP/1.1 around what is known.

use super::{
    gate::Token,
    hub::Hub,
    visit::{HookCheck, Order, Room, answer},
    wire::{Limits, Patient},
};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    task::JoinSet,
};

/// How long answers under way may still take once the door is told to close.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long to wait where no connection can be taken, as where files ran out.
const BREATH: Duration = Duration::from_millis(200);

/// Why a door was not opened.
#[derive(Debug, thiserror::Error)]
pub enum Closed {
    /// Everybody on the net could look.
    #[error(
        "{0} can be reached from other machines, and no token is set: set one, or listen at 127.0.0.1:{port} and reach it with ssh -L {port}:127.0.0.1:{port}",
        port = .0.port()
    )]
    Open(SocketAddr),
    /// The address cannot be had.
    #[error("cannot listen at {0}: {1}")]
    Taken(SocketAddr, io::Error),
}

/// What a door asks of those who come, and what it does with what they bring.
#[derive(Clone, Default)]
pub struct Rules {
    /// What opens it. Without one it is open to this machine, and nobody can order anything.
    pub token: Option<Token>,
    /// Where orders go.
    pub orders: Option<mpsc::Sender<Order>>,
    /// What judges a word of a Git host.
    pub hook: Option<HookCheck>,
    /// How much one caller may have of it.
    pub limits: Limits,
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules").field("token", &self.token).field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// A door that is open, and not served yet.
#[derive(Debug)]
pub struct Door {
    hub: Arc<Hub>,
    rules: Rules,
    listener: TcpListener,
    address: SocketAddr,
}

/// Where to listen: `8080`, `127.0.0.1:8080`, `[::1]:0`. Where only a port is given, other machines cannot reach it.
///
/// # Errors
/// What to write instead.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    let port = text.strip_prefix(':').unwrap_or(text);
    let own = port.parse().map(|port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)).ok();
    let named = text.strip_prefix("localhost:").and_then(|it| it.parse().ok()).map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    own.or(named).or(text.parse().ok()).ok_or_else(|| "write an address and a port, like 127.0.0.1:8080, or a port".to_owned())
}

impl Door {
    /// Takes the address; port 0 is any that is free.
    ///
    /// # Errors
    /// [`Closed`].
    pub async fn open(at: SocketAddr, hub: Arc<Hub>, rules: Rules) -> Result<Self, Closed> {
        if !at.ip().is_loopback() && rules.token.is_none() {
            return Err(Closed::Open(at));
        }
        let taken = |error| Closed::Taken(at, error);
        let listener = TcpListener::bind(at).await.map_err(taken)?;
        let address = listener.local_addr().map_err(taken)?;
        Ok(Self { hub, rules, listener, address })
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until told to stop; answers under way are finished first, streams are ended.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let limits = self.rules.limits;
        let (closer, closing) = watch::channel(false);
        let room = Arc::new(Room { hub: self.hub, rules: self.rules, closing: closing.clone() });
        let mut connections = JoinSet::new();
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) if connections.len() < limits.connections => {
                        let _ = stream.set_nodelay(true);
                        connections.spawn(converse(Arc::clone(&room), stream, closing.clone()));
                    }
                    Ok((stream, _)) => turn_away(&stream),
                    Err(_) => tokio::time::sleep(BREATH).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
        let _ = closer.send(true);
        let all = async { while connections.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(PATIENCE, all).await;
    }
}

/// One too many is told so, if that needs no waiting.
fn turn_away(stream: &TcpStream) {
    let _ = stream.try_write(b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
}

/// One connection, until somebody ends it.
async fn converse(room: Arc<Room>, stream: TcpStream, mut closing: watch::Receiver<bool>) {
    let limits = room.rules.limits;
    let stream = TokioIo::new(Patient::new(stream, limits.stall));
    let service = service_fn(move |request| answer(Arc::clone(&room), request));
    let mut server = hyper::server::conn::http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(limits.silence).max_buf_size(limits.head);
    let connection = server.serve_connection(stream, service);
    tokio::pin!(connection);
    tokio::select! {
        // What becomes of a connection is its caller's affair.
        _ = &mut connection => return,
        _ = closing.wait_for(|it| *it) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_of_this_machine() {
        for (text, meant) in [("8080", "127.0.0.1:8080"), (":0", "127.0.0.1:0"), ("localhost:1", "127.0.0.1:1"), ("[::1]:2", "[::1]:2")] {
            assert_eq!(address(text).unwrap().to_string(), meant);
        }
        assert_eq!(address("0.0.0.0:80").unwrap().to_string(), "0.0.0.0:80");
        for wrong in ["", "here", "127.0.0.1", "70000", "example.org:80"] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }
}
