//! Every key of the configuration, in the order in which it is explained.

/// One key: in `holotype.toml`, as an environment variable and as a flag.
#[derive(Debug, PartialEq, Eq)]
pub struct Key {
    /// The key in `holotype.toml`; a point separates table and key.
    pub name: &'static str,
    /// The value when nobody sets one, or what it follows from, in parentheses.
    pub default: &'static str,
    /// What a value looks like, for help texts.
    pub form: &'static str,
    /// What the key does.
    pub help: &'static str,
}

impl Key {
    /// The environment variable that sets the key: `store.url` is set by `HOLOTYPE_STORE_URL`.
    pub fn variable(&self) -> String {
        format!("HOLOTYPE_{}", self.name.replace('.', "_").to_ascii_uppercase())
    }

    /// The flag that sets the key, without its two dashes: `store.url` is set by `--store-url`.
    pub fn flag(&self) -> String {
        self.name.replace(['.', '_'], "-")
    }

    /// The default as a value, unless it follows from something else.
    pub(crate) fn default_value(&self) -> Option<&'static str> {
        Some(self.default).filter(|default| !default.starts_with('('))
    }
}

macro_rules! keys {
    ($($constant:ident: $name:literal = $default:literal, $form:literal, $help:literal;)*) => {
        $(
            #[doc = concat!("`", $name, "`: ", $help)]
            pub(crate) const $constant: Key = Key { name: $name, default: $default, form: $form, help: $help };
        )*

        /// Every key there is.
        pub const KEYS: &[Key] = &[$($constant),*];
    };
}

keys! {
    LISTEN: "listen" = "(MADSci's server_url, else 127.0.0.1:8004)", "ADDRESS:PORT",
        "where the server listens; anything but loopback needs a user first (`holotype user create`)";
    ALLOWED_HOSTS: "allowed_hosts" = "", "NAME,..",
        "names under which clients may reach the server, besides loopback names, IP addresses and the host of `listen`";
    ALLOWED_ORIGINS: "allowed_origins" = "", "URL,..",
        "origins (scheme://host:port) whose pages may call the API with a token in a header";
    BEHIND_PROXY: "behind_proxy" = "", "ADDRESS,..",
        "addresses of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed";
    TLS_CERTIFICATE: "tls_certificate" = "", "PATH",
        "a PEM file with the certificate chain; with `tls_key`, the server speaks HTTPS";
    TLS_KEY: "tls_key" = "", "PATH",
        "a PEM file with the private key of `tls_certificate`";
    STATIC: "static" = "", "PATH=DIR,..",
        "directories to serve as a foreign front end, for example /app=/srv/app/dist, or /=DIR for one that wants the root";
    UPLOAD_LIMIT: "upload_limit" = "1TiB", "SIZE",
        "the largest request body that is taken";
    DOCUMENT_LIMIT: "document_limit" = "16MiB", "SIZE",
        "the largest JSON document that is taken: a datapoint, a filter";
    CATALOG_URL: "catalog.url" = "(catalog.db in the home)", "URL",
        "the database: sqlite:///path, a path, or postgres://user@host/database";
    CATALOG_PASSWORD_ENV: "catalog.password_env" = "", "NAME",
        "the environment variable that holds the password of a PostgreSQL catalog";
    STORE_URL: "store.url" = "(store/ in the home)", "URL",
        "where blobs are kept: file:///path, a path, or s3://bucket/prefix";
    STORE_ENDPOINT: "store.endpoint" = "", "URL",
        "the S3 service, when it is not Amazon's";
    STORE_REGION: "store.region" = "", "NAME",
        "the region of the bucket";
    STORE_ACCESS_KEY_ENV: "store.access_key_env" = "AWS_ACCESS_KEY_ID", "NAME",
        "the environment variable that holds the access key of the bucket";
    STORE_SECRET_KEY_ENV: "store.secret_key_env" = "AWS_SECRET_ACCESS_KEY", "NAME",
        "the environment variable that holds the secret key of the bucket";
    STORE_GRACE: "store.grace" = "1d", "DURATION",
        "how long bytes that no record names are kept before a sweep may remove them";
    DATAPOINTS_TIME_ZONE: "datapoints.time_zone" = "(the machine's)", "NAME",
        "the IANA time zone of timestamps that clients send without an offset, for example Europe/Berlin";
    DATAPOINTS_UNDELETE_FOR: "datapoints.undelete_for" = "30d", "DURATION",
        "how long a deleted datapoint can be restored before a sweep removes it";
    SESSIONS_ARCHIVE: "sessions.archive" = "", "URL",
        "the root of another OCS archive, whose frames users may work on in sessions with their own tokens";
    SESSIONS_ARCHIVE_KEEP: "sessions.archive_keep" = "20GiB", "SIZE",
        "how much of that archive's frames is kept; what was used longest ago goes first";
    SESSIONS_TOKEN_KEY_ENV: "sessions.token_key_env" = "HOLOTYPE_ARCHIVE_TOKEN_KEY", "NAME",
        "the environment variable with the key (64 hexadecimal digits) that users' tokens of that archive are encrypted with";
    SESSIONS_SERVER_KEY_ENV: "sessions.server_key_env" = "OAUTH_SERVER_KEY", "NAME",
        "the environment variable with the key that an observatory's portal sends along with what it tells of its users";
    SESSIONS_GAIA: "sessions.gaia" = "", "PATH",
        "a table of Gaia's stars, as CSV or FITS with the columns of its archive, for colour-magnitude diagrams";
    SESSIONS_GAIA_TAP: "sessions.gaia_tap" = "", "URL",
        "a TAP service with the tables of Gaia's archive, in place of `sessions.gaia`, for example https://gea.esac.esa.int/tap-server/tap; answers are kept for 30 days";
    JOBS_WORKERS: "jobs.workers" = "2", "NUMBER",
        "how many jobs one process runs at a time";
    UPKEEP_SWEEP_EVERY: "upkeep.sweep_every" = "1d", "DURATION|never",
        "how often unreferenced bytes, datapoints deleted long ago and left-over uploads are removed";
    UPKEEP_VERIFY_EVERY: "upkeep.verify_every" = "30d", "DURATION|never",
        "how often every blob is read and compared with its digest";
    UPKEEP_FLUSH_EVERY: "upkeep.flush_every" = "1m", "DURATION|never",
        "how often blobs that wait on the local disk for an unreachable bucket are tried again";
    UPKEEP_BACKUP_EVERY: "upkeep.backup_every" = "1d", "DURATION|never",
        "how often the catalog is backed up into backups/ of the home";
    UPKEEP_BACKUP_KEEP: "upkeep.backup_keep" = "7", "NUMBER",
        "how many backups are kept; the oldest are removed";
    LOG_FILTER: "log.filter" = "info", "FILTER",
        "what is logged: a level, or directives such as holotype_server=debug,info";
    LOG_FORMAT: "log.format" = "text", "text|json",
        "how log lines are written";
}

