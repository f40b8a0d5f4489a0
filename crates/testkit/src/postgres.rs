//! Throw-away PostgreSQL: one cluster for all test processes of this machine's user, one fresh database per test.
//!
//! `HOLOTYPE_TEST_POSTGRES=postgres://…` names a server to use instead. Otherwise the first test that asks starts a
//! cluster from Debian's `postgresql` package, and the processes that follow share it. Every process holds a shared
//! lock on a file; a watchdog (`watchdog.sh`) stops the cluster and removes it once nobody has held that lock for a few
//! seconds, so a test that is killed leaks nothing either.

use std::fs::{self, File};
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};

/// A database of one test, dropped with this value. `hstore` and `pgcrypto` can be created in it.
#[derive(Debug)]
pub struct TestDatabase {
    /// Where it is: `postgres://user@127.0.0.1:port/name`.
    pub url: String,
    name: String,
    server: String,
}

/// A fresh, empty database. The first call on a machine takes some seconds, since it makes a cluster.
pub async fn database() -> TestDatabase {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let server = server().await;
    let name = format!("test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    // A process id may come again while a killed test's database is still there.
    run(&server, vec![format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), format!("CREATE DATABASE {name}")]).await;
    TestDatabase { url: with_database(&server, &name), name, server }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // Dropping is not async, and this thread may be one that must not block on a runtime: a thread of its own may.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(run(&server, vec![format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")]));
        });
        if dropping.join().is_err() {
            eprintln!("the test database {} was not dropped", self.name);
        }
    }
}

async fn run(server: &str, statements: Vec<String>) {
    let mut connection = PgConnection::connect(server).await.expect("the test server accepts connections");
    for statement in statements {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.expect("the statement runs");
    }
    connection.close().await.expect("the connection closes");
}

fn with_database(server: &str, name: &str) -> String {
    let (base, _) = server.rsplit_once('/').expect("HOLOTYPE_TEST_POSTGRES ends in /database");
    format!("{base}/{name}")
}

/// The URL of the maintenance database of the server that this process uses.
async fn server() -> String {
    static SERVER: OnceLock<Server> = OnceLock::new();
    if let Ok(url) = std::env::var("HOLOTYPE_TEST_POSTGRES") {
        return url;
    }
    let starting = tokio::task::spawn_blocking(|| SERVER.get_or_init(Server::join).url.clone());
    starting.await.expect("a test cluster; `apt-get install postgresql` provides the programs")
}

/// A cluster this process takes part in.
struct Server {
    url: String,
    /// Held until the process ends: the watchdog waits for it.
    _in_use: File,
}

impl Server {
    /// Joins the running cluster, or starts one; the lock makes it one at a time among all processes.
    fn join() -> Self {
        let user = Account::for_server();
        let root = std::env::temp_dir().join(format!("holotype-postgres-{}", user.name));
        fs::create_dir_all(&root).expect("the temporary directory is writable");
        let starting = open_lock(&root.join("start.lock"));
        starting.lock().expect("the start lock");
        let in_use = open_lock(&root.join("use.lock"));
        in_use.lock_shared().expect("the use lock");
        let port = running_port(&root).unwrap_or_else(|| start(&root, &user));
        Self { url: format!("postgres://postgres@127.0.0.1:{port}/postgres"), _in_use: in_use }
    }
}

fn open_lock(path: &Path) -> File {
    File::options().create(true).truncate(false).write(true).open(path).expect("a lock file in the temporary directory")
}

fn running_port(root: &Path) -> Option<u16> {
    let port = fs::read_to_string(root.join("port")).ok()?.trim().parse().ok()?;
    TcpStream::connect_timeout(&([127, 0, 0, 1], port).into(), Duration::from_secs(5)).ok().map(|_| port)
}

/// Makes a cluster and starts it under its watchdog; the port it listens on.
fn start(root: &Path, user: &Account) -> u16 {
    let cluster = root.join("cluster");
    if let Err(error) = fs::remove_dir_all(&cluster)
        && error.kind() != io::ErrorKind::NotFound
    {
        panic!("{} cannot be removed: {error}", cluster.display());
    }
    fs::create_dir(&cluster).expect("the temporary directory is writable");
    user.own(&cluster);
    let programs = programs();
    initialise(&programs, &cluster, user);
    let port = free_port();
    watch(root, &programs, &cluster, user, port);
    wait_until_it_answers(&programs, &cluster, port);
    fs::write(root.join("port"), port.to_string()).expect("the temporary directory is writable");
    port
}

