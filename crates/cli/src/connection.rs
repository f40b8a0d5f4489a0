//! Which way a call goes: over HTTP, to the running server of the home, or to the same routes in this process.

use std::time::Duration;

use holotype_app::home::{Holder, HomeError, HomeLock};
use holotype_app::{App, Home, SystemClock};
use holotype_client::{Client, Credentials, Transport};
use holotype_core::Clock;
use holotype_server::ServerOptions;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config_flags::ConfigFlags;
use crate::context::{Context, Need};
use crate::failure::Failure;

/// What `holotype serve` is called in the lock of a home.
pub(crate) const SERVE: &str = "serve";
/// What any other command that holds a home is called there.
const COMMAND: &str = "command";
/// How long to wait for a home that another command holds, or for a server that is starting in it.
const PATIENCE: Duration = Duration::from_secs(20);
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// A client, and what it speaks to if that is this process.
pub(crate) struct Connection {
    client: Client,
    held: Option<InProcess>,
}

/// An application that lives as long as a call.
struct InProcess {
    app: App,
    shutdown: CancellationToken,
    workers: Option<JoinHandle<()>>,
    _lock: HomeLock,
}

impl Connection {
    /// Finds the way that the context and the need ask for.
    pub(crate) async fn open(context: &Context, need: Need) -> Result<Self, Failure> {
        let token = context.token()?.map(Credentials::Token);
        let (transport, credentials, held) = match &context.global.server {
            Some(address) => {
                let (address, written) = Credentials::split_from(address.clone())?;
                let certificates = match &context.global.ca_certificate {
                    Some(path) => Some(tokio::fs::read(path).await.map_err(|source| {
                        Failure::io(format!("the certificates in {} cannot be read", path.display()), source)
                    })?),
                    None => None,
                };
                (Transport::network(address, certificates.as_deref())?, written.or(token), None)
            }
            None => {
                let (home, _) = context.home()?;
                home.require()?;
                match local(context, &home, need).await? {
                    Local::Server => (Transport::socket(&home.socket())?, token, None),
                    Local::InProcess(held, transport) => (transport, token, Some(held)),
                }
            }
        };
        let client = Client::new(transport, credentials).in_project(context.global.project.clone());
        Ok(Self { client, held })
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Ends what this process did beside the calls.
    pub(crate) async fn close(self) {
        let Some(held) = self.held else { return };
        held.shutdown.cancel();
        if let Some(workers) = held.workers {
            // A worker that failed has said so in the log, and its jobs are taken up again by the next.
            drop(workers.await);
        }
        held.app.close().await;
    }
}

enum Local {
    Server,
    InProcess(InProcess, Transport),
}

/// The server of the home if one runs or is starting, else this process as soon as the home is free.
async fn local(context: &Context, home: &Home, need: Need) -> Result<Local, Failure> {
    let since = tokio::time::Instant::now();
    loop {
        let holder = home.holder();
        let serving = holder.as_ref().is_some_and(|holder| holder.command == SERVE);
        if serving && tokio::net::UnixStream::connect(home.socket()).await.is_ok() {
            return Ok(Local::Server);
        }
        if !serving && need == Need::Server {
            return Err(Failure::input(
                format!("no server runs in {}", home.root().display()),
                "start one with 'holotype serve', or name one with --server",
            ));
        }
        match home.lock(COMMAND, SystemClock.now()) {
            Ok(lock) => return in_process(context, home, lock, need).await,
            Err(HomeError::InUse { .. }) if since.elapsed() < PATIENCE => tokio::time::sleep(BETWEEN_LOOKS).await,
            Err(error) => return Err(error.into()),
        }
    }
}

async fn in_process(context: &Context, home: &Home, lock: HomeLock, need: Need) -> Result<Local, Failure> {
    let config = context.config(home.clone(), &ConfigFlags::default())?;
    let options = ServerOptions::new(&config);
    let app = App::open(config, SystemClock::shared()).await?;
    let shutdown = CancellationToken::new();
    let transport = Transport::in_process(holotype_server::in_process(app.clone(), options))?;
    let workers = (need == Need::Jobs).then(|| {
        let (app, shutdown) = (app.clone(), shutdown.clone());
        tokio::spawn(async move {
            if let Err(error) = app.run_workers(shutdown).await {
                tracing::error!(%error, "jobs are not worked on");
            }
        })
    });
    Ok(Local::InProcess(InProcess { app, shutdown, workers, _lock: lock }, transport))
}

/// Takes a home for a server: at once, or as soon as a command that is at work there has ended.
pub(crate) async fn lock_for_server(home: &Home) -> Result<HomeLock, Failure> {
    let since = tokio::time::Instant::now();
    loop {
        match home.lock(SERVE, SystemClock.now()) {
            Ok(lock) => return Ok(lock),
            Err(HomeError::InUse { holder, .. }) if since.elapsed() < patience_with(holder.as_ref()) => {
                tokio::time::sleep(BETWEEN_LOOKS).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// A server stays. But a command that only looks who holds the home holds it for an instant too, and what it is taken for
/// then is whoever held it last.
fn patience_with(holder: Option<&Holder>) -> Duration {
    if holder.is_some_and(|holder| holder.command == SERVE) { BETWEEN_LOOKS * 20 } else { PATIENCE }
}
