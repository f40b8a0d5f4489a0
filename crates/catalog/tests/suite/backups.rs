//! Backups: made while in use, proven whole, restored into either engine, all or nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use holotype_catalog::{Catalog, CatalogError, CatalogUrl, Entity, Existing, Manifest, Pools, Tx, values};
use holotype_core::{Clock as _, Digest, ProjectId, UserId};
use secrecy::SecretString;

use crate::blobs::{pin, refer, reference};
use crate::engines::{Bench, on_both};

/// Something in every table.
pub(crate) async fn fill(bench: &Bench) {
    let (catalog, local) = (&bench.catalog, Catalog::local_owner());
    let password = Some(SecretString::from("correct horse"));
    catalog.create_user(&local, "ada", password, true).await.unwrap();
    catalog.create_token(&local, "ada", "notebook", None).await.unwrap();
    for bytes in [b"abc", b"xyz"] {
        pin(catalog, Digest::of(bytes), bench.clock.now()).await;
    }
    refer(catalog, reference(Digest::of(b"abc"), "dp", "0")).await.unwrap();
    let filled = catalog.write(|tx| {
        Box::pin(async move {
            let id = tx.new_activity_id()?;
            let insert =
                "INSERT INTO activities (id, project, kind, agent, state, attempt, max_attempts, priority, params,
                    progress, code_version, created_at, run_after)
                VALUES ($1, $2, 'store.verify', $3, 'running', 1, 3, 0, '{}', 0.25, '0.1.0', $4, $4)";
            tx.exec_sql(insert, values![id, ProjectId::DEFAULT, UserId::LOCAL, tx.now()]).await?;
            let log = "INSERT INTO job_logs (activity, sequence, at, level, text) VALUES ($1, 1, $2, 'info', $3)";
            tx.exec_sql(log, values![id, tx.now(), "Zeile mit Umlaut: äöü\n\t'quoted' \\back"]).await?;
            tx.add_input(id, Entity::record("datapoint", ProjectId::DEFAULT, "dp")).await?;
            tx.add_output(id, Entity::blob(ProjectId::DEFAULT, Digest::of(b"abc"))).await?;
            let datapoint = "INSERT INTO datapoints (project, id, label, data_type, data_timestamp, instant, document,
                    content_digest, agent, created_at)
                VALUES ($1, $2, 'Temperature', 'file', '2026', NULL, $3, $4, $5, $6)";
            let (document, digest) =
                (r#"{"value": 123456789012345678901234567890, "nul": "\u0000"}"#, Digest::of(b"d"));
            for id in ["gone", "dp"] {
                tx.exec_sql(datapoint, values![ProjectId::DEFAULT, id, document, digest, UserId::LOCAL, tx.now()])
                    .await?;
            }
            tx.exec_sql("DELETE FROM datapoints WHERE id = 'gone'", values![]).await?;
            let owner = "INSERT INTO datapoint_owners (project, field, value, sequence) VALUES ($1, 'user_id', 'x', 2)";
            tx.exec_sql(owner, values![ProjectId::DEFAULT]).await?;
            let file = "INSERT INTO datapoint_files
                    (project, datapoint, position, name, digest, size, media_type, modified_at, path)
                VALUES ($1, 'dp', 0, 'a.txt', $2, 3, 'text/plain', $3, '/2026/a.txt')";
            tx.exec_sql(file, values![ProjectId::DEFAULT, Digest::of(b"abc"), tx.now()]).await?;
            let schema = "INSERT INTO datapoint_schemas (project, label, schema, agent, updated_at)
                VALUES ($1, 'Temperature', '{}', $2, $3)";
            tx.exec_sql(schema, values![ProjectId::DEFAULT, UserId::LOCAL, tx.now()]).await?;
            fill_frames(tx).await?;
            fill_fetches(tx).await?;
            fill_sessions(tx).await
        })
    });
    filled.await.unwrap();
}

