//! Every setting of MADSci's Data Manager and of its object storage, in the order in which `GET /settings` answers them.

use serde_json::{Number, Value};

/// One setting.
#[derive(Debug)]
pub(crate) struct Setting {
    /// Its name in files without a prefix, and in the answer.
    pub(crate) name: &'static str,
    /// Its title in the JSON Schema.
    pub(crate) title: &'static str,
    /// What it says.
    pub(crate) help: &'static str,
    /// What its value looks like.
    pub(crate) kind: Kind,
    /// Whether it may be null.
    pub(crate) optional: bool,
    /// The value when nobody sets it.
    pub(crate) default: Preset,
    /// Whether its value is never shown.
    pub(crate) secret: bool,
    /// Older names, which carry no prefix.
    pub(crate) aliases: &'static [&'static str],
    /// Whether it changes what Holotype does, or is only shown.
    pub(crate) used: bool,
}

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Url,
    Path,
    Flag,
    /// A whole number of at least 1.
    Count,
    Decimal,
    Texts,
    Choice(&'static [&'static str]),
}

/// A default, writable in a constant.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Preset {
    Null,
    Text(&'static str),
    Flag(bool),
    Count(u64),
    Decimal(f64),
}

impl Preset {
    pub(crate) fn value(self) -> Value {
        match self {
            Preset::Null => Value::Null,
            Preset::Text(text) => Value::from(text),
            Preset::Flag(flag) => Value::from(flag),
            Preset::Count(count) => Value::from(count),
            Preset::Decimal(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
        }
    }
}

/// Settings that share their files and their prefix.
#[derive(Debug)]
pub(crate) struct Group {
    /// Before the names in environment variables, and in lower case before the names in shared files.
    pub(crate) prefix: &'static str,
    /// The first part of the names of the group's own files: `data` is for `data.env` and `data.settings.yaml`.
    pub(crate) stem: &'static str,
    /// Where a file is looked for when it is not found upwards.
    pub(crate) subdirectories: &'static [&'static str],
    pub(crate) settings: &'static [Setting],
}

const MANAGERS: &[&str] = &[
    "workcell_manager",
    "resource_manager",
    "event_manager",
    "auth_manager",
    "data_manager",
    "transfer_manager",
    "experiment_manager",
    "lab_manager",
    "location_manager",
];

/// A setting that is only shown, must have a value, and is text: what most of the tables below start from.
const PLAIN: Setting = Setting {
    name: "",
    title: "",
    help: "",
    kind: Text,
    optional: false,
    default: Preset::Null,
    secret: false,
    aliases: &[],
    used: false,
};

const fn setting(name: &'static str, kind: Kind, default: Preset, title: &'static str, help: &'static str) -> Setting {
    let optional = matches!(default, Preset::Null);
    Setting { name, title, help, kind, optional, default, ..PLAIN }
}

const fn used(setting: Setting) -> Setting {
    Setting { used: true, ..setting }
}

const fn nullable(setting: Setting) -> Setting {
    Setting { optional: true, ..setting }
}

const fn secret(setting: Setting) -> Setting {
    Setting { secret: true, ..setting }
}

use Kind::{Choice, Count, Decimal, Flag, Path, Text, Texts, Url};

