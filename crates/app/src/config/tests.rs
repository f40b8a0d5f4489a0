use std::fs;
use std::path::Path;

use secrecy::ExposeSecret as _;

use super::*;

/// A home in a temporary directory with this `holotype.toml`.
struct Place {
    folder: tempfile::TempDir,
    home: Home,
}

impl Place {
    fn new(file: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("home"));
        home.create().unwrap();
        fs::write(home.config_file(), file).unwrap();
        Self { folder, home }
    }

    fn load_with(&self, variables: &[(&str, &str)], overrides: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let variables = variables.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        let mut handed_in = Overrides::default();
        for (name, value) in overrides {
            handed_in.set(*name, *value);
        }
        Config::load(self.home.clone(), &Environment::new(variables, self.folder.path()), &handed_in)
    }

    fn load(&self, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        self.load_with(variables, &[])
    }
}

fn directory(config: &Config) -> &Path {
    match &config.store.location {
        Location::Directory(root) => root,
        other => panic!("{other:?}"),
    }
}

fn explained<'c>(config: &'c Config, name: &str) -> &'c Explained {
    config.explain().iter().find(|explained| explained.key.name == name).unwrap()
}

#[test]
fn an_empty_file_gives_a_working_configuration_inside_the_home() {
    let place = Place::new("");
    let config = place.load(&[]).unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8004");
    assert_eq!(config.catalog.url.to_string(), format!("sqlite://{}", place.home.catalog_file().display()));
    assert_eq!(directory(&config), place.home.store_directory());
    assert_eq!(config.upkeep.sweep_every, Some(Duration::from_secs(86_400)));
    assert_eq!(config.server.document_limit, 16 << 20);
    assert!(config.server.tls.is_none() && config.warnings().is_empty());
    assert_eq!(config.explain().len(), KEYS.len());
    assert!(config.explain().iter().all(|explained| explained.origin == Origin::Default));
}

#[test]
fn a_home_that_does_not_exist_yet_can_be_configured() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path().join("later"));
    let config = Config::load(home, &Environment::new([], folder.path()), &Overrides::default()).unwrap();
    assert_eq!(config.workers, 2);
}

#[test]
fn each_value_tells_where_it_came_from() {
    let place = Place::new("jobs.workers = 4\n");
    let config = place.load_with(&[("HOLOTYPE_LOG_FORMAT", "json")], &[("listen", "127.0.0.1:0")]).unwrap();
    let told = |name| (explained(&config, name).value.clone(), explained(&config, name).origin.to_string());
    assert_eq!(told("jobs.workers"), ("4".to_owned(), place.home.config_file().display().to_string()));
    assert_eq!(told("log.format"), ("json".to_owned(), "environment variable HOLOTYPE_LOG_FORMAT".to_owned()));
    assert_eq!(told("listen"), ("127.0.0.1:0".to_owned(), "flag --listen".to_owned()));
    assert_eq!(told("store.url"), (place.home.store_directory().display().to_string(), "default".to_owned()));
    assert!(config.log.json);
}

#[test]
fn the_address_of_a_lab_that_moves_here_is_kept_unless_ours_is_set() {
    let place = Place::new("");
    let moved = [("DATA_SERVER_URL", "http://0.0.0.0:9000/")];
    let config = place.load(&moved).unwrap();
    assert_eq!(config.server.listen.to_string(), "0.0.0.0:9000");
    assert!(explained(&config, "listen").origin.to_string().contains("DATA_SERVER_URL"));
    let config = place.load_with(&moved, &[("listen", "127.0.0.1:1")]).unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:1");
}

#[test]
fn paths_of_the_file_start_at_the_home_and_paths_of_flags_where_one_stands() {
    let place = Place::new(
        "store.url = 'blobs'\ncatalog.url = 'db/catalog.db'\ntls_certificate = 'c.pem'\ntls_key = '/k.pem'\n",
    );
    let config = place.load(&[]).unwrap();
    assert_eq!(directory(&config), place.home.root().join("blobs"));
    assert_eq!(
        config.catalog.url.to_string(),
        format!("sqlite://{}", place.home.root().join("db/catalog.db").display())
    );
    let tls = config.server.tls.unwrap();
    assert_eq!((tls.certificate, tls.key), (place.home.root().join("c.pem"), PathBuf::from("/k.pem")));
    let config = place.load_with(&[], &[("store.url", "blobs"), ("static", "/app/=dist")]).unwrap();
    assert_eq!(directory(&config), place.folder.path().join("blobs"));
    assert_eq!(config.server.mounts, [Mount { path: "/app".to_owned(), directory: place.folder.path().join("dist") }]);
}

#[test]
fn half_a_tls_pair_is_refused() {
    let error = Place::new("tls_key = 'k.pem'").load(&[]).unwrap_err().to_string();
    assert!(error.contains("tls_certificate"), "{error}");
}

#[test]
fn a_password_is_taken_from_a_variable_and_refused_in_the_file() {
    let place = Place::new("catalog.url = 'postgres://ada@db/lab'\ncatalog.password_env = 'DB_PASSWORD'\n");
    let config = place.load(&[("DB_PASSWORD", "hunter/2")]).unwrap();
    assert_eq!(config.catalog.url.to_string(), "postgres://db:5432/lab");
    assert!(!format!("{config:?}").contains("hunter"));
    assert_eq!(explained(&config, "catalog.url").value, "postgres://ada@db/lab");

    let error = place.load(&[]).unwrap_err().to_string();
    assert!(error.contains("DB_PASSWORD") && error.contains("catalog.password_env"), "{error}");

    let error = Place::new("catalog.url = 'postgres://ada:hunter2@db/lab'").load(&[]).unwrap_err().to_string();
    assert!(error.contains("catalog.password_env") && !error.contains("hunter2"), "{error}");
    let whole = [("HOLOTYPE_CATALOG_URL", "postgres://ada:hunter2@db/lab")];
    let config = Place::new("").load(&whole).unwrap();
    assert_eq!(explained(&config, "catalog.url").value, "postgres://ada:***@db/lab");
}