/// A fetch with one frame, which its tree holds, and the schedule that asked for it.
async fn fill_fetches(tx: &mut Tx) -> Result<(), CatalogError> {
    let activity = tx.row_sql("SELECT id FROM activities", values![]).await?.unwrap().get::<String>("id")?;
    let fetch = "INSERT INTO fetches (id, project, agent, name, tree, config, window_start, window_end, created_at)
        VALUES ($1, $2, $3, 'night.yaml', '/data', '{}', $4, $4, $4)";
    tx.exec_sql(fetch, values![activity, ProjectId::DEFAULT, UserId::LOCAL, tx.now()]).await?;
    let frame = "INSERT INTO fetch_frames (fetch_id, position, archive, name, state, transferred, changed_at)
        VALUES ($1, 0, 'https://archive.example', 'e91.fits.fz', 'placed', 3, $2)";
    tx.exec_sql(frame, values![activity, tx.now()]).await?;
    let held = "INSERT INTO held_frames (project, tree, archive, name, proposal, state, blob, fetch_id, seen)
        VALUES ($1, '/data', 'https://archive.example', 'e91.fits.fz', 'P1', 'placed', $2, $3, $3)";
    tx.exec_sql(held, values![ProjectId::DEFAULT, Digest::of(b"abc"), activity]).await?;
    let schedule =
        "INSERT INTO fetch_schedules (id, project, agent, name, request, cron, time_zone, next_at, created_at)
        VALUES ('01ARZ3NDEKTSV4RRFFQ69G5FAV', $1, $2, 'nightly', '{}', '0 9 * * *', 'UTC', $3, $3)";
    tx.exec_sql(schedule, values![ProjectId::DEFAULT, UserId::LOCAL, tx.now()]).await.map(drop)
}

/// A session with an operation whose result has a file, and what is known of users for them.
async fn fill_sessions(tx: &mut Tx) -> Result<(), CatalogError> {
    let activity = tx.row_sql("SELECT id FROM activities", values![]).await?.unwrap().get::<String>("id")?;
    let ada = tx.row_sql("SELECT id FROM users", values![]).await?.unwrap().get::<String>("id")?;
    let session = "INSERT INTO sessions (project, owner, owner_name, name, input_data, created, accessed, modified)
        VALUES ($1, $2, 'ada', 'Nacht über Höchst', '[{\"basename\": \"e91\"}]', $3, $3, $3) RETURNING id";
    let row = tx.row_sql(session, values![ProjectId::DEFAULT, ada, tx.now()]).await?;
    let (id, key): (i64, _) = (row.unwrap().get("id")?, Digest::of(b"request").to_string());
    let result =
        "INSERT INTO results (key, project, agent, operation, request, activity, output, created_at, finished_at)
        VALUES ($1, $2, $3, 'Median', '{}', $4, '{}', $5, $5)";
    tx.exec_sql(result, values![key, ProjectId::DEFAULT, ada, activity, tx.now()]).await?;
    let file = "INSERT INTO result_files (result, name, digest, size, created_at) VALUES ($1, 'a.fits', $2, 3, $3)";
    tx.exec_sql(file, values![key, Digest::of(b"abc"), tx.now()]).await?;
    let operation = "INSERT INTO operations (session, project, agent, name, input_data, result, created)
        VALUES ($1, $2, $3, 'Median', '{}', $4, $5)";
    tx.exec_sql(operation, values![id, ProjectId::DEFAULT, ada, key, tx.now()]).await?;
    let token = "INSERT INTO archive_tokens (user_id, archive, ciphertext, created) VALUES ($1, 'lco', $2, $3)";
    tx.exec_sql(token, values![ada, vec![1_u8, 2, 3], tx.now()]).await?;
    let profile = "INSERT INTO profiles (user_id, first_name, last_name, email, staff_view, is_staff, is_superuser)
        VALUES ($1, 'Ada', 'Lovelace', 'ada@example.org', $2, $3, $3)";
    tx.exec_sql(profile, values![ada, true, false]).await?;
    let cached = "INSERT INTO input_cache (archive, version, name, digest, size, created, used)
        VALUES ('lco', 'md5:x', 'e91.fits.fz', $1, 3, $2, $2)";
    tx.exec_sql(cached, values![Digest::of(b"abc"), tx.now()]).await?;
    let grant = "INSERT INTO input_grants (user_id, archive, basename, version, file_name, until)
        VALUES ($1, 'lco', 'e91', 'md5:x', 'e91.fits.fz', $2)";
    tx.exec_sql(grant, values![ada, tx.now()]).await.map(drop)
}

