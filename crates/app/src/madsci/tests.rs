use std::fs;

use secrecy::ExposeSecret as _;
use serde_json::json;

use super::answer::SettingsQuery;
use super::*;

const ALL: SettingsQuery = SettingsQuery { include_defaults: true, include_schema: false };

/// A lab in a temporary directory: files by name, and the directory in which the manager starts.
struct Lab {
    folder: tempfile::TempDir,
    start: PathBuf,
}

impl Lab {
    fn new(start: &str, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let start = folder.path().join(start);
        fs::create_dir_all(&start).unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self { folder, start }
    }

    fn load(&self, variables: &[(&str, &str)]) -> Result<Madsci, MadsciError> {
        let variables = variables.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        Madsci::load(&Environment::new(variables, &self.start))
    }

    fn name(&self, variables: &[(&str, &str)]) -> String {
        self.load(variables).unwrap().manager_name().to_owned()
    }
}

fn name_from(files: &[(&str, &str)]) -> String {
    Lab::new("", files).name(&[])
}

#[test]
fn an_environment_variable_wins_in_any_case_over_every_file() {
    let lab = Lab::new("", &[(".env", "DATA_MANAGER_NAME=dotenv"), ("settings.json", r#"{"manager_name": "json"}"#)]);
    assert_eq!(lab.name(&[("data_manager_name", "variable")]), "variable");
    assert_eq!(lab.name(&[]), "dotenv");
}

#[test]
fn json_wins_over_toml_and_toml_over_yaml() {
    let yaml = ("data.settings.yaml", "data_manager_name: yaml");
    let toml = ("settings.toml", "data_manager_name = 'toml'");
    let json = ("settings.json", r#"{"data_manager_name": "json"}"#);
    assert_eq!(name_from(&[yaml, toml, json]), "json");
    assert_eq!(name_from(&[yaml, toml]), "toml");
    assert_eq!(name_from(&[yaml]), "yaml");
}

#[test]
fn the_managers_own_file_wins_over_the_shared_one() {
    let shared = ("settings.yaml", "data_manager_name: shared");
    assert_eq!(name_from(&[shared, ("data.settings.yaml", "data_manager_name: own")]), "own");
    assert_eq!(name_from(&[(".env", "DATA_MANAGER_NAME=shared"), ("data.env", "DATA_MANAGER_NAME=own")]), "own");
}

#[test]
fn a_name_without_a_prefix_wins_over_one_with_it_wherever_they_are() {
    assert_eq!(name_from(&[("settings.yaml", "manager_name: plain\ndata_manager_name: prefixed")]), "plain");
    let json = ("settings.json", r#"{"data_manager_name": "prefixed"}"#);
    assert_eq!(name_from(&[("settings.yaml", "manager_name: plain"), json]), "plain");
}

#[test]
fn a_shared_file_may_hold_the_settings_of_other_programs() {
    let text = "event_server_url: http://localhost:8001/\ntemplates:\n  1: {a: [1, 2]}\n\
                data_manager_name: first\ndata_manager_name: last\n";
    assert_eq!(name_from(&[("settings.yaml", text)]), "last");
    assert_eq!(name_from(&[("settings.toml", "when = 1979-05-27\ndata_manager_name = 't'")]), "t");
    assert_eq!(name_from(&[("settings.yaml", "")]), "DataManager");
}

#[test]
fn each_file_is_looked_for_upwards_by_itself() {
    let files =
        [("settings.yaml", "data_manager_name: above"), ("a/b/data.settings.yaml", "manager_description: here")];
    let settings = Lab::new("a/b", &files).load(&[]).unwrap();
    assert_eq!((settings.manager_name(), settings.manager_description()), ("above", Some("here")));
}

#[test]
fn the_search_ends_at_the_projects_root_the_users_home_and_ten_levels_up() {
    let above = ("settings.yaml", "data_manager_name: above");
    assert_eq!(Lab::new("a/b", &[above, ("a/.madsci/x", "")]).name(&[]), "DataManager");
    assert_eq!(Lab::new("a/b", &[above, ("a/.git/x", "")]).name(&[]), "DataManager");
    assert_eq!(
        Lab::new("a/b", &[("a/settings.yaml", "data_manager_name: root"), ("a/.madsci/x", "")]).name(&[]),
        "root"
    );
    let lab = Lab::new("a/b", &[above]);
    assert_eq!(lab.name(&[("HOME", lab.folder.path().join("a").to_str().unwrap())]), "DataManager");
    assert_eq!(Lab::new("1/2/3/4/5/6/7/8/9/10", &[above]).name(&[]), "above");
    assert_eq!(Lab::new("1/2/3/4/5/6/7/8/9/10/11", &[above]).name(&[]), "DataManager");
}

#[test]
fn the_search_begins_where_the_variable_says() {
    let lab = Lab::new("start", &[("elsewhere/settings.yaml", "data_manager_name: there")]);
    assert_eq!(lab.name(&[("MADSCI_SETTINGS_DIR", "../elsewhere")]), "there");
}

#[test]
fn what_is_not_found_upwards_is_looked_for_in_managers_and_config() {
    let managers = ("managers/data.settings.yaml", "manager_name: managers");
    let config = ("config/data.settings.yaml", "manager_name: config");
    assert_eq!(name_from(&[managers, config]), "managers");
    assert_eq!(name_from(&[config]), "config");
    assert_eq!(name_from(&[managers, ("data.settings.yaml", "manager_name: upwards")]), "upwards");
}

#[test]
fn what_cannot_be_used_is_refused_with_its_place_and_without_its_value() {
    for (name, text) in
        [("settings.yaml", "a: ["), ("settings.json", "{"), ("data.settings.toml", "x"), ("settings.yaml", "- a")]
    {
        let error = Lab::new("", &[(name, text)]).load(&[]).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
        assert_eq!(error.category(), Category::Invalid);
    }
    let lab = Lab::new("", &[("settings.yaml", "data_rate_limit_requests: none")]);
    let error = lab.load(&[]).unwrap_err().to_string();
    assert!(error.contains("rate_limit_requests") && error.contains("settings.yaml"), "{error}");
    let error =
        lab.load(&[("DATA_DOCUMENT_DB_URL", "hunter2"), ("DATA_RATE_LIMIT_REQUESTS", "1")]).unwrap_err().to_string();
    assert!(error.contains("DATA_DOCUMENT_DB_URL") && !error.contains("hunter2"), "{error}");
    assert!(lab.load(&[("DATA_SERVER_URL", "ftp://x/"), ("DATA_RATE_LIMIT_REQUESTS", "1")]).is_err());
    assert!(lab.load(&[("DATA_RATE_LIMIT_EXEMPT_IPS", "[\"lab\"]"), ("DATA_RATE_LIMIT_REQUESTS", "1")]).is_err());
}

#[test]
fn a_yaml_file_that_explodes_is_refused() {
    let mut bomb = String::from("a0: &a0 [x]\n");
    for level in 1..40 {
        let before = format!("*a{}, ", level - 1).repeat(9);
        bomb.push_str(&format!("a{level}: &a{level} [{before}]\n"));
    }
    let error = Lab::new("", &[("settings.yaml", &bomb)]).load(&[]).unwrap_err();
    assert!(error.to_string().contains("settings.yaml"), "{error}");
    let deep = format!("data_manager_name: {}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(Lab::new("", &[("settings.yaml", &deep)]).load(&[]).is_err());
}

#[test]
fn a_line_of_a_dotenv_file_that_is_skipped_is_told() {
    let settings = Lab::new("", &[(".env", "DATA_MANAGER_NAME=a\n=x\n")]).load(&[]).unwrap();
    assert_eq!(settings.manager_name(), "a");
    assert!(settings.warnings().iter().any(|warning| warning.starts_with("line 2 of ")), "{:?}", settings.warnings());
}

#[test]
fn the_server_url_says_where_to_listen() {
    let lab = Lab::new("", &[]);
    let (listen, origin) = lab.load(&[]).unwrap().listen();
    assert_eq!((listen.to_string().as_str(), origin), ("127.0.0.1:8004", Origin::Default));
    for (url, expected) in [
        ("http://0.0.0.0:9000", "0.0.0.0:9000"),
        ("http://localhost:18041/", "127.0.0.1:18041"),
        ("https://data.lab/", "data.lab:443"),
        ("http://[::1]:8004", "[::1]:8004"),
    ] {
        let (listen, origin) = lab.load(&[("DATA_SERVER_URL", url)]).unwrap().listen();
        assert_eq!(listen.to_string(), expected);
        assert_eq!(origin.to_string(), "MADSci setting server_url (environment variable DATA_SERVER_URL)");
    }
}

#[test]
fn records_name_files_under_the_storage_path() {
    let lab = Lab::new("a", &[]);
    let root = |variables: &[(&str, &str)]| lab.load(variables).unwrap().storage_root().to_owned();
    assert_eq!(root(&[("HOME", "/home/ada")]), Path::new("/home/ada/.madsci/datapoints"));
    assert_eq!(root(&[("DATA_FILE_STORAGE_PATH", "/srv/data")]), Path::new("/srv/data"));
    assert_eq!(root(&[("DATA_FILE_STORAGE_PATH", "files")]), lab.start.join("files"));
    assert_eq!(
        root(&[("DATA_FILE_STORAGE_PATH", ".madsci/x"), ("HOME", "/home/ada")]),
        Path::new("/home/ada/.madsci/x")
    );
    fs::create_dir(lab.folder.path().join(".git")).unwrap();
    assert_eq!(root(&[("HOME", "/home/ada")]), lab.folder.path().join(".madsci/datapoints"));
    fs::create_dir(lab.start.join(".madsci")).unwrap();
    assert_eq!(root(&[]), lab.start.join(".madsci/datapoints"));
}

#[test]
fn rate_limits_are_on_unless_they_are_taken_off() {
    let lab = Lab::new("", &[("settings.yaml", "data_rate_limit_requests: 7")]);
    let limits = lab.load(&[]).unwrap().rate_limits().unwrap();
    assert_eq!(limits.long, RateLimit { requests: 7, window: Duration::from_secs(60) });
    assert_eq!(limits.short, Some(RateLimit { requests: 50, window: Duration::from_secs(1) }));
    assert_eq!(limits.exempt, ["127.0.0.1".parse::<IpAddr>().unwrap(), "::1".parse().unwrap()]);

    assert_eq!(lab.load(&[("DATA_RATE_LIMIT_ENABLED", "no")]).unwrap().rate_limits(), None);
    let nobody = lab.load(&[("DATA_RATE_LIMIT_EXEMPT_IPS", "[]")]).unwrap().rate_limits().unwrap();
    assert!(nobody.exempt.is_empty());
    let no_bursts = Lab::new("", &[("data.settings.yaml", "rate_limit_short_requests: null")]).load(&[]).unwrap();
    assert_eq!(no_bursts.rate_limits().unwrap().short, None);
}

#[test]
fn object_storage_is_off_until_an_endpoint_is_set() {
    assert!(Lab::new("", &[]).load(&[]).unwrap().object_storage().is_none());
    let lab = Lab::new("", &[("object_storage.settings.yaml", "endpoint: minio:9000\nsecure: true")]);
    let storage = lab.load(&[("OBJECT_STORAGE_SECRET_KEY", "hunter2")]).unwrap().object_storage().unwrap();
    assert_eq!((storage.endpoint.as_str(), storage.secure), ("minio:9000", true));
    assert_eq!((storage.default_bucket.as_str(), storage.secret_key.expose_secret()), ("madsci-data", "hunter2"));
    let shared = Lab::new("", &[("settings.yaml", "object_storage_endpoint: seaweed:8333")]);
    assert_eq!(shared.load(&[]).unwrap().object_storage().unwrap().endpoint, "seaweed:8333");
}

#[test]
fn secrets_show_in_no_explanation_and_no_debug_output() {
    let variables = [
        ("OBJECT_STORAGE_ENDPOINT", "minio:9000"),
        ("OBJECT_STORAGE_SECRET_KEY", "hunter2"),
        ("DATA_DB_URL", "mongodb://ada:hunter2@db/"),
    ];
    let settings = Lab::new("", &[]).load(&variables).unwrap();
    let shown =
        format!("{settings:?} {:?} {}", settings.explain(), settings.answer(ALL, "id", "http://localhost:8004/"));
    assert!(!shown.contains("hunter2"), "{shown}");
    let explained = settings.explain();
    let url = explained.iter().find(|setting| setting.variable == "DATA_DOCUMENT_DB_URL").unwrap();
    assert_eq!((url.origin.to_string().as_str(), url.used), ("environment variable DATA_DB_URL", false));
}

#[test]
fn the_answer_lists_every_setting_in_the_order_that_clients_know() {
    let lab = Lab::new("", &[]);
    let variables = [
        ("DATA_SERVER_URL", "http://127.0.0.1:18041/"),
        ("DATA_ENABLE_REGISTRY_RESOLUTION", "false"),
        ("DATA_MANAGER_NAME", "Data Manager"),
        ("DATA_FILE_STORAGE_PATH", "/srv/datapoints"),
    ];
    let settings = lab.load(&variables).unwrap();
    let answer = settings.answer(ALL, "01M7WHEJCMGV6B9J0D4H1XDJTZ", "http://localhost:8004/");
    assert_eq!(
        answer.to_string(),
        concat!(
            r#"{"settings":{"server_url":"http://127.0.0.1:18041/","manager_id":"01M7WHEJCMGV6B9J0D4H1XDJTZ","#,
            r#""manager_type":"data_manager","rate_limit_enabled":true,"rate_limit_requests":300,"rate_limit_window":60,"#,
            r#""rate_limit_short_requests":50,"rate_limit_short_window":1,"rate_limit_cleanup_interval":300,"#,
            r#""rate_limit_exempt_ips":null,"uvicorn_workers":null,"uvicorn_limit_concurrency":null,"#,
            r#""uvicorn_limit_max_requests":null,"enable_registry_resolution":false,"manager_name":"Data Manager","#,
            r#""manager_description":null,"lab_url":null,"registry_lock_timeout":60.0,"otel_enabled":false,"#,
            r#""otel_service_name":null,"otel_exporter":"console","otel_endpoint":null,"otel_protocol":"grpc","#,
            r#""database_name":"madsci_data","collection_name":"datapoints","document_db_url":"***REDACTED***","#,
            r#""file_storage_path":"/srv/datapoints"}}"#,
        )
    );
    let query = SettingsQuery { include_defaults: false, include_schema: false };
    assert_eq!(
        settings.answer(query, "01M7WHEJCMGV6B9J0D4H1XDJTZ", "http://localhost:8004/").to_string(),
        concat!(
            r#"{"settings":{"server_url":"http://127.0.0.1:18041/","manager_id":"01M7WHEJCMGV6B9J0D4H1XDJTZ","#,
            r#""enable_registry_resolution":false,"manager_name":"Data Manager","document_db_url":"***REDACTED***","#,
            r#""file_storage_path":"/srv/datapoints"}}"#,
        )
    );
}

#[test]
fn where_nobody_set_an_address_the_answer_tells_the_one_in_use() {
    let settings = Lab::new("", &[]).load(&[("HOME", "/home/ada")]).unwrap();
    let answer = settings.answer(ALL, "id", "http://127.0.0.1:9999/");
    assert_eq!(answer["settings"]["server_url"], "http://127.0.0.1:9999/");
    assert_eq!(answer["settings"]["file_storage_path"], "/home/ada/.madsci/datapoints");
    let query = SettingsQuery { include_defaults: false, include_schema: false };
    let answer = settings.answer(query, "id", "http://localhost:8004/");
    assert_eq!(answer, json!({ "settings": { "manager_id": "id", "document_db_url": "***REDACTED***" } }));
}

#[test]
fn the_schema_describes_what_is_answered() {
    let query = SettingsQuery { include_defaults: true, include_schema: true };
    let answer = Lab::new("", &[]).load(&[]).unwrap().answer(query, "id", "http://localhost:8004/");
    assert_eq!(answer["schema_title"], "DataManagerSettings");
    let described: Vec<_> = answer["schema"]["properties"].as_object().unwrap().keys().collect();
    let answered: Vec<_> = answer["settings"].as_object().unwrap().keys().collect();
    assert_eq!(described, answered);
    let properties = &answer["schema"]["properties"];
    assert_eq!(properties["rate_limit_requests"]["minimum"], 1);
    assert_eq!(properties["rate_limit_short_window"]["anyOf"][1], json!({ "type": "null" }));
    assert_eq!(properties["document_db_url"]["secret"], true);
}
