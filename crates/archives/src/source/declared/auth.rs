//! Saying who we are, to those who are to know.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use holotype_core::Instant;
use object_store::aws::{AwsAuthorizer, AwsCredential};
use object_store::client::{HttpRequest, HttpRequestBody};
use reqwest::header::{AUTHORIZATION, HeaderName};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use url::{Origin, Url};

use super::definition::{Auth, Recipient};
use super::template::{Form, Template};
use crate::http::{Body, Http, Request, host_name};
use crate::source::SourceError;

/// A token is asked for anew so long before it expires.
const EARLY: Duration = Duration::from_secs(60);

/// An answer with a token is shorter.
const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// Who we are, ready to be said.
pub(super) struct Credentials {
    way: Way,
    queries: bool,
    files: bool,
    /// Who may be told.
    origins: Vec<Origin>,
}

enum Way {
    None,
    Header(HeaderName, SecretString),
    Query(String, SecretString),
    Client { url: Url, id: SecretString, secret: SecretString, scope: Option<String>, held: Mutex<Option<Held>> },
    S3 { credential: AwsCredential, region: String },
}

/// A token that was asked for.
struct Held {
    token: SecretString,
    until: Instant,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("queries", &self.queries)
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

impl Credentials {
    /// Looks the secrets up. Where they are optional and absent, nothing is said.
    pub(super) fn find(
        auth: &Auth,
        home: &Url,
        scope: &Value,
        secrets: &dyn Fn(&str) -> Option<SecretString>,
    ) -> Result<Self, SourceError> {
        let way = match way(auth, scope, secrets) {
            Err(SourceError::Secret { .. }) if auth.optional => Way::None,
            way => way?,
        };
        let mut origins = vec![home.origin()];
        for host in &auth.hosts {
            origins.push(address(host, scope)?.origin());
        }
        let (queries, files) = (auth.to.contains(&Recipient::Query), auth.to.contains(&Recipient::Files));
        Ok(Self { way, queries, files, origins })
    }

    /// Whether what is said to the host of a file is made for one moment only.
    pub(super) fn are_fresh(&self) -> bool {
        self.files && matches!(self.way, Way::S3 { .. } | Way::Client { .. })
    }

    /// How long what is said holds.
    pub(super) fn hold_until(&self, now: Instant) -> Option<Instant> {
        // A signature is good for fifteen minutes by the server's clock, which may differ from ours.
        self.are_fresh().then(|| now.after(Duration::from_secs(600)))
    }