/// A frame with all that belongs to it, and one that went: its number is not given out again.
async fn fill_frames(tx: &mut Tx) -> Result<(), CatalogError> {
    let frame =
        "INSERT INTO frames (project, basename, observation_date, target_name, exposure_time, area, west, agent,
            created_at)
        VALUES ($1, $2, $3, 'Höchst', 60.5, '[[1.5,2.5]]', -93.25, $4, $3) RETURNING id";
    let mut last = 0_i64;
    for basename in ["gone", "e91"] {
        let row = tx.row_sql(frame, values![ProjectId::DEFAULT, basename, tx.now(), UserId::LOCAL]).await?;
        last = row.unwrap().get("id")?;
    }
    tx.exec_sql("DELETE FROM frames WHERE basename = 'gone'", values![]).await?;
    let headers = "INSERT INTO frame_headers (frame, headers) VALUES ($1, '{\"RLEVEL\":91}')";
    tx.exec_sql(headers, values![last]).await?;
    let version = "INSERT INTO frame_versions (frame, digest, md5, size, extension, agent, created_at)
        VALUES ($1, $2, $3, 3, '.fits.fz', $4, $5) RETURNING id";
    let values = values![last, Digest::of(b"abc"), vec![7_u8; 16], UserId::LOCAL, tx.now()];
    let version: i64 = tx.row_sql(version, values).await?.unwrap().get("id")?;
    tx.exec_sql("INSERT INTO frame_relations (frame, related) VALUES ($1, 'e00')", values![last]).await?;
    let thumbnail = "INSERT INTO frame_thumbnails (version, size, digest, md5, bytes, created_at)
        VALUES ($1, 'small', $2, $3, 3, $4)";
    let values = values![version, Digest::of(b"abc"), vec![7_u8; 16], tx.now()];
    tx.exec_sql(thumbnail, values).await.map(drop)
}

/// Every row of every table as text, to compare catalogs of both engines.
async fn contents(catalog: &Catalog) -> BTreeMap<String, Vec<String>> {
    let mut contents = BTreeMap::new();
    for table in tables(catalog).await {
        let rows = match catalog.pools() {
            Pools::Sqlite(pool) => {
                let columns =
                    "SELECT group_concat('coalesce(' || CASE WHEN type = 'BLOB' THEN 'lower(hex(' || name || '))'
                        ELSE 'CAST(' || name || ' AS TEXT)' END || ', ''null'')', ' || ''|'' || ')
                    FROM (SELECT name, type FROM pragma_table_info(?) ORDER BY name)";
                let columns: String = sqlx::query_scalar(columns).bind(&table).fetch_one(&pool).await.unwrap();
                let select = sqlx::AssertSqlSafe(format!("SELECT {columns} FROM {table}"));
                sqlx::query_scalar::<_, String>(select).fetch_all(&pool).await.unwrap()
            }
            Pools::Postgres(pool) => {
                let columns = "SELECT string_agg('coalesce(' || CASE data_type
                            WHEN 'bytea' THEN 'encode(' || column_name || ', ''hex'')'
                            WHEN 'boolean' THEN column_name || '::int::text'
                            ELSE column_name || '::text' END || ', ''null'')',
                        ' || ''|'' || ' ORDER BY column_name COLLATE \"C\")
                    FROM information_schema.columns WHERE table_name = $1";
                let columns: String = sqlx::query_scalar(columns).bind(&table).fetch_one(&pool).await.unwrap();
                let select = sqlx::AssertSqlSafe(format!("SELECT {columns} FROM {table}"));
                sqlx::query_scalar::<_, String>(select).fetch_all(&pool).await.unwrap()
            }
        };
        contents.insert(table, rows);
    }
    for rows in contents.values_mut() {
        rows.sort_unstable();
    }
    contents
}

