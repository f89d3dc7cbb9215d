//! Many viewers on one thread.

use crate::peer::{Heard, Peer, Wish};
use crate::socket::{Read, Socket};
use crate::tally::{Tally, note};
use mio::{Events, Interest, Poll, Token};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a viewer that lost its server without a word stays away, at least; and so long more at
/// random.
const BACK_OFF: Duration = Duration::from_millis(250);

/// Viewers.
pub(crate) struct Crowd {
    poll: Poll,
    events: Events,
    peer: Arc<dyn Peer>,
    /// Where they connect to: each the next one.
    pub(crate) addresses: Vec<SocketAddr>,
    next_address: usize,
    pub(crate) sockets: Vec<Socket>,
    pub(crate) tally: Tally,
    /// Beginning of the clock that payloads carry.
    clock: Instant,
    /// Whether viewers come back when they lost their server.
    pub(crate) faithful: bool,
    due: BinaryHeap<Reverse<(Instant, usize)>>,
    ready: usize,
}

impl Crowd {
    pub(crate) fn new(
        peer: Arc<dyn Peer>,
        addresses: Vec<SocketAddr>,
        clock: Instant,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            peer,
            addresses,
            next_address: 0,
            sockets: Vec::new(),
            tally: Tally::default(),
            clock,
            faithful: false,
            due: BinaryHeap::new(),
            ready: 0,
        })
    }

    /// Adds a viewer; it connects with [`Self::connect_all`].
    pub(crate) fn add(&mut self, wish: Wish) {
        self.sockets.push(Socket::new(wish));
    }

    /// Connects all that are not, so many at a time, until each is subscribed.
    pub(crate) fn connect_all(&mut self, at_once: usize, limit: Duration) -> anyhow::Result<()> {
        let waiting: Vec<usize> =
            (0..self.sockets.len()).filter(|n| !self.sockets[*n].ready).collect();
        let (end, before) = (Instant::now() + limit, self.ready);
        let mut begun = 0;
        while self.ready - before < waiting.len() {
            anyhow::ensure!(
                Instant::now() < end,
                "{} of {} are subscribed",
                self.ready,
                waiting.len()
            );
            while begun < waiting.len() && begun - (self.ready - before).min(begun) < at_once {
                self.connect(waiting[begun])?;
                begun += 1;
            }
            self.turn(Instant::now() + Duration::from_millis(100))?;
        }
        Ok(())
    }

    /// Lets everybody read for so long.
    pub(crate) fn watch(&mut self, span: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + span;
        while Instant::now() < end {
            self.turn(end)?;
        }
        Ok(())
    }

    /// Lets everybody read until something holds; whether it did in time.
    pub(crate) fn watch_until(
        &mut self,
        limit: Duration,
        holds: impl Fn(&Self) -> bool,
    ) -> anyhow::Result<bool> {
        let end = Instant::now() + limit;
        while Instant::now() < end {
            if holds(self) {
                return Ok(true);
            }
            self.turn((Instant::now() + Duration::from_millis(20)).min(end))?;
        }
        Ok(holds(self))
    }

    /// Viewers that are subscribed.
    pub(crate) const fn ready(&self) -> usize {
        self.ready
    }

    /// These viewers stop reading; their connections stay.
    pub(crate) fn mute(&mut self, which: impl Iterator<Item = usize>) -> anyhow::Result<()> {
        for number in which {
            if let Some(stream) = self.sockets[number].stream() {
                self.poll.registry().deregister(stream)?;
            }
        }
        Ok(())
    }

    /// Drops every connection; who wants to comes back with what it has.
    pub(crate) fn drop_all(&mut self) {
        self.sockets.iter_mut().for_each(Socket::drop_connection);
        self.ready = 0;
    }

    fn connect(&mut self, number: usize) -> anyhow::Result<()> {
        let address = self.addresses[self.next_address % self.addresses.len()];
        self.next_address += 1;
        let registry = self.poll.registry();
        self.sockets[number].connect(self.peer.as_ref(), address, |stream| {
            registry.register(stream, Token(number), Interest::READABLE | Interest::WRITABLE)
        })
    }

    /// One round of the poll: until something happened, or until `end`.
    fn turn(&mut self, end: Instant) -> anyhow::Result<()> {
        let next = self.due.peek().map_or(end, |Reverse((at, _))| (*at).min(end));
        let mut events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        match self.poll.poll(&mut events, Some(next.saturating_duration_since(Instant::now()))) {
            Err(error) if error.kind() != std::io::ErrorKind::Interrupted => {
                return Err(error.into());
            }
            _ => {}
        }
        for event in &events {
            self.drain(event.token().0);
        }
        self.events = events;
        while self.due.peek().is_some_and(|Reverse((at, _))| *at <= Instant::now()) {
            if let Some(Reverse((at, number))) = self.due.pop() {
                self.tally.returns.push(at);
                self.connect(number)?;
            }
        }
        Ok(())
    }

    /// Reads a socket until it has nothing more.
    fn drain(&mut self, number: usize) {
        loop {
            match self.sockets[number].read() {
                Read::Opened => {
                    let socket = &mut self.sockets[number];
                    note(&mut self.tally.opened, socket.started.elapsed());
                    let frames = self.peer.first(&socket.wish, socket.version);
                    socket.send(frames);
                }
                Read::Text(text) => text.lines().for_each(|line| self.hear(number, line)),
                Read::Closed(code) => self.tally.end(code),
                Read::Empty => return,
                Read::Gone => return self.lose(number),
            }
        }
    }

    fn hear(&mut self, number: usize, line: &str) {
        let socket = &mut self.sockets[number];
        match self.peer.hear(line) {
            Heard::Update { version, sent } if version > socket.version => {
                socket.version = version;
                self.tally.received += 1;
                let now = u64::try_from(self.clock.elapsed().as_nanos()).unwrap_or(u64::MAX);
                self.tally.latency.saturating_record(now.saturating_sub(sent));
            }
            Heard::Update { .. } => self.tally.repeated += 1,
            Heard::Ready(version) => {
                socket.version = socket.version.max(version);
                if !std::mem::replace(&mut socket.ready, true) {
                    self.ready += 1;
                    note(&mut self.tally.answer, socket.started.elapsed());
                }
                if let Some(lost) = socket.lost.take() {
                    note(&mut self.tally.without, lost.elapsed());
                }
            }
            Heard::Reply(frame) => socket.send([frame.to_owned()]),
            Heard::Goodbye(after) => socket.back_after = Some(after),
            Heard::Nothing => {}
        }
    }

    fn lose(&mut self, number: usize) {
        let socket = &mut self.sockets[number];
        self.ready -= usize::from(std::mem::replace(&mut socket.ready, false));
        let now = Instant::now();
        socket.lost.get_or_insert(now);
        let random = || BACK_OFF + BACK_OFF.mul_f64(fastrand::f64());
        let after = socket.back_after.take().unwrap_or_else(random);
        if self.faithful {
            self.due.push(Reverse((now + after, number)));
        }
    }
}
