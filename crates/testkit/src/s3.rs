//! Throw-away S3: `s3s-fs` in this process, which is quick, and `moto_server`, which is closer to the real one.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// The access key of both servers.
pub const KEY_ID: &str = "holotype-test";
/// Its secret half.
pub const SECRET: &str = "not-so-secret";
/// The bucket that both servers have.
pub const BUCKET: &str = "lab";
/// The variable that says where `moto_server` lies; `make test` sets it.
pub const MOTO: &str = "HOLOTYPE_MOTO_SERVER";

/// An S3 server within this test's runtime, with one empty bucket. It can be stopped and started again with what it holds.
#[derive(Debug)]
pub struct LocalS3 {
    address: SocketAddr,
    folder: tempfile::TempDir,
    serving: Option<JoinHandle<()>>,
}

impl LocalS3 {
    /// Starts a server on a free port.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        std::fs::create_dir(folder.path().join(BUCKET)).expect("an empty folder takes a bucket");
        let mut server = Self { address: SocketAddr::from(([127, 0, 0, 1], 0)), folder, serving: None };
        server.resume().await;
        server
    }

    /// The server's URL.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The bucket's folder on disk, to look at what is stored, or to damage it.
    pub fn folder(&self) -> std::path::PathBuf {
        self.folder.path().join(BUCKET)
    }

    /// Stops the server and cuts its connections: whoever calls now is refused.
    pub async fn stop(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
            // The port is closed when the task has ended, not before.
            let ended = serving.await;
            assert!(ended.is_err_and(|error| error.is_cancelled()), "the server ends only when it is stopped");
        }
    }

    /// Starts a stopped server again, on the port it had.
    pub async fn resume(&mut self) {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_reuseaddr(true).expect("a new socket takes options");
        socket.bind(self.address).expect("the port is free");
        let listener = socket.listen(64).expect("a bound socket listens");
        self.address = listener.local_addr().expect("a listening socket has an address");
        let files = s3s_fs::FileSystem::new(self.folder.path()).expect("the folder is there");
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
        self.serving = Some(tokio::spawn(serve(listener, service.build())));
    }
}

impl Drop for LocalS3 {
    fn drop(&mut self) {
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}

async fn serve(listener: tokio::net::TcpListener, service: S3Service) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let service = service.clone();
        connections.spawn(async move {
            // A client that hangs up is no fault of the server.
            drop(Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

/// A `moto_server` process with one empty bucket.
#[derive(Debug)]
pub struct Moto {
    process: Child,
    address: String,
}

impl Moto {
    /// Starts the program that [`MOTO`] names. Without it there is none, and a line says what is not tested.
    pub async fn start() -> Option<Self> {
        let Some(program) = std::env::var_os(MOTO) else {
            eprintln!(
                "SKIPPED: {MOTO} does not name a moto_server ('make test' installs one): nothing was tested against it"
            );
            return None;
        };
        // The shell ends the server when this process closes the pipe, be it by dying.
        let mut process = Command::new("sh")
            .args(["-c", r#""$0" -H 127.0.0.1 -p 0 & read -r _; kill $!"#])
            .arg(&program)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a shell");
        let said = BufReader::new(process.stderr.take().expect("the pipe asked for"));
        let mut lines = said.lines().map_while(Result::ok);
        let address = lines.find_map(|line| Some(line.split_once("http://")?.1.trim().to_owned()));
        let Some(address) = address else { panic!("{} did not start", program.display()) };
        // It says a line for every request, and would stop if nobody read them.
        std::thread::spawn(move || lines.for_each(drop));
        let moto = Self { process, address };
        moto.create_bucket().await;
        Some(moto)
    }

    /// The server's URL.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    async fn create_bucket(&self) {
        let mut stream = TcpStream::connect(&self.address).await.expect("the server said that it listens");
        let request = format!(
            "PUT /{BUCKET} HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            self.address
        );
        stream.write_all(request.as_bytes()).await.expect("the server reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("the server answers");
        assert!(answer.contains(" 200 "), "moto made no bucket: {answer}");
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        drop(self.process.wait());
    }
}