impl Key {
    /// The key of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_name_in_three_spellings() {
        assert_eq!(STORE_ACCESS_KEY_ENV.variable(), "HOLOTYPE_STORE_ACCESS_KEY_ENV");
        assert_eq!(STORE_ACCESS_KEY_ENV.flag(), "store-access-key-env");
        assert_eq!(LISTEN.variable(), "HOLOTYPE_LISTEN");
        assert_eq!(Key::named("store.url"), Some(&STORE_URL));
        assert_eq!(Key::named("store.location"), None);
    }

    #[test]
    fn no_two_keys_share_a_spelling() {
        for spelling in [Key::variable, Key::flag] {
            let mut all: Vec<_> = KEYS.iter().map(spelling).collect();
            all.sort();
            all.dedup();
            assert_eq!(all.len(), KEYS.len());
        }
    }

    #[test]
    fn the_guide_lists_every_key() {
        let guide =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/configuration.md")).unwrap();
        let (_, listed) = guide.split_once("by a test -->\n").unwrap();
        let (listed, _) = listed.split_once("<!-- /keys -->").unwrap();
        let mut table = String::from("| key | form | default | what it says |\n|---|---|---|---|\n");
        for key in KEYS {
            let form = key.form.replace('|', "\\|");
            let default = match key.default_value() {
                Some("") => "none".to_owned(),
                Some(value) => format!("`{value}`"),
                None => key.default.trim_matches(['(', ')']).to_owned(),
            };
            table.push_str(&format!("| `{}` | `{form}` | {default} | {} |\n", key.name, key.help));
        }
        assert!(listed == table, "docs/guide/configuration.md should list:\n{table}");
    }
}
