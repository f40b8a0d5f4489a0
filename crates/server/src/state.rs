//! What every handler may look at.

use std::sync::{Arc, OnceLock};

use axum::http::HeaderValue;
use bytes::Bytes;
use holotype_app::App;
use holotype_app::catalog::CatalogError;
use holotype_core::Instant;
use tokio_util::sync::CancellationToken;

use crate::browser::BrowserRules;
use crate::idempotency::Answers;
use crate::options::ServerOptions;
use crate::rate_limit::{RateLimiter, WRONG_PASSWORDS};
use crate::vitals::Vitals;

/// The server's own state beside the application's. Clones share it.
#[derive(Clone)]
pub(crate) struct ServerState(Arc<Inner>);

struct Inner {
    app: App,
    options: ServerOptions,
    browser: BrowserRules,
    limiter: RateLimiter,
    wrong_passwords: RateLimiter,
    answers: Answers,
    vitals: Vitals,
    started: Instant,
    document: OnceLock<Bytes>,
    shutdown: CancellationToken,
}

impl ServerState {
    pub(crate) fn new(app: App, options: ServerOptions, shutdown: CancellationToken) -> Self {
        let config = &options.config;
        let hosts = config.allowed_hosts.iter().cloned().chain([config.listen.host.clone()]);
        Self(Arc::new(Inner {
            browser: BrowserRules::new(hosts, &config.allowed_origins),
            limiter: RateLimiter::new(options.rate_limits.clone()),
            wrong_passwords: RateLimiter::new(Some(WRONG_PASSWORDS)),
            answers: Answers::default(),
            vitals: Vitals::default(),
            started: app.clock().now(),
            app,
            options,
            document: OnceLock::new(),
            shutdown,
        }))
    }

    pub(crate) fn app(&self) -> &App {
        &self.0.app
    }

    pub(crate) fn options(&self) -> &ServerOptions {
        &self.0.options
    }

    pub(crate) fn browser(&self) -> &BrowserRules {
        &self.0.browser
    }

    pub(crate) fn limiter(&self) -> &RateLimiter {
        &self.0.limiter
    }

    /// Counts wrong passwords.
    pub(crate) fn wrong_passwords(&self) -> &RateLimiter {
        &self.0.wrong_passwords
    }

    pub(crate) fn answers(&self) -> &Answers {
        &self.0.answers
    }

    /// How the store is.
    pub(crate) fn vitals(&self) -> &Vitals {
        &self.0.vitals
    }

    /// Whether the catalog answers.
    pub(crate) async fn ping(&self) -> Result<(), CatalogError> {
        self.0.app.catalog().read(|_| Box::pin(async { Ok(()) })).await
    }

    /// The OpenAPI document, made when it is first asked for.
    pub(crate) fn document(&self) -> Bytes {
        self.0.document.get_or_init(|| crate::openapi::document(self)).clone()
    }

    /// Cancelled when the server is to end; what would stream for ever stops then.
    pub(crate) fn shutdown(&self) -> &CancellationToken {
        &self.0.shutdown
    }

    /// The present instant.
    pub(crate) fn now(&self) -> Instant {
        self.0.app.clock().now()
    }

    /// Seconds since this server was made.
    pub(crate) fn uptime_seconds(&self) -> u64 {
        let micros = self.now().as_micros().saturating_sub(self.0.started.as_micros());
        u64::try_from(micros / 1_000_000).unwrap_or(0)
    }

    /// The most bytes of one JSON document.
    pub(crate) fn document_limit(&self) -> usize {
        usize::try_from(self.0.options.config.document_limit).unwrap_or(usize::MAX)
    }
}

/// The media type of every JSON answer: without a charset, as the contract has it.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");