#[test]
fn the_key_of_a_bucket_comes_from_variables_whole_or_not_at_all() {
    let place = Place::new("[store]\nurl = 's3://lab/data'\nendpoint = 'http://127.0.0.1:9000'\nregion = 'eu-1'\n");
    let bucket = |variables: &[(&str, &str)]| match place.load(variables).unwrap().store.location {
        Location::S3(bucket) => bucket,
        other => panic!("{other:?}"),
    };
    let keyed = bucket(&[("AWS_ACCESS_KEY_ID", "name"), ("AWS_SECRET_ACCESS_KEY", "hunter2")]);
    assert_eq!((keyed.bucket.as_str(), keyed.prefix.as_str(), keyed.region.as_deref()), ("lab", "data", Some("eu-1")));
    assert!(!format!("{keyed:?}").contains("hunter2"));
    let key = keyed.key.unwrap();
    assert_eq!((key.id.as_str(), key.secret.expose_secret()), ("name", "hunter2"));

    assert!(bucket(&[]).key.is_none());
    let half = place.load(&[("AWS_ACCESS_KEY_ID", "name")]).unwrap_err().to_string();
    assert!(half.contains("AWS_SECRET_ACCESS_KEY"), "{half}");
    let chosen = [("HOLOTYPE_STORE_ACCESS_KEY_ENV", "LAB_KEY")];
    assert!(place.load(&chosen).unwrap_err().to_string().contains("LAB_KEY"));
}

#[test]
fn gaias_stars_come_from_a_table_or_from_a_service_and_not_from_both() {
    let service = "sessions.gaia_tap = 'https://gaia.example/tap'\n";
    let config = Place::new(service).load(&[]).unwrap();
    assert_eq!(config.sessions.gaia_tap.as_ref().map(Url::as_str), Some("https://gaia.example/tap"));
    assert_eq!(explained(&config, "sessions.gaia_tap").value, "https://gaia.example/tap");
    let both = Place::new(service).load(&[("HOLOTYPE_SESSIONS_GAIA", "gaia.csv")]).unwrap_err();
    assert_eq!(both.category(), holotype_core::Category::Invalid);
    assert!(both.to_string().starts_with("sessions.gaia_tap cannot be used"), "{both}");
    assert!(both.to_string().contains("sessions.gaia is set, too"), "{both}");
}

#[test]
fn values_that_cannot_be_meant_are_refused_by_key() {
    for (file, named) in [
        ("listen = 'everywhere'", "listen"),
        ("jobs.workers = 0", "jobs.workers"),
        ("upkeep.sweep_every = 'daily'", "upkeep.sweep_every"),
        ("allowed_origins = ['http://lab/page']", "allowed_origins"),
        ("behind_proxy = ['proxy']", "behind_proxy"),
        ("static = ['dist']", "static"),
        ("datapoints.time_zone = 'Mars/Olympus'", "datapoints.time_zone"),
        ("log.format = 'xml'", "log.format"),
        ("store.url = 'ftp://x/'", "store.url"),
        ("catalog.url = 'mysql://x/y'", "catalog.url"),
        ("store.url = 's3://lab'\nstore.endpoint = 'ftp://x'", "store.endpoint"),
        ("document_limit = '16MB'", "document_limit"),
        ("sessions.gaia_tap = '/srv/gaia.csv'", "sessions.gaia_tap"),
        ("sessions.gaia_tap = 'https://ann:hunter2@gaia.example/tap'", "sessions.gaia_tap"),
    ] {
        let error = Place::new(file).load(&[]).unwrap_err();
        assert_eq!(error.category(), holotype_core::Category::Invalid);
        assert!(error.to_string().starts_with(named) && error.to_string().contains("holotype.toml"), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[test]
fn a_variable_that_sets_nothing_is_told() {
    let place =
        Place::new("store.url = '/x'\ncatalog.password_env = ''\nstore.secret_key_env = 'HOLOTYPE_MINIO_SECRET'\n");
    let set = [
        ("HOLOTYPE_LISTN", "x"),
        ("HOLOTYPE_MINIO_SECRET", "y"),
        ("HOLOTYPE_HOME", "/h"),
        ("HOLOTYPE_LISTEN", "127.0.0.1:1"),
    ];
    let config = place.load(&set).unwrap();
    assert_eq!(config.warnings().len(), 1);
    assert!(config.warnings()[0].contains("HOLOTYPE_LISTN"));
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let error = Place::new(&"#".repeat(2 << 20)).load(&[]).unwrap_err().to_string();
    assert!(error.contains("holotype.toml") && error.contains("larger"), "{error}");
}

#[test]
fn the_file_that_a_new_home_starts_with_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path());
    home.create().unwrap();
    let config = Config::load(home, &Environment::new([], folder.path()), &Overrides::default()).unwrap();
    assert!(config.explain().iter().all(|explained| explained.origin == Origin::Default));
}
