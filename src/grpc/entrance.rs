//! Where connections come in: over TLS or not, and only so many.
//!
//! A caller that connects and says nothing, or says it byte by byte, holds a place until its
//! time to begin is over; later on HTTP/2 asks it whether it lives. Connections beyond the most
//! are closed at once, so that those who have a place keep it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Stream, StreamExt as _, stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep, sleep_until, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tonic::transport::server::{Connected, TcpConnectInfo};
use tracing::{debug, warn};

/// Bytes that a caller has to send to have begun: the preface of HTTP/2 and the header of the
/// frame behind it. Source: RFC 9113, sections 3.4 and 4.1.
const BEGINNING_BYTES: usize = 24 + 9;
/// Pause after a connection could not be taken, most often because files are used up.
const PAUSE: Duration = Duration::from_millis(50);

/// Limits of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Most connections at a time.
    pub connections_max: usize,
    /// Most calls at a time on one connection.
    pub streams_max: u32,
    /// Most bytes of the headers of a call, as HTTP/2 counts them.
    pub header_bytes_max: u32,
    /// Longest time from connecting to the first words, TLS included.
    pub handshake: Duration,
    /// How often a connection is asked whether it lives.
    pub keepalive: Duration,
}

/// A listening socket, with or without TLS.
pub struct Entrance {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
}

impl From<TcpListener> for Entrance {
    fn from(listener: TcpListener) -> Self {
        Self { listener, tls: None }
    }
}

impl std::fmt::Debug for Entrance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let address = self.listener.local_addr().ok();
        f.debug_struct("Entrance").field("address", &address).finish_non_exhaustive()
    }
}

impl Entrance {
    /// A socket on which callers speak TLS, when it is given.
    pub fn new(listener: TcpListener, tls: Option<TlsAcceptor>) -> Self {
        Self { listener, tls }
    }

    /// The address that it listens on.
    ///
    /// # Errors
    /// When the socket has none.
    pub fn local_addr(&self) -> io::Result<std::net::SocketAddr> {
        self.listener.local_addr()
    }

    /// Connections as they come in, those that have shaken hands.
    pub fn connections(
        self,
        limits: ConnectionLimits,
    ) -> impl Stream<Item = Result<Connection, io::Error>> {
        let places = Arc::new(Semaphore::new(limits.connections_max));
        let tls = self.tls;
        let accepted = stream::unfold((self.listener, places), |(listener, places)| async move {
            let taken = accept(&listener, &places).await;
            Some((taken, (listener, places)))
        });
        accepted
            .map(move |(stream, place)| {
                let tls = tls.clone();
                let until = Instant::now() + limits.handshake;
                async move {
                    let io = match tls {
                        None => Io::Plain(stream),
                        Some(tls) => Io::Tls(Box::new(shake_hands(tls, stream, until).await?)),
                    };
                    let beginning = Beginning {
                        over: Box::pin(sleep_until(until)),
                        bytes_left: BEGINNING_BYTES,
                    };
                    Some(Ok(Connection { io, beginning: Some(beginning), _place: place }))
                }
            })
            // One slot each for all that have a place: none waits for another's hands.
            .buffer_unordered(limits.connections_max)
            .filter_map(std::future::ready)
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, OwnedSemaphorePermit) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let Ok(place) = Arc::clone(places).try_acquire_owned() else {
                    debug!(%peer, "every connection is taken: closed another");
                    continue;
                };
                // A socket without it is slower, nothing else.
                drop(stream.set_nodelay(true));
                return (stream, place);
            }
            Err(error) => {
                warn!(%error, "no connection could be taken");
                sleep(PAUSE).await;
            }
        }
    }
}

/// On a task of its own: what it computes holds nobody up.
async fn shake_hands(
    tls: TlsAcceptor,
    stream: TcpStream,
    until: Instant,
) -> Option<TlsStream<TcpStream>> {
    let shaken = tokio::spawn(timeout_at(until, tls.accept(stream))).await;
    match shaken {
        Ok(Ok(Ok(stream))) => return Some(stream),
        Ok(Ok(Err(error))) => debug!(%error, "no TLS came about"),
        Ok(Err(_)) => debug!("TLS took too long"),
        Err(error) => warn!(%error, "a TLS handshake broke down"),
    }
    None
}

/// A connection in its place.
#[derive(Debug)]
pub struct Connection {
    io: Io,
    beginning: Option<Beginning>,
    _place: OwnedSemaphorePermit,
}

#[derive(Debug)]
enum Io {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection that has not begun.
#[derive(Debug)]
struct Beginning {
    over: Pin<Box<Sleep>>,
    bytes_left: usize,
}

impl Io {
    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.io.tcp().connect_info()
    }
}

impl AsyncRead for Connection {
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
        let Some(beginning) = &mut self.beginning else { return read };
        let n_bytes = buffer.filled().len() - before;
        beginning.bytes_left = beginning.bytes_left.saturating_sub(n_bytes);
        if beginning.bytes_left == 0 {
            self.beginning = None;
            return read;
        }
        if read.is_pending() && beginning.over.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Io::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bytes),
            Io::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bytes),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.io {
            Io::Plain(stream) => stream.is_write_vectored(),
            Io::Tls(stream) => stream.is_write_vectored(),
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
