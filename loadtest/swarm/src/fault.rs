//! A faulty wire between a gateway and Redis: it passes bytes on until it is told otherwise.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// How the wire behaves; shared by all its connections.
#[derive(Default)]
struct Mood {
    /// Nothing moves, in neither direction.
    still: AtomicBool,
    /// Connections that have subscribed up to this number get nothing any more.
    deaf_up_to: AtomicUsize,
    /// Connections that have subscribed.
    subscribed: AtomicUsize,
}

/// A wire.
pub(crate) struct Wire {
    pub(crate) url: String,
    mood: Arc<Mood>,
}

impl Wire {
    /// A wire to Redis that works. It lasts as long as the program.
    pub(crate) fn to(redis: &str) -> anyhow::Result<Self> {
        let target: SocketAddr = redis.trim_start_matches("redis://").parse()?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (url, mood) = (format!("redis://{}", listener.local_addr()?), Arc::<Mood>::default());
        let shared = mood.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Ok(server) = TcpStream::connect(target) {
                    join(client, server, &shared);
                }
            }
        });
        Ok(Self { url, mood })
    }

    /// Stops everything, or lets it go on.
    pub(crate) fn hold(&self, still: bool) {
        self.mood.still.store(still, Ordering::Release);
    }

    /// All subscriptions that there are stay connected and get nothing any more.
    pub(crate) fn deafen(&self) {
        self.mood.deaf_up_to.store(self.subscribed(), Ordering::Release);
    }

    /// How many connections have subscribed so far.
    pub(crate) fn subscribed(&self) -> usize {
        self.mood.subscribed.load(Ordering::Acquire)
    }
}

/// Passes bytes both ways, each on a thread of its own.
fn join(client: TcpStream, server: TcpStream, mood: &Arc<Mood>) {
    let (Ok(client_too), Ok(server_too)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    let number = Arc::new(AtomicUsize::new(0));
    let (up, down) = (mood.clone(), mood.clone());
    let own = number.clone();
    std::thread::spawn(move || {
        pass(client, server, &up, |bytes| {
            if own.load(Ordering::Acquire) == 0 && contains(bytes, b"SUBSCRIBE") {
                own.store(up.subscribed.fetch_add(1, Ordering::AcqRel) + 1, Ordering::Release);
            }
            true
        });
    });
    std::thread::spawn(move || {
        pass(server_too, client_too, &down, |_| {
            let number = number.load(Ordering::Acquire);
            number == 0 || number > down.deaf_up_to.load(Ordering::Acquire)
        });
    });
}

/// Reads and writes until one side ends; what `lets` refuses is thrown away.
fn pass(mut from: TcpStream, mut to: TcpStream, mood: &Mood, lets: impl Fn(&[u8]) -> bool) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        while mood.still.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(10));
        }
        if lets(&buffer[..read]) && to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

fn contains(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}