fn initialise(programs: &Path, cluster: &Path, user: &Account) {
    let output = user
        .command(&programs.join("initdb"))
        .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync", "--pgdata"])
        // A collation as people have it: text that is ordered by it and not by bytes shows in a test.
        .args([cluster.as_os_str(), "--locale=C.UTF-8".as_ref(), "--locale-provider=icu".as_ref()])
        .arg("--icu-locale=en-US")
        .current_dir("/")
        .output()
        .expect("initdb runs");
    assert!(output.status.success(), "initdb failed: {}", String::from_utf8_lossy(&output.stderr));
}

fn watch(root: &Path, programs: &Path, cluster: &Path, user: &Account, port: u16) {
    let log = File::create(root.join("log")).expect("the temporary directory is writable");
    let mut server = user.command(&programs.join("postgres"));
    server
        .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-D"])
        .args([cluster, "-k".as_ref(), cluster])
        // The tests' data may be lost with the machine; what they assert about durability they do not ask of this
        // server.
        .args([
            "-c",
            "fsync=off",
            "-c",
            "full_page_writes=off",
            "-c",
            "shared_buffers=32MB",
            "-c",
            "max_connections=300",
        ]);
    let mut watchdog = Command::new("sh")
        .args(["-c", include_str!("watchdog.sh"), "watchdog"])
        .arg(root)
        .arg(server.get_program())
        .args(server.get_args())
        // Not in the test's process group: a runner that ends the group must not end what other processes use.
        .process_group(0)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a second handle of the log"))
        .stderr(log)
        .spawn()
        .expect("sh runs");
    // Should it end while this process lives, it leaves nothing behind.
    std::thread::spawn(move || watchdog.wait());
}

fn wait_until_it_answers(programs: &Path, cluster: &Path, port: u16) {
    for _ in 0..600 {
        let mut ready = Command::new(programs.join("pg_isready"));
        ready.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]).current_dir("/");
        if ready.status().expect("pg_isready runs").success() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("the test cluster in {} does not answer on port {port}; its log lies beside it", cluster.display());
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// The directory of the newest installed server's programs.
fn programs() -> PathBuf {
    let installed = fs::read_dir("/usr/lib/postgresql").expect("`apt-get install postgresql` installs the server");
    let newest = installed
        .filter_map(|entry| Some(entry.ok()?.path()))
        .max_by_key(|path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()));
    newest.expect("`apt-get install postgresql` installs the server").join("bin")
}

/// Whom the server runs as: it refuses to run as root.
struct Account {
    name: String,
    switch: bool,
}

impl Account {
    fn for_server() -> Self {
        let name = Command::new("id").arg("-un").output().expect("id runs").stdout;
        let name = String::from_utf8_lossy(&name).trim().to_owned();
        if name == "root" { Self { name: "postgres".to_owned(), switch: true } } else { Self { name, switch: false } }
    }

    fn own(&self, directory: &Path) {
        if self.switch {
            let status = Command::new("chown").arg(&self.name).arg(directory).status().expect("chown runs");
            assert!(status.success(), "{} cannot be given to {}", directory.display(), self.name);
        }
    }

    fn command(&self, program: &Path) -> Command {
        if !self.switch {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        command.args(["--reuid", &self.name, "--regid", &self.name, "--clear-groups", "--"]).arg(program);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_test_has_a_database_of_its_own() {
        let (first, second) = (database().await, database().await);
        assert_ne!(first.url, second.url);
        let mut connection = PgConnection::connect(&first.url).await.unwrap();
        sqlx::raw_sql("CREATE EXTENSION hstore; CREATE EXTENSION pgcrypto; CREATE TABLE only_here (x int)")
            .execute(&mut connection)
            .await
            .unwrap();
        let mut other = PgConnection::connect(&second.url).await.unwrap();
        let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_tables WHERE tablename = 'only_here'")
            .fetch_one(&mut other)
            .await
            .unwrap();
        assert_eq!(tables, 0);
    }
}