/// `DATA_*`: the Data Manager.
pub(crate) const DATA: Group = Group {
    prefix: "DATA_",
    stem: "data",
    subdirectories: &["managers", "config"],
    settings: &[
        used(setting(
            "server_url",
            Url,
            Preset::Text("http://localhost:8004/"),
            "Server URL",
            "Where the server is reached; host and port are where it listens unless `listen` is set.",
        )),
        used(setting(
            "manager_id",
            Text,
            Preset::Null,
            "Manager ID",
            "The identity of this manager; without one, the registry's or a new one that is kept.",
        )),
        nullable(setting(
            "manager_type",
            Choice(MANAGERS),
            Preset::Text("data_manager"),
            "Manager Type",
            "The kind of manager.",
        )),
        used(setting(
            "rate_limit_enabled",
            Flag,
            Preset::Flag(true),
            "Rate Limit Enabled",
            "Whether requests are counted and limited for each address.",
        )),
        used(setting(
            "rate_limit_requests",
            Count,
            Preset::Count(300),
            "Rate Limit Requests",
            "Requests that one address may make in the long window.",
        )),
        used(setting(
            "rate_limit_window",
            Count,
            Preset::Count(60),
            "Rate Limit Window",
            "The long window, in seconds.",
        )),
        used(nullable(setting(
            "rate_limit_short_requests",
            Count,
            Preset::Count(50),
            "Rate Limit Short Requests",
            "Requests that one address may make in the short window; null lifts this limit.",
        ))),
        used(nullable(setting(
            "rate_limit_short_window",
            Count,
            Preset::Count(1),
            "Rate Limit Short Window",
            "The short window, in seconds; null lifts this limit.",
        ))),
        used(setting(
            "rate_limit_cleanup_interval",
            Count,
            Preset::Count(300),
            "Rate Limit Cleanup Interval",
            "Seconds between removals of addresses that have gone.",
        )),
        used(setting(
            "rate_limit_exempt_ips",
            Texts,
            Preset::Null,
            "Rate Limit Exempt IPs",
            "Addresses that are not limited; null exempts 127.0.0.1 and ::1, an empty list exempts nobody.",
        )),
        setting("uvicorn_workers", Count, Preset::Null, "Uvicorn Workers", "Server processes of the earlier system."),
        setting(
            "uvicorn_limit_concurrency",
            Count,
            Preset::Null,
            "Uvicorn Limit Concurrency",
            "Connections at a time of the earlier system.",
        ),
        setting(
            "uvicorn_limit_max_requests",
            Count,
            Preset::Null,
            "Uvicorn Limit Max Requests",
            "Requests before a server process of the earlier system was replaced.",
        ),
        used(setting(
            "enable_registry_resolution",
            Flag,
            Preset::Flag(true),
            "Enable Registry Resolution",
            "Whether the identity may be taken over from `.madsci/registry.json`.",
        )),
        used(setting(
            "manager_name",
            Text,
            Preset::Null,
            "Manager Name",
            "The manager's name, in the registry and as the title of the API.",
        )),
        used(setting(
            "manager_description",
            Text,
            Preset::Null,
            "Manager Description",
            "A sentence about this manager.",
        )),
        setting("lab_url", Url, Preset::Null, "Lab URL", "The lab manager that coordinates registries."),
        setting(
            "registry_lock_timeout",
            Decimal,
            Preset::Decimal(60.0),
            "Registry Lock Timeout",
            "Seconds that the earlier system waited for its registry.",
        ),
        setting(
            "otel_enabled",
            Flag,
            Preset::Flag(false),
            "OpenTelemetry Enabled",
            "Whether the earlier system sent traces.",
        ),
        setting(
            "otel_service_name",
            Text,
            Preset::Null,
            "OpenTelemetry Service Name",
            "The name of the service in traces.",
        ),
        setting(
            "otel_exporter",
            Choice(&["console", "otlp", "none"]),
            Preset::Text("console"),
            "OpenTelemetry Exporter",
            "Where traces went.",
        ),
        setting("otel_endpoint", Text, Preset::Null, "OpenTelemetry Endpoint", "The address of the collector."),
        setting(
            "otel_protocol",
            Choice(&["grpc", "http"]),
            Preset::Text("grpc"),
            "OpenTelemetry Protocol",
            "How the collector is spoken to.",
        ),
        setting(
            "database_name",
            Text,
            Preset::Text("madsci_data"),
            "Database Name",
            "The database of the earlier system; Holotype keeps its catalog at `catalog.url`.",
        ),
        setting(
            "collection_name",
            Text,
            Preset::Text("datapoints"),
            "Collection Name",
            "The collection of the earlier system.",
        ),
        Setting {
            aliases: &["mongo_db_url", "data_db_url", "db_url"],
            ..secret(setting(
                "document_db_url",
                Url,
                Preset::Text("mongodb://localhost:27017"),
                "Document Database URL",
                "The database server of the earlier system; Holotype does not connect to it.",
            ))
        },
        used(setting(
            "file_storage_path",
            Path,
            Preset::Text(".madsci/datapoints"),
            "File Storage Path",
            "What the paths of file datapoints begin with; nothing is stored there.",
        )),
    ],
};

/// `OBJECT_STORAGE_*`: a bucket for file datapoints.
pub(crate) const OBJECT_STORAGE: Group = Group {
    prefix: "OBJECT_STORAGE_",
    stem: "object_storage",
    subdirectories: &[],
    settings: &[
        used(setting(
            "endpoint",
            Text,
            Preset::Null,
            "Endpoint",
            "Host and port of an S3 service; null keeps files in the store alone.",
        )),
        used(secret(setting("access_key", Text, Preset::Text(""), "Access Key", "The access key of the service."))),
        used(secret(setting("secret_key", Text, Preset::Text(""), "Secret Key", "The secret key of the service."))),
        used(setting("secure", Flag, Preset::Flag(false), "Secure", "Whether the service is spoken to over HTTPS.")),
        used(setting(
            "default_bucket",
            Text,
            Preset::Text("madsci-data"),
            "Default Bucket",
            "The bucket that files go to.",
        )),
        used(setting("region", Text, Preset::Null, "Region", "The region of the bucket.")),
        used(setting(
            "public_endpoint",
            Text,
            Preset::Null,
            "Public Endpoint",
            "Host and port under which clients reach the service, if they differ.",
        )),
    ],
};