async fn tables(catalog: &Catalog) -> Vec<String> {
    let rows = match catalog.pools() {
        Pools::Sqlite(pool) => {
            let select = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
            sqlx::query_scalar::<_, String>(select).fetch_all(&pool).await.unwrap()
        }
        Pools::Postgres(pool) => {
            let select = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
            sqlx::query_scalar::<_, String>(select).fetch_all(&pool).await.unwrap()
        }
    };
    rows.into_iter().filter(|table| table != "holotype_migrations").collect()
}

/// An empty database of either engine.
struct Empty {
    bench: Bench,
    url: CatalogUrl,
}

impl Empty {
    async fn like(postgres: bool) -> Self {
        let bench = if postgres { Bench::postgres().await } else { Bench::sqlite().await };
        let url = if postgres {
            let Pools::Postgres(pool) = bench.catalog.pools() else { panic!("not PostgreSQL") };
            sqlx::raw_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public").execute(&pool).await.unwrap();
            bench.catalog.url().clone()
        } else {
            CatalogUrl::from(bench.path("new.db").as_path())
        };
        Self { bench, url }
    }

    async fn restore(&self, folder: &Path, existing: Existing) -> Result<Manifest, CatalogError> {
        Catalog::restore(folder, &self.url, &*self.bench.clock, existing).await
    }

    async fn open(&self) -> Catalog {
        Catalog::open(self.url.clone(), self.bench.clock.clone()).await.unwrap()
    }
}

on_both! {
    a_backup_can_be_restored_into_either_engine
    a_backup_is_one_moment_of_a_catalog_in_use
    a_damaged_backup_is_not_restored
    a_backup_of_a_newer_program_is_refused
    a_catalog_is_replaced_only_on_demand_and_whole
    a_restore_that_fails_leaves_the_old_catalog
    a_folder_that_is_there_is_not_touched_and_one_of_a_killed_program_is_no_hindrance
    the_list_of_blobs_is_read_back
    others_cannot_read_a_backup
}

