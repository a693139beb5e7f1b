//! Where browsers come in: over TLS or not, and only so many at a time.
//!
//! A connection that has not asked for anything in time, or takes too long over it, is closed:
//! it would hold a place that somebody else could have.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, Sleep, sleep, sleep_until, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tracing::{debug, warn};

/// Longest time between two pieces of what is answered; asking counts into it.
const PATIENCE: Duration = Duration::from_mins(2);
/// Bytes that a browser has to send to have asked for anything: `GET / HTTP/1.1`.
const BEGINNING_BYTES: usize = 14;
/// Pause after a connection could not be taken, most often because files are used up.
const PAUSE: Duration = Duration::from_millis(50);
/// Connections that wait to be served.
const QUEUE_MAX: usize = 16;

/// What browsers connect to.
#[derive(Clone)]
pub struct Entrance {
    /// Speaks TLS, when it is given.
    pub tls: Option<TlsAcceptor>,
    /// Most connections at a time.
    pub connections_max: usize,
    /// Longest time from connecting to the first words, TLS included.
    pub handshake: Duration,
}

impl std::fmt::Debug for Entrance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entrance")
            .field("connections_max", &self.connections_max)
            .finish_non_exhaustive()
    }
}

/// Connections of browsers that have shaken hands.
#[derive(Debug)]
pub struct PageListener {
    address: SocketAddr,
    queue: mpsc::Receiver<(PageStream, SocketAddr)>,
}

impl PageListener {
    /// Takes connections until it is dropped.
    ///
    /// # Errors
    /// When the socket has no address.
    pub fn start(listener: TcpListener, entrance: Entrance) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (sender, queue) = mpsc::channel(QUEUE_MAX);
        tokio::spawn(async move {
            tokio::select! {
                () = take_all(&listener, &entrance, &sender) => {}
                () = sender.closed() => {}
            }
        });
        Ok(Self { address, queue })
    }
}

impl Listener for PageListener {
    type Io = PageStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (PageStream, SocketAddr) {
        match self.queue.recv().await {
            Some(taken) => taken,
            // The task that takes connections ends with this listener alone.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

async fn take_all(
    listener: &TcpListener,
    entrance: &Entrance,
    sender: &mpsc::Sender<(PageStream, SocketAddr)>,
) {
    let places = Arc::new(Semaphore::new(entrance.connections_max));
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(taken) => taken,
            Err(error) => {
                warn!(%error, "no browser's connection could be taken");
                sleep(PAUSE).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            debug!(%peer, "every connection is taken: closed another");
            continue;
        };
        let (tls, sender) = (entrance.tls.clone(), sender.clone());
        let until = Instant::now() + entrance.handshake;
        tokio::spawn(async move {
            let io = match tls {
                None => Io::Plain(stream),
                Some(tls) => match timeout_at(until, tls.accept(stream)).await {
                    Ok(Ok(stream)) => Io::Tls(Box::new(stream)),
                    Ok(Err(_)) | Err(_) => return debug!(%peer, "no TLS came about"),
                },
            };
            let over = Box::pin(sleep_until(until));
            let stream = PageStream { io, over, bytes_left: BEGINNING_BYTES, _place: place };
            // Nobody listens any more when the pages have ended.
            drop(sender.send((stream, peer)).await);
        });
    }
}

/// A browser's connection in its place.
#[derive(Debug)]
pub struct PageStream {
    io: Io,
    /// When patience ends.
    over: Pin<Box<Sleep>>,
    /// Until it has asked for anything.
    bytes_left: usize,
    _place: OwnedSemaphorePermit,
}

#[derive(Debug)]
enum Io {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl PageStream {
    fn renew_patience(&mut self) {
        self.over.as_mut().reset(Instant::now() + PATIENCE);
    }
}

impl AsyncRead for PageStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Io::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        };
        let n_bytes = buffer.filled().len() - before;
        if 0 < self.bytes_left && 0 < n_bytes {
            self.bytes_left = self.bytes_left.saturating_sub(n_bytes);
            if self.bytes_left == 0 {
                self.renew_patience();
            }
        }
        if read.is_pending() && self.over.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl AsyncWrite for PageStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.renew_patience();
        match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Io::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Io::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Io::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn who_asks_for_nothing_is_closed_and_who_is_one_too_many_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let entrance =
            Entrance { tls: None, connections_max: 2, handshake: Duration::from_millis(50) };
        let mut pages = PageListener::start(listener, entrance).unwrap();
        let mut silent = TcpStream::connect(address).await.unwrap();
        let (mut taken, _) = pages.accept().await;
        silent.write_all(b"GET /").await.unwrap();
        let mut buffer = [0; 64];
        assert_eq!(taken.read(&mut buffer).await.unwrap(), 5);
        let late = taken.read(&mut buffer).await.unwrap_err();
        assert_eq!(late.kind(), io::ErrorKind::TimedOut);

        let mut asking = TcpStream::connect(address).await.unwrap();
        let (mut other, _) = pages.accept().await;
        asking.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        assert_eq!(other.read(&mut buffer).await.unwrap(), 16);
        let mut third = TcpStream::connect(address).await.unwrap();
        assert_eq!(third.read(&mut buffer).await.unwrap_or(0), 0, "both places are taken");
        drop(taken);
        let mut fourth = TcpStream::connect(address).await.unwrap();
        drop(pages.accept().await);
        assert_eq!(fourth.read(&mut buffer).await.unwrap_or(0), 0, "it was taken and let go");
    }
}
