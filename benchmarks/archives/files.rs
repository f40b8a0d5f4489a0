//! A server of the files of one directory: what an archive's object store is to those who fetch from it.
//!
//! HTTP/1.1 with kept connections and ranges, a thread for each connection; the kernel copies from the file to the socket, so
//! that the machine's other processes are measured and not this one. `files DIRECTORY` prints its port on 127.0.0.1.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// What is wanted of a request: the path, the range if one is named, and whether the connection stays.
struct Wanted {
    path: String,
    range: Option<String>,
    keep: bool,
}

fn main() -> io::Result<()> {
    let directory = std::env::args_os().nth(1).ok_or_else(|| io::Error::other("usage: files DIRECTORY"))?;
    let directory: Arc<Path> = PathBuf::from(directory).into();
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    println!("{}", listener.local_addr()?.port());
    for connection in listener.incoming() {
        let (connection, directory) = (connection?, Arc::clone(&directory));
        // A client that goes away ends its connection, and nothing else.
        std::thread::spawn(move || drop(answer(connection, &directory)));
    }
    Ok(())
}

fn answer(connection: TcpStream, directory: &Path) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut requests = BufReader::new(connection.try_clone()?);
    let mut connection = connection;
    while let Some(wanted) = read(&mut requests)? {
        match open(directory, &wanted.path) {
            Some(file) => send(&mut connection, file, wanted.range.as_deref())?,
            None => connection.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")?,
        }
        if !wanted.keep {
            break;
        }
    }
    Ok(())
}

/// The next request; nothing if the client has closed the connection.
fn read(requests: &mut impl BufRead) -> io::Result<Option<Wanted>> {
    let mut line = String::new();
    if requests.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let path = line.split(' ').nth(1).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default().to_owned();
    let mut wanted = Wanted { path, range: None, keep: true };
    loop {
        line.clear();
        if requests.read_line(&mut line)? == 0 || line.trim_end().is_empty() {
            return Ok(Some(wanted));
        }
        let Some((name, value)) = line.split_once(':') else { continue };
        match name.to_ascii_lowercase().as_str() {
            "range" => wanted.range = value.trim().strip_prefix("bytes=").map(str::to_owned),
            "connection" => wanted.keep = !value.trim().eq_ignore_ascii_case("close"),
            _ => {}
        }
    }
}

fn open(directory: &Path, path: &str) -> Option<File> {
    let path = Path::new(path.trim_start_matches('/'));
    let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    File::open(directory.join(path)).ok().filter(|_| is_plain)
}

fn send(connection: &mut TcpStream, mut file: File, range: Option<&str>) -> io::Result<()> {
    let length = file.metadata()?.len();
    let (start, end) = range.and_then(|range| part(range, length)).unwrap_or((0, length));
    let status = match range {
        Some(_) => format!("206 Partial Content\r\nContent-Range: bytes {start}-{}/{length}", end - 1),
        None => "200 OK".to_owned(),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nAccept-Ranges: bytes\r\nContent-Type: application/octet-stream\r\n\r\n",
        end - start
    );
    connection.write_all(head.as_bytes())?;
    file.seek(SeekFrom::Start(start))?;
    io::copy(&mut file.take(end - start), connection)?;
    Ok(())
}

/// The bytes that a range such as `10-19` or `10-` names: the first one, and the one after the last.
fn part(range: &str, length: u64) -> Option<(u64, u64)> {
    let (first, last) = range.split_once('-')?;
    let first = first.parse().ok()?;
    let end = if last.is_empty() { length } else { last.parse::<u64>().ok()?.checked_add(1)?.min(length) };
    (first < end).then_some((first, end))
}