async fn a_backup_can_be_restored_into_either_engine(bench: Bench) {
    fill(&bench).await;
    let expected = contents(&bench.catalog).await;
    assert!(expected.values().all(|rows| !rows.is_empty()), "every table is tried: {expected:?}");
    let folder = bench.path("backup");
    let manifest = bench.catalog.backup(&folder).await.unwrap();
    assert_eq!(manifest.tables.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    assert_eq!(
        (manifest.blobs.count, manifest.blobs.bytes, manifest.engine.as_str()),
        (2, 6, bench.catalog.engine().name())
    );
    for postgres in [false, true] {
        let empty = Empty::like(postgres).await;
        assert_eq!(empty.restore(&folder, Existing::Keep).await.unwrap(), manifest);
        let restored = empty.open().await;
        assert_eq!(contents(&restored).await, expected);
        // What is added afterwards gets a number that was never given out.
        let sequence: i64 = restored
            .write(|tx| {
                Box::pin(async move {
                    let insert = "INSERT INTO datapoints
                    (project, id, label, data_type, data_timestamp, document, content_digest, agent, created_at)
                VALUES ($1, 'next', '', 'json', '', '{}', $2, '', 0) RETURNING sequence";
                    tx.row_sql(insert, values![ProjectId::DEFAULT, vec![0_u8]]).await?.unwrap().get("sequence")
                })
            })
            .await
            .unwrap();
        assert_eq!(sequence, 3);
        let right = SecretString::from("correct horse");
        assert!(restored.authenticate_password("ada", &right).await.unwrap().is_some());
    }
}

async fn a_backup_is_one_moment_of_a_catalog_in_use(bench: Bench) {
    let (catalog, done) = (bench.catalog.clone(), Arc::new(AtomicBool::new(false)));
    let writing = tokio::spawn({
        let (catalog, done) = (catalog.clone(), Arc::clone(&done));
        async move {
            let mut number = 0;
            while !done.load(Ordering::SeqCst) {
                // Two rows that belong together: a backup has both or neither.
                catalog.create_project(&Catalog::local_owner(), &format!("p{number}")).await.unwrap();
                number += 1;
            }
            number
        }
    });
    let mut manifests = Vec::new();
    for number in 0..4 {
        manifests.push(catalog.backup(&bench.path(&format!("backup-{number}"))).await.unwrap());
    }
    done.store(true, Ordering::SeqCst);
    let written = writing.await.unwrap();
    for manifest in manifests {
        let projects = manifest.tables["projects"];
        assert_eq!((manifest.tables["members"], manifest.tables["audit_events"]), (projects, projects - 1));
        assert!(projects <= written + 1);
    }
}

async fn a_damaged_backup_is_not_restored(bench: Bench) {
    fill(&bench).await;
    let damages: [(&str, Damage); 6] = [
        ("catalog.db is not the file", |folder| flip(&folder.join("catalog.db"))),
        ("blobs.txt is not the file", |folder| fs::write(folder.join("blobs.txt"), "").unwrap()),
        ("manifest.json", |folder| fs::remove_file(folder.join("manifest.json")).unwrap()),
        ("manifest.json", |folder| fs::write(folder.join("manifest.json"), "{").unwrap()),
        ("its format is 2", |folder| edit(folder, "\"format\": 1", "\"format\": 2")),
        ("other numbers of rows", |folder| edit(folder, "\"users\": 1", "\"users\": 2")),
    ];
    for (number, (problem, damage)) in damages.into_iter().enumerate() {
        let folder = bench.path(&format!("backup-{number}"));
        bench.catalog.backup(&folder).await.unwrap();
        damage(&folder);
        let empty = Empty::like(bench.is_postgres()).await;
        let error = empty.restore(&folder, Existing::Keep).await.unwrap_err();
        assert!(matches!(error, CatalogError::BadBackup { .. }), "{error:?}");
        assert!(error.to_string().contains(problem), "{error}");
        assert_eq!(Catalog::schema_version(&empty.url).await.unwrap(), 0, "nothing was made");
    }
}

async fn a_backup_of_a_newer_program_is_refused(bench: Bench) {
    let folder = bench.path("backup");
    bench.catalog.backup(&folder).await.unwrap();
    let connection =
        sqlx::SqlitePool::connect(&format!("sqlite://{}", folder.join("catalog.db").display())).await.unwrap();
    sqlx::query("UPDATE holotype_migrations SET version = 99 WHERE version = 2").execute(&connection).await.unwrap();
    connection.close().await;
    let bytes = fs::read(folder.join("catalog.db")).unwrap();
    let mut manifest = Catalog::read_backup(&folder).unwrap();
    (manifest.schema_version, manifest.catalog.sha256, manifest.catalog.size) =
        (99, Digest::of(&bytes), bytes.len() as u64);
    fs::write(folder.join("manifest.json"), serde_json::to_vec(&manifest).unwrap()).unwrap();
    let error = Empty::like(bench.is_postgres()).await.restore(&folder, Existing::Keep).await.unwrap_err();
    assert!(error.to_string().contains("install the newer program"), "{error}");
}

async fn a_catalog_is_replaced_only_on_demand_and_whole(bench: Bench) {
    let folder = bench.path("backup");
    fill(&bench).await;
    bench.catalog.backup(&folder).await.unwrap();
    let expected = contents(&bench.catalog).await;
    bench.catalog.create_project(&Catalog::local_owner(), "later").await.unwrap();
    let before = contents(&bench.catalog).await;
    let url = bench.catalog.url().clone();
    let refused = Catalog::restore(&folder, &url, &*bench.clock, Existing::Keep).await;
    assert!(matches!(refused, Err(CatalogError::Conflict { .. })), "{refused:?}");
    assert_eq!(contents(&bench.catalog).await, before);
    bench.catalog.close().await;
    Catalog::restore(&folder, &url, &*bench.clock, Existing::Replace).await.unwrap();
    let restored = bench.again().await;
    assert_eq!(contents(&restored).await, expected);
}

async fn a_restore_that_fails_leaves_the_old_catalog(bench: Bench) {
    fill(&bench).await;
    let folder = bench.path("backup");
    bench.catalog.backup(&folder).await.unwrap();
    // A row that no catalog takes, in a backup whose manifest agrees: it is met in the middle of the restore.
    let file = sqlx::SqlitePool::connect(&format!("sqlite://{}", folder.join("catalog.db").display())).await.unwrap();
    sqlx::raw_sql("PRAGMA ignore_check_constraints = on; UPDATE members SET role = 'king'")
        .execute(&file)
        .await
        .unwrap();
    file.close().await;
    let bytes = fs::read(folder.join("catalog.db")).unwrap();
    let mut manifest = Catalog::read_backup(&folder).unwrap();
    (manifest.catalog.sha256, manifest.catalog.size) = (Digest::of(&bytes), bytes.len() as u64);
    fs::write(folder.join("manifest.json"), serde_json::to_vec(&manifest).unwrap()).unwrap();
    let before = contents(&bench.catalog).await;
    let failed = Catalog::restore(&folder, bench.catalog.url(), &*bench.clock, Existing::Replace).await;
    assert!(failed.is_err());
    assert_eq!(contents(&bench.again().await).await, before);
}

async fn a_folder_that_is_there_is_not_touched_and_one_of_a_killed_program_is_no_hindrance(bench: Bench) {
    let folder = bench.path("backup");
    fs::create_dir(&folder).unwrap();
    assert!(matches!(bench.catalog.backup(&folder).await, Err(CatalogError::Conflict { .. })));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    fs::remove_dir(&folder).unwrap();
    fs::create_dir(bench.path("backup.partial")).unwrap();
    fs::write(bench.path("backup.partial").join("catalog.db"), "half").unwrap();
    bench.catalog.backup(&folder).await.unwrap();
    assert!(!bench.path("backup.partial").exists());
    Catalog::verify_backup(&folder).await.unwrap();
}

async fn the_list_of_blobs_is_read_back(bench: Bench) {
    fill(&bench).await;
    let folder = bench.path("backup");
    bench.catalog.backup(&folder).await.unwrap();
    let mut expected = vec![(Digest::of(b"abc"), 3), (Digest::of(b"xyz"), 3)];
    expected.sort_unstable();
    let listed: Vec<_> = Catalog::backup_blobs(&folder).unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(listed, expected);
    fs::write(folder.join("blobs.txt"), "x".repeat(1_000_000)).unwrap();
    let error = Catalog::backup_blobs(&folder).unwrap().next().unwrap().unwrap_err();
    assert!(matches!(error, CatalogError::BadBackup { .. }), "{error:?}");
}

async fn others_cannot_read_a_backup(bench: Bench) {
    use std::os::unix::fs::PermissionsExt as _;
    bench.catalog.backup(&bench.path("backup")).await.unwrap();
    assert_eq!(fs::metadata(bench.path("backup")).unwrap().permissions().mode() & 0o077, 0);
}

type Damage = fn(&Path);

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn edit(folder: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(folder.join("manifest.json")).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(folder.join("manifest.json"), text.replace(from, to)).unwrap();
}
