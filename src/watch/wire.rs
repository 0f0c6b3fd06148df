//! A connection that does not wait for ever, and what may be asked of us.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep},
};

/// How much of it all one caller may have, and how long he may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many connections there are at once; one more is told so, and closed.
    pub connections: usize,
    /// For how long a caller may say nothing where a request, or the rest of one, is due.
    pub silence: Duration,
    /// For how long a caller may take nothing of what he is sent.
    pub stall: Duration,
    /// Bytes of a request's head.
    pub head: usize,
    /// Bytes of a form.
    pub form: usize,
    /// Bytes of what a Git host tells.
    pub hook: usize,
    /// How often something is sent where nothing happens, so that whoever is gone is found out.
    pub heartbeat: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 64,
            silence: Duration::from_secs(15),
            stall: Duration::from_secs(30),
            head: 16 * 1024,
            form: 4 * 1024,
            hook: 1024 * 1024,
            heartbeat: Duration::from_secs(15),
        }
    }
}

/// A stream that fails where the other side takes nothing for too long.
pub(super) struct Patient {
    stream: TcpStream,
    patience: Duration,
    /// Runs while something cannot be written.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    pub fn new(stream: TcpStream, patience: Duration) -> Self {
        Self { stream, patience, stalled: None }
    }

    fn judged<T>(&mut self, outcome: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.stalled = None;
            return outcome;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(stalled.as_mut().poll(context));
        // Asked again, it fails again at once.
        stalled.as_mut().reset(Instant::now());
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Patient {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judged(outcome, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