    /// Puts into a request what its recipient is to know.
    pub(super) async fn sign(&self, http: &Http, request: &mut Request, to: Recipient) -> Result<(), SourceError> {
        let told = match to {
            Recipient::Query => self.queries,
            Recipient::Files => self.files,
        };
        if !told || !self.origins.contains(&request.url.origin()) {
            return Ok(());
        }
        match &self.way {
            Way::None => {}
            Way::Header(name, value) => request.headers.push((name.clone(), value.clone())),
            Way::Query(parameter, secret) => {
                request.url.query_pairs_mut().append_pair(parameter, secret.expose_secret());
            }
            Way::Client { url, id, secret, scope, held } => {
                let mut held = held.lock().await;
                let now = http.clock().now();
                if held.as_ref().is_none_or(|held| held.until <= now) {
                    *held = Some(ask(http, url, id, secret, scope.as_deref()).await?);
                }
                let bearer = held.iter().map(|held| format!("Bearer {}", held.token.expose_secret()));
                request.headers.extend(bearer.map(|value| (AUTHORIZATION, value.into())));
            }
            Way::S3 { credential, region } => signed(credential, region, request)?,
        }
        Ok(())
    }
}

fn way(auth: &Auth, scope: &Value, secrets: &dyn Fn(&str) -> Option<SecretString>) -> Result<Way, SourceError> {
    let secret = |variable: &str, purpose| {
        let found = secrets(variable).filter(|secret| !secret.expose_secret().is_empty());
        found.ok_or_else(|| SourceError::Secret { variable: variable.to_owned(), purpose })
    };
    if let Some(header) = &auth.header {
        let token = secret(&header.secret, "the archive's token")?;
        let scope = json!({"secret": token.expose_secret()});
        let value =
            header.value.fill(&scope, Form::Plain).map_err(|problem| super::ask::unfilled("auth.header", problem))?;
        let name = HeaderName::try_from(&header.name).map_err(|_| SourceError::Definition {
            part: "auth.header".to_owned(),
            problem: format!("'{}' is not the name of a header", header.name),
        })?;
        return Ok(Way::Header(name, value.into()));
    }
    if let Some(basic) = &auth.basic {
        let user = secret(&basic.user, "the archive's user")?;
        let password = secret(&basic.password, "the user's password")?;
        let pair = BASE64_STANDARD.encode(format!("{}:{}", user.expose_secret(), password.expose_secret()));
        return Ok(Way::Header(AUTHORIZATION, format!("Basic {pair}").into()));
    }
    if let Some(query) = &auth.query {
        return Ok(Way::Query(query.parameter.clone(), secret(&query.secret, "the archive's token")?));
    }
    if let Some(oauth) = &auth.oauth {
        let (id, key) =
            (secret(&oauth.client_id, "the client's id")?, secret(&oauth.client_secret, "the client's secret")?);
        let url = address(&oauth.token_url, scope)?;
        return Ok(Way::Client { url, id, secret: key, scope: oauth.scope.clone(), held: Mutex::default() });
    }
    if let Some(s3) = &auth.s3 {
        let (key, hidden) = (secret(&s3.key, "the id of an access key")?, secret(&s3.secret, "an access key")?);
        if !key.expose_secret().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(SourceError::Secret {
                variable: s3.key.clone(),
                purpose: "the id of an access key, without spaces",
            });
        }
        let (key_id, secret_key) = (key.expose_secret().to_owned(), hidden.expose_secret().to_owned());
        let region =
            s3.region.fill(scope, Form::Plain).map_err(|problem| super::ask::unfilled("auth.s3.region", problem))?;
        return Ok(Way::S3 { credential: AwsCredential { key_id, secret_key, token: None }, region });
    }
    Ok(Way::None)
}

fn address(template: &Template, scope: &Value) -> Result<Url, SourceError> {
    let text = template.fill(scope, Form::Address).map_err(|problem| super::ask::unfilled("auth", problem))?;
    Url::parse(&text).map_err(|error| SourceError::Definition { part: "auth".to_owned(), problem: error.to_string() })
}

/// A token for a client, from where tokens are given.
async fn ask(
    http: &Http,
    url: &Url,
    id: &SecretString,
    secret: &SecretString,
    scope: Option<&str>,
) -> Result<Held, SourceError> {
    let fields = [
        ("grant_type", Some("client_credentials")),
        ("client_id", Some(id.expose_secret())),
        ("client_secret", Some(secret.expose_secret())),
        ("scope", scope),
    ];
    let fields = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let body = Body { media_type: "application/x-www-form-urlencoded", bytes: form.into() };
    let request = Request { body: Some(body), ..Request::get(url.clone()) };
    let answer = http.ask(&request, MAX_TOKEN_BYTES).await?.json()?;
    let token = answer["access_token"].as_str().ok_or_else(|| SourceError::Answer {
        host: host_name(url),
        expected: "a token",
        problem: "it holds no 'access_token'".to_owned(),
    })?;
    let seconds = answer["expires_in"].as_u64().unwrap_or(300);
    let until = http.clock().now().after(Duration::from_secs(seconds).saturating_sub(EARLY));
    Ok(Held { token: token.into(), until })
}

/// Signature Version 4, as object stores want it.
fn signed(credential: &AwsCredential, region: &str, request: &mut Request) -> Result<(), SourceError> {
    let unusable = |problem: String| SourceError::Address { url: crate::source::shown(&request.url), problem };
    let mut unsigned = HttpRequest::new(HttpRequestBody::empty());
    *unsigned.uri_mut() = request.url.as_str().parse().map_err(|_| unusable("it cannot be signed".to_owned()))?;
    AwsAuthorizer::new(credential, "s3", region)
        .try_authorize(&mut unsigned, None)
        .map_err(|error| unusable(format!("it cannot be signed: {error}")))?;
    for (name, value) in unsigned.headers() {
        if let Ok(value) = value.to_str() {
            request.headers.push((name.clone(), value.into()));
        }
    }
    Ok(())
}
