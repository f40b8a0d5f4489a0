//! A slow road to a server: so long a way there and back, and so many bytes a second on each connection.
//!
//! `proxy PORT MILLISECONDS BYTES_PER_SECOND` prints its own port on 127.0.0.1. Half of the time passes on the way there and half
//! on the way back, and once more as much before the first bytes of a connection, as a handshake over that distance takes.
//! Connections do not share their rate, and a connection that was idle has saved nothing up.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// Bytes that travel together: at 10 MB/s they take 3 ms.
const PIECE: usize = 32 * 1024;

/// Pieces that may be on their way in one direction, beyond which the sender waits.
const UNDER_WAY: usize = 1024;

/// How much later than meant this machine may have woken us, and yet the rate is kept.
const LATE: Duration = Duration::from_millis(20);

/// Some bytes, and when they arrive.
type Travelling = (Instant, Vec<u8>);

#[derive(Clone, Copy)]
struct Road {
    there_and_back: Duration,
    bytes_per_second: f64,
}

fn main() -> io::Result<()> {
    let arguments: Vec<u32> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let &[port, milliseconds, bytes_per_second] = arguments.as_slice() else {
        return Err(io::Error::other("usage: proxy PORT MILLISECONDS BYTES_PER_SECOND"));
    };
    let port = u16::try_from(port).map_err(io::Error::other)?;
    let there_and_back = Duration::from_millis(milliseconds.into());
    let road = Road { there_and_back, bytes_per_second: bytes_per_second.into() };
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    println!("{}", listener.local_addr()?.port());
    for client in listener.incoming() {
        join(client?, TcpStream::connect(("127.0.0.1", port))?, road)?;
    }
    Ok(())
}

/// Carries both directions of a connection until both have ended.
fn join(client: TcpStream, server: TcpStream, road: Road) -> io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let shaken = Instant::now() + road.there_and_back;
    carry(client.try_clone()?, server.try_clone()?, road, shaken);
    carry(server, client, road, shaken);
    Ok(())
}

fn carry(from: TcpStream, to: TcpStream, road: Road, not_before: Instant) {
    let (sender, receiver) = sync_channel(UNDER_WAY);
    // Whoever goes away ends the connection, and nothing else.
    thread::spawn(move || drop(take_in(from, &sender, road, not_before)));
    thread::spawn(move || drop(give_out(to, &receiver)));
}

/// Takes bytes in as fast as the road is wide.
fn take_in(mut from: TcpStream, sender: &SyncSender<Travelling>, road: Road, not_before: Instant) -> io::Result<()> {
    let mut free = not_before;
    loop {
        let mut piece = vec![0; PIECE];
        let count = from.read(&mut piece)?;
        if count == 0 {
            return Ok(());
        }
        piece.truncate(count);
        free = free.max(Instant::now() - LATE) + Duration::from_secs_f64(count as f64 / road.bytes_per_second);
        if sender.send((free + road.there_and_back / 2, piece)).is_err() {
            return Ok(());
        }
        thread::sleep(free.saturating_duration_since(Instant::now()));
    }
}

/// Gives bytes out when they have arrived.
fn give_out(mut to: TcpStream, receiver: &Receiver<Travelling>) -> io::Result<()> {
    for (arrival, piece) in receiver {
        thread::sleep(arrival.saturating_duration_since(Instant::now()));
        to.write_all(&piece)?;
    }
    to.shutdown(Shutdown::Write)
}
