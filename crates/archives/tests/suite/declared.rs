//! Each shipped definition against a server on this machine that answers in its archive's form. None was tried on the archive itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::response::Response;
use futures::TryStreamExt;
use holotype_archives::http::Policy;
use holotype_archives::source::declared::{self, Definition};
use holotype_archives::source::{ArchiveSource, Declared, Listed, Query, SourceError};
use holotype_core::{Category, Instant};
use holotype_testkit::clock::HandClock;
use holotype_testkit::s3::{BUCKET, KEY_ID, LocalS3, SECRET};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::local::{Came, Server, all, answer, quick};

const MD5: &str = "d8b7bce5f24922c5d03dec9fb73b6c8b";

fn instant(text: &str) -> Instant {
    text.parse().unwrap()
}

/// 14 to 18 July 2024.
fn july() -> Query {
    let (start, end) = (instant("2024-07-14T00:00:00Z"), instant("2024-07-18T00:00:00Z"));
    Query { start: Some(start), end: Some(end), ..Query::default() }
}

fn page(body: &str) -> Response {
    answer(200, &[], body.to_owned())
}

fn secrets(known: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<SecretString> {
    move |name| known.iter().find(|(known, _)| *known == name).map(|(_, secret)| (*secret).into())
}

fn open(
    text: &str,
    settings: &[(&str, &str)],
    known: &'static [(&'static str, &'static str)],
) -> Result<Declared, SourceError> {
    let definition = Definition::parse("test", text).unwrap();
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Declared::open(definition, &settings, &secrets(known), quick(), Arc::new(HandClock::default()))
}

fn shipped(name: &str, settings: &[(&str, &str)], known: &'static [(&'static str, &'static str)]) -> Declared {
    // A rate for the archive itself would only make the test slow.
    let lines = declared::shipped_text(name).unwrap().lines();
    let text: String =
        lines.filter(|line| !line.contains("requests_per_second")).map(|line| format!("{line}\n")).collect();
    open(&text, settings, known).unwrap()
}

async fn whole(source: &Declared, query: &Query) -> Vec<Listed> {
    let (frames, errors) = all(source, query).await;
    assert!(errors.is_empty(), "{errors:?}");
    frames
}

fn names(frames: &[Listed]) -> Vec<&str> {
    frames.iter().map(|frame| frame.name.as_str()).collect()
}

#[test]
fn every_shipped_definition_is_read_as_it_stands() {
    for name in declared::shipped() {
        let definition = Definition::parse(name, declared::shipped_text(name).unwrap()).unwrap();
        assert_eq!(definition.name, name);
        assert!(!definition.about.is_empty());
    }
    assert_eq!(declared::shipped().count(), 6);
}

#[tokio::test]
async fn an_http_index_is_walked_into_its_folders_and_no_further() {
    let server = Server::start(|came| match came.path.as_str() {
        "/data/" => page(
            "<html><a href=\"../\">..</a> <a href=\"/etc/\">x</a> <a href=\"20240714/\">20240714/</a> - \
             <a href=\"notes.txt\">n</a> 15-Jul-2024 01:00 10 <a href=\".git/\">g</a></html>",
        ),
        "/data/20240714/" => page(
            "<html><pre><a href=\"../\">..</a>\n<a href=\"a.fits.fz\">a</a>  14-Jul-2024 23:00   1234\n\
             <a href=\"old.fits\">o</a>  14-Jul-2023 23:00   1\n<a href=\"..%2f..%2fevil.fits\">e</a>\n</pre></html>",
        ),
        _ => answer(404, &[], ""),
    })
    .await;
    let source = shipped(
        "http-index",
        &[("url", server.at("/data/").as_str())],
        &[("ARCHIVE_USER", "me"), ("ARCHIVE_PASSWORD", "topsecret")],
    );
    let (frames, errors) = all(&source, &july()).await;
    assert_eq!(names(&frames), ["a.fits.fz"], "what was changed within the dates of the query");
    assert_eq!((frames[0].size, frames[0].version.as_deref()), (Some(1234), Some("14-Jul-2024 23:00")));
    let download = frames[0].download.as_ref().unwrap();
    assert_eq!(download.url, server.at("/data/20240714/a.fits.fz"));
    assert_eq!(download.headers.len(), 1, "the same host asks for the same password");
    assert_eq!(errors.len(), 1);
    assert!(errors[0].is_about_one_frame() && errors[0].to_string().contains("evil.fits"), "{}", errors[0]);
    let came = server.came();
    assert_eq!(came.iter().map(|came| came.path.as_str()).collect::<Vec<_>>(), ["/data/", "/data/20240714/"]);
    assert!(came.iter().all(|came| came.header("authorization") == Some("Basic bWU6dG9wc2VjcmV0")));
}

/// A bucket with three pages of one object each.
fn bucket(came: &Came) -> Response {
    let number: usize =
        came.parameter("continuation-token").map_or(0, |token| token.trim_start_matches("t/").parse().unwrap());
    let more = if number < 2 {
        format!("<IsTruncated>true</IsTruncated><NextContinuationToken>t/{}</NextContinuationToken>", number + 1)
    } else {
        "<IsTruncated>false</IsTruncated>".to_owned()
    };
    let etag = [
        "&quot;d8b7bce5f24922c5d03dec9fb73b6c8b&quot;",
        "&quot;d8b7bce5f24922c5d03dec9fb73b6c8b-3&quot;",
        "&quot;x&quot;",
    ][number];
    let key = ["night/a b.fits", "night/b+c.fits.fz", "night/"][number];
    page(&format!(
        "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>frames</Name>{more}\
         <Contents><Key>{key}</Key><LastModified>2024-07-15T01:00:00.000Z</LastModified><ETag>{etag}</ETag><Size>7</Size></Contents></ListBucketResult>"
    ))
}

#[tokio::test]
async fn a_bucket_is_listed_by_its_tokens_and_signed_for_at_the_moment_of_use() {
    let server = Server::start(bucket).await;
    let settings = [("url", server.url.as_str()), ("bucket", "frames"), ("prefix", "night/")];
    let keys: &[(&str, &str)] = &[("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "topsecret")];
    let source = shipped("s3-bucket", &settings, keys);
    let frames = whole(&source, &july()).await;
    assert_eq!(names(&frames), ["a b.fits", "b+c.fits.fz"]);
    assert_eq!(frames[0].checksum.unwrap().to_string(), format!("md5:{MD5}"));
    assert_eq!(frames[1].checksum, None, "the tag of what was put in parts is no digest");
    assert!(frames[0].download.is_none(), "a signature is made when it is used");
    let download = source.resolve(&frames[1]).await.unwrap();
    assert_eq!(download.url, server.at("/frames/night/b%2Bc.fits.fz"));
    assert!(download.expires.is_some() && download.headers.iter().any(|(name, _)| name == "authorization"));
    for came in server.came() {
        assert_eq!((came.path.as_str(), came.parameter("prefix")), ("/frames", Some("night/")));
        let authorization = came.header("authorization").unwrap();
        assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{authorization}");
        assert!(!authorization.contains("topsecret"));
    }
    assert_eq!(server.came()[1].parameter("continuation-token"), Some("t/1"));

    let anyone = shipped("s3-bucket", &settings, &[]);
    let frames = whole(&anyone, &july()).await;
    assert!(frames[0].download.as_ref().unwrap().headers.is_empty());
    assert_eq!(server.came().last().unwrap().header("authorization"), None);
}

#[tokio::test]
async fn a_store_that_checks_signatures_lists_its_objects_and_hands_them_out() {
    let s3 = LocalS3::start().await;
    let location = s3.folder().join("night");
    std::fs::create_dir_all(&location).unwrap();
    let names_of_files = ["a b+c~d.fits", "é.fits.fz", "notes.txt"];
    for name in names_of_files {
        std::fs::write(location.join(name), name).unwrap();
    }
    let endpoint = s3.endpoint();
    let settings = [("url", endpoint.as_str()), ("bucket", BUCKET), ("prefix", "night/")];
    let source = shipped("s3-bucket", &settings, &[("AWS_ACCESS_KEY_ID", KEY_ID), ("AWS_SECRET_ACCESS_KEY", SECRET)]);
    let mut frames = whole(&source, &Query::default()).await;
    frames.sort_by(|one, other| one.name.cmp(&other.name));
    assert_eq!(names(&frames), names_of_files[..2]);
    for frame in &frames {
        let download = source.resolve(frame).await.unwrap();
        let response = source.http().get(&download, None, None).await.unwrap();
        let chunks: Vec<axum::body::Bytes> = response.body.try_collect().await.unwrap();
        assert_eq!(chunks.concat(), frame.name.as_bytes());
    }
    let wrong = shipped("s3-bucket", &settings, &[("AWS_ACCESS_KEY_ID", KEY_ID), ("AWS_SECRET_ACCESS_KEY", "wrong")]);
    let (_, errors) = all(&wrong, &Query::default()).await;
    assert_eq!(errors[0].category(), Category::Denied, "{}", errors[0]);
}

fn record(server: &str, id: u32, files: &[&str]) -> Value {
    let file = |name: &&str| json!({"key": name, "size": 7, "checksum": format!("md5:{MD5}"), "links": {"self": format!("{server}/api/records/{id}/files/{name}/content")}});
    let files: Vec<Value> = files.iter().map(file).collect();
    json!({"id": id, "created": "2024-07-15T01:00:00.123456+00:00", "doi": format!("10.5281/zenodo.{id}"), "metadata": {"title": "Frames"}, "files": files})
}

#[tokio::test]
async fn records_of_zenodo_are_listed_file_by_file() {
    let server = Server::start(|came| {
        let here = format!("http://{}", came.header("host").unwrap());
        let (hits, next) = match came.parameter("page") {
            None => (
                vec![record(&here, 1, &["a.fits", "b.fits"]), record(&here, 2, &[])],
                Some(format!("{here}/api/records?page=2")),
            ),
            Some(_) => (vec![record(&here, 3, &["a.fits"])], None),
        };
        page(&json!({"hits": {"hits": hits, "total": 3}, "links": {"next": next}}).to_string())
    })
    .await;
    let settings = [("url", server.url.as_str()), ("search", "communities:astronomy")];
    let source = shipped("zenodo", &settings, &[("ZENODO_TOKEN", "topsecret")]);
    let frames = whole(&source, &july()).await;
    assert_eq!(frames.iter().map(|frame| frame.id.as_str()).collect::<Vec<_>>(), ["1/a.fits", "1/b.fits", "3/a.fits"]);
    assert_eq!((frames[0].size, frames[0].checksum.unwrap().to_string()), (Some(7), format!("md5:{MD5}")));
    assert_eq!((&frames[2].fields["doi"], &frames[2].fields["record"]), (&json!("10.5281/zenodo.3"), &json!(3)));
    assert_eq!(frames[0].download.as_ref().unwrap().headers.len(), 1);
    let came = server.came();
    let search = "(communities:astronomy) AND created:[\"2024-07-14T00:00:00\" TO \"2024-07-18T00:00:00\"]";
    assert_eq!(came[0].parameter("q"), Some(search));
    assert!(came.iter().all(|came| came.header("authorization") == Some("Bearer topsecret")));
    let half = Query { end: None, ..july() };
    assert_eq!(whole(&source, &half).await.len(), 3, "with one bound only, the list is cut here");
    assert_eq!(server.came()[2].parameter("q"), Some("communities:astronomy"));
}

#[tokio::test]
async fn the_archive_of_eso_is_asked_in_adql_by_halves_until_nothing_is_cut() {
    let server = Server::start(|came| {
        if came.path == "/datalink" {
            assert_eq!(came.parameter("ID"), Some("ADP.1"));
            let row = |url: &str, semantics: &str| format!("<TR><TD>{url}</TD><TD>{semantics}</TD></TR>");
            let rows = row("http://h/preview", "#preview") + &row("http://127.0.0.1:1/file/ADP.1", "#this");
            return page(&format!("<VOTABLE><RESOURCE><TABLE><FIELD name=\"access_url\" datatype=\"char\" arraysize=\"*\"/><FIELD name=\"semantics\" datatype=\"char\" arraysize=\"*\"/><DATA><TABLEDATA>{rows}</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"));
        }
        let query = &came.form()["QUERY"];
        let bound = |words: &str| query.split(words).nth(1).unwrap().split(' ').next().unwrap().parse::<f64>().unwrap();
        let (start, end) = (bound("t_min >= "), bound("t_min <= "));
        let all = [(1, 60505.25), (2, 60506.0), (3, 60507.5)];
        let within: Vec<_> = all.iter().filter(|(_, at)| (start..=end).contains(at)).collect();
        let status = if within.len() > 1 { "OVERFLOW" } else { "OK" };
        let here = came.header("host").unwrap();
        let rows: String = within
            .iter()
            .take(1)
            .map(|(id, at)| format!("<TR><TD>ADP.{id}</TD><TD>http://{here}/datalink?ID=ADP.{id}</TD><TD>{at}</TD><TD>NGC 1 &amp; 2</TD></TR>"))
            .collect();
        page(&format!("<?xml version=\"1.0\"?><VOTABLE><RESOURCE type=\"results\"><INFO name=\"QUERY_STATUS\" value=\"{status}\"/><TABLE><FIELD name=\"dp_id\" datatype=\"char\" arraysize=\"*\"/><FIELD name=\"access_url\" datatype=\"char\" arraysize=\"*\"/><FIELD name=\"t_min\" datatype=\"double\"/><FIELD name=\"target_name\" datatype=\"char\" arraysize=\"*\"/><DATA><TABLEDATA>{rows}</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"))
    })
    .await;
    let source = shipped("eso-tap", &[("url", server.url.as_str())], &[]);
    let query = Query { target: Some("Barnard's star".to_owned()), ..july() };
    let frames = whole(&source, &query).await;
    assert_eq!(names(&frames), ["ADP.1.fits", "ADP.2.fits", "ADP.3.fits"]);
    assert_eq!(frames[0].fields["target_name"], "NGC 1 & 2");
    assert_eq!(frames[0].fields["observation_date"], "2024-07-14T06:00:00Z");
    assert!(frames[0].download.is_none());
    let download = source.resolve(&frames[0]).await.unwrap();
    assert_eq!(download.url.as_str(), "http://127.0.0.1:1/file/ADP.1");
    let form = server.came()[0].form();
    assert!(
        form["QUERY"].contains("target_name = 'Barnard''s star'") && !form["QUERY"].contains("proposal_id ="),
        "{}",
        form["QUERY"]
    );
    assert_eq!((form["LANG"].as_str(), form["MAXREC"].as_str()), ("ADQL", "10000"));
}

#[tokio::test]
async fn mast_is_asked_for_observations_and_then_for_the_products_of_each() {
    let number = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let server = Server::start(move |came| {
        let request: Value = serde_json::from_str(&came.form()["request"]).unwrap();
        if number.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 {
            return page(r#"{"status": "EXECUTING", "data": []}"#);
        }
        if request["service"] == "Mast.Caom.Products" {
            let id = request["params"]["obsid"].as_u64().unwrap();
            let file = |name: String, kind: &str| json!({"dataURI": format!("mast:HST/product/{name}"), "productFilename": name, "size": 7, "productType": kind});
            // A product may belong to several observations.
            let shared = file("shared.fits".to_owned(), "SCIENCE");
            let data = json!([file(format!("o{id}.fits"), "SCIENCE"), file(format!("o{id}.jpg"), "PREVIEW"), shared]);
            return page(&json!({"status": "COMPLETE", "data": data}).to_string());
        }
        let page_number = request["page"].as_u64().unwrap();
        assert_eq!(request["pagesize"], 1000);
        let row = json!({"obsid": page_number, "t_min": 60506.5, "target_name": "M31", "instrument_name": "WFC3"});
        let data = if page_number <= 2 { json!([row]) } else { json!([]) };
        page(&json!({"status": "COMPLETE", "data": data, "paging": {"rowsFiltered": 2}}).to_string())
    })
    .await;
    let source =
        shipped("mast", &[("url", server.url.as_str()), ("collection", "HST")], &[("MAST_API_TOKEN", "topsecret")]);
    let query = Query { target: Some("M31".to_owned()), ..july() };
    let frames = whole(&source, &query).await;
    assert_eq!(names(&frames), ["o1.fits", "shared.fits", "o2.fits"]);
    let url = &frames[0].download.as_ref().unwrap().url;
    assert_eq!(url.query_pairs().next().unwrap().1, "mast:HST/product/o1.fits");
    assert_eq!((frames[0].size, &frames[0].fields["instrument_id"]), (Some(7), &json!("WFC3")));
    let came = server.came();
    assert!(came.iter().all(|came| came.method == "POST" && came.header("authorization") == Some("token topsecret")));
    let first: Value = serde_json::from_str(&came[0].form()["request"]).unwrap();
    let filters = json!([
        {"paramName": "obs_collection", "values": ["HST"]},
        {"paramName": "t_min", "values": [{"min": 60505.0, "max": 60509.0}]},
        {"paramName": "target_name", "values": ["M31"]},
    ]);
    assert_eq!(first["params"]["filters"], filters);
}

#[tokio::test]
async fn a_manifest_of_checksums_names_files_and_what_they_must_be() {
    let server = Server::start(|_| {
        page(&format!("{MD5}  20240715/a.fits\n{MD5} *20230715/b.fits\n{MD5}  c.fits\n{MD5}  ../../etc/passwd\n"))
    })
    .await;
    let settings = [("manifest", server.at("/MD5SUMS").to_string()), ("url", server.at("/data").to_string())];
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let source = shipped("checksum-manifest", &settings, &[]);
    let (frames, errors) = all(&source, &july()).await;
    assert_eq!(names(&frames), ["a.fits", "c.fits"], "a file that says no date is among them");
    assert_eq!(frames[0].checksum.unwrap().to_string(), format!("md5:{MD5}"));
    assert_eq!(frames[0].download.as_ref().unwrap().url, server.at("/data/20240715/a.fits"));
    assert_eq!(errors.len(), 1);
    assert!(errors[0].is_about_one_frame() && errors[0].to_string().contains("leaves its folder"), "{}", errors[0]);
}

/// A definition of a JSON archive, with `pages` and whatever else a test adds.
fn json_archive(pages: &str, more: &str) -> String {
    format!(
        "name: test\nsettings: {{url: }}\nrequest:\n  url: '{{settings.url}}/list'\n  query: {{offset: '{{offset}}', page: '{{page}}', n: '{{limit}}', cursor: '{{cursor}}'}}\n\
         {pages}\ndecode:\n  json: {{rows: items}}\nfields:\n  id: '{{row.id}}'\n  name: 'f{{row.id}}.fits'\n  url: '{{settings.url}}/f{{row.id}}'\n{more}\n"
    )
}

fn items(range: impl Iterator<Item = usize>) -> Vec<Value> {
    range.filter(|id| *id < 25).map(|id| json!({"id": id})).collect()
}

#[tokio::test]
async fn every_way_of_paging_leads_to_the_end_of_the_list() {
    let server = Server::start(|came| {
        let number = |name: &str| came.parameter(name).map_or(0, |text| text.parse::<usize>().unwrap());
        let by = |start: usize| items(start..start + 10);
        match came.path.as_str() {
            "/offset/list" => page(&json!({"items": by(number("offset")), "total": 25}).to_string()),
            "/page/list" => page(&json!({"items": by((number("page") - 1) * 10), "total": "25"}).to_string()),
            "/cursor/list" => {
                let start = number("cursor");
                let next = (start < 20).then_some(start + 10);
                page(&json!({"items": by(start), "next": next}).to_string())
            }
            "/link/list" => {
                let start = number("from");
                let next = (start < 20).then(|| format!("https://{}/link/list?from={}", "127.0.0.1", start + 10));
                page(&json!({"items": by(start), "links": {"next": next}}).to_string())
            }
            _ => {
                let start = number("from");
                let next =
                    format!("</header/list?from=0>; rel=\"first\", </header/list?from={}>; rel=\"next\"", start + 10);
                let headers = if start < 20 { vec![("link", next.as_str())] } else { vec![] };
                answer(200, &headers, json!({"items": by(start)}).to_string())
            }
        }
    })
    .await;
    for (folder, pages) in [
        ("offset", "pages: {offset: {limit: 10}}"),
        ("offset", "pages: {offset: {limit: 10, until: short_page}}"),
        ("offset", "pages: {offset: {limit: 10, until: {count: total}}}"),
        ("page", "pages: {page: {limit: 10}}"),
        ("page", "pages: {page: {limit: 10, until: {count: total}}}"),
        ("cursor", "pages: {cursor: {at: next}}"),
        ("link", "pages: {next_link: {at: links.next}}"),
        ("header", "pages: link_header"),
    ] {
        let source = open(&json_archive(pages, ""), &[("url", server.at(folder).as_str())], &[]).unwrap();
        let frames = whole(&source, &Query::default()).await;
        assert_eq!(frames.len(), 25, "{folder}: {pages}");
        assert_eq!(frames[24].name, "f24.fits");
    }
}

#[tokio::test]
async fn a_list_that_cannot_be_shown_to_be_whole_ends_in_an_error() {
    for (body, pages, words) in [
        (json!({"items": items(0..10), "total": 25}), "pages: {offset: {limit: 10}}", "repeat"),
        (json!({"items": [], "total": 25}), "pages: {offset: {limit: 10, until: {count: total}}}", "0 of 25"),
        (json!({"items": items(0..10), "total": 25}), "pages: {next_link: {at: next, count: total}}", "10 of 25"),
        (json!({"items": items(0..10), "next": "x"}), "pages: {cursor: {at: next}}", "repeat"),
        (
            json!({"items": items(0..10), "next": "http://elsewhere.example/"}),
            "pages: {next_link: {at: next}}",
            "another host",
        ),
        (json!({"items": items(0..10)}), "pages: {maxrec: {limit: 10}}", "cut"),
    ] {
        let server = Server::start(move |_| page(&body.to_string())).await;
        let source = open(&json_archive(pages, ""), &[("url", server.url.as_str())], &[]).unwrap();
        let (frames, errors) = all(&source, &Query::default()).await;
        assert!(frames.len() <= 10);
        assert!(matches!(errors[..], [SourceError::Unsteady { .. }]), "{pages}: {errors:?}");
        assert!(errors[0].to_string().contains(words), "{}", errors[0]);
    }
}

#[tokio::test]
async fn pages_of_what_is_not_wanted_do_not_end_a_list() {
    let server = Server::start(|came| {
        let offset: usize = came.parameter("offset").unwrap().parse().unwrap();
        let rows = (offset..offset + 5).filter(|id| *id < 50).map(|id| match id {
            49 => json!({"id": id}),
            _ if id % 10 < 5 => json!({"id": id, "preview": true}),
            _ => json!({"number": id}),
        });
        page(&json!({"items": rows.collect::<Vec<_>>()}).to_string())
    })
    .await;
    let text = json_archive(
        "pages: {offset: {limit: 5}}",
        "  metadata: {preview: '{row.preview}'}\nfilter: {preview: {$exists: false}}",
    );
    let source = open(&text, &[("url", server.url.as_str())], &[]).unwrap();
    let (frames, errors) = all(&source, &Query::default()).await;
    assert_eq!(names(&frames), ["f49.fits"]);
    assert_eq!(errors.len(), 24, "each row without an id is told");
    assert!(errors.iter().all(SourceError::is_about_one_frame));
}

#[tokio::test]
async fn a_list_that_moves_while_it_is_read_is_read_again() {
    let number = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let server = Server::start(move |came| {
        let offset: usize = came.parameter("offset").unwrap().parse().unwrap();
        // A row comes in at the front after the first page, and pushes one from the first page onto the second.
        let late = usize::from(number.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0);
        page(&json!({"items": items(offset + late..offset + late + 10)}).to_string())
    })
    .await;
    let source = open(&json_archive("pages: {offset: {limit: 10}}", ""), &[("url", server.url.as_str())], &[]).unwrap();
    let frames = whole(&source, &Query::default()).await;
    assert_eq!(frames.len(), 25);
}

#[tokio::test]
async fn what_an_archive_cannot_be_asked_for_is_looked_for_here_or_refused() {
    let server =
        Server::start(|_| page(&json!({"items": [{"id": 1, "who": "a"}, {"id": 2, "who": "b"}]}).to_string())).await;
    let settings = [("url", server.url.as_str())];
    let plain = open(&json_archive("", ""), &settings, &[]).unwrap();
    for query in [
        july(),
        Query { proposal: Some("a".to_owned()), ..Query::default() },
        Query { parameters: BTreeMap::from([("level".to_owned(), "1".to_owned())]), ..Query::default() },
    ] {
        let (frames, errors) = all(&plain, &query).await;
        assert!(frames.is_empty() && matches!(errors[..], [SourceError::Parameter { .. }]), "{errors:?}");
    }
    assert!(server.came().is_empty());
    let mapped = open(&json_archive("", "  metadata: {proposal_id: '{row.who}'}"), &settings, &[]).unwrap();
    let frames = whole(&mapped, &Query { proposal: Some("b".to_owned()), ..Query::default() }).await;
    assert_eq!(names(&frames), ["f2.fits"]);
}

#[tokio::test]
async fn secrets_go_where_the_definition_says_and_to_no_host_that_a_row_names() {
    let server = Server::start(|came| match came.path.as_str() {
        "/token" => {
            assert_eq!(came.form()["client_secret"], "topsecret");
            page(r#"{"access_token": "fresh", "expires_in": 3600}"#)
        }
        _ => page(r#"{"items": [{"id": 1}]}"#),
    })
    .await;
    let settings = [("url", server.url.as_str())];
    const KNOWN: &[(&str, &str)] = &[("KEY", "topsecret"), ("ID", "me")];
    let archive = |auth: &str| json_archive(auth, "");
    let header =
        open(&archive("auth: {header: {name: X-Key, value: '{secret}', secret: KEY}}"), &settings, KNOWN).unwrap();
    let frames = whole(&header, &Query::default()).await;
    assert!(
        frames[0].download.as_ref().unwrap().headers.is_empty(),
        "files are asked for without it unless they should be"
    );
    assert_eq!(server.came()[0].header("x-key"), Some("topsecret"));

    let query =
        open(&archive("auth: {query: {parameter: key, secret: KEY}, to: [query, files]}"), &settings, KNOWN).unwrap();
    let frames = whole(&query, &Query::default()).await;
    let download = frames[0].download.as_ref().unwrap();
    assert!(download.url.query().unwrap().contains("topsecret") && !format!("{download:?}").contains("topsecret"));

    let client = "auth: {oauth: {token_url: '{settings.url}/token', client_id: ID, client_secret: KEY}}";
    let client = open(&archive(client), &settings, KNOWN).unwrap();
    for _ in 0..2 {
        whole(&client, &Query::default()).await;
    }
    assert_eq!(server.came().last().unwrap().header("authorization"), Some("Bearer fresh"));
    assert_eq!(server.came().iter().filter(|came| came.path == "/token").count(), 1, "a token is kept while it holds");

    let elsewhere = archive("auth: {header: {name: X-Key, value: '{secret}', secret: KEY}, to: [query, files]}")
        .replace("url: '{settings.url}/f{row.id}'", "url: 'http://127.0.0.1:1/f{row.id}'");
    let elsewhere = open(&elsewhere, &settings, KNOWN).unwrap();
    assert!(whole(&elsewhere, &Query::default()).await[0].download.as_ref().unwrap().headers.is_empty());

    let absent =
        open(&archive("auth: {header: {name: X-Key, value: '{secret}', secret: NONE}}"), &settings, KNOWN).unwrap_err();
    assert!(matches!(&absent, SourceError::Secret { variable, .. } if variable == "NONE"), "{absent}");
    assert_eq!(absent.category(), Category::Denied);
}

#[test]
fn a_wrong_definition_is_refused_with_the_line_that_is_wrong() {
    let good = json_archive("pages: {offset: {limit: 10}}", "");
    for (from, to, words) in [
        ("decode:", "deocde:", "deocde"),
        ("limit: 10", "limit: ten", "line 6"),
        ("'f{row.id}.fits'", "'f{row.id.fits'", "line 11"),
        ("'f{row.id}.fits'", "'f{row.id.fits'", "a brace is not closed"),
        ("'f{row.id}.fits'", "{from: '{row.id}', match: '('}", "is no pattern"),
        ("'f{row.id}.fits'", "'f{rwo.id}.fits'", "nothing is called 'rwo'"),
        ("'f{row.id}.fits'", "{frm: '{row.id}', match: 'x'}", "unknown field `frm`"),
        ("offset: {limit", "offzet: {limit", "line 6"),
        ("json: {rows: items}", "json: {rows: 'a..b'}", "line 8"),
        ("  id: '{row.id}'\n", "", "id"),
        ("name: test", "name: [", "line"),
        ("url: '{settings.url}/f{row.id}'", "size: 7", "transfer.link"),
    ] {
        assert!(good.contains(from), "{from}");
        let error = Definition::parse("wrong.yaml", &good.replacen(from, to, 1)).unwrap_err();
        assert!(error.to_string().contains(words) && error.to_string().contains("wrong.yaml"), "{to}: {error}");
    }
    let filtered = format!("{good}filter:\n  name: {{$regexx: x}}\n");
    assert!(Definition::parse("wrong.yaml", &filtered).unwrap_err().to_string().contains("regexx"));
}

#[test]
fn settings_that_are_missing_or_unknown_are_told() {
    let text = json_archive("", "");
    let missing = open(&text, &[], &[]).unwrap_err();
    assert!(missing.to_string().contains("url"), "{missing}");
    let unknown = open(&text, &[("url", "http://h/"), ("ulr", "x")], &[]).unwrap_err();
    assert!(unknown.to_string().contains("ulr"), "{unknown}");
    let misspelt = open(&text.replace("'{cursor}'", "'{settings.serch}'"), &[("url", "http://h/")], &[]).unwrap_err();
    assert!(misspelt.to_string().contains("no setting 'serch'"), "{misspelt}");
    let policy = Policy::default();
    let definition = Definition::parse("test", &text.replace("'{settings.url}/list'", "'ftp://h/'")).unwrap();
    let settings = BTreeMap::from([("url".to_owned(), "x".to_owned())]);
    let wrong = Declared::open(definition, &settings, &|_| None, policy, Arc::new(HandClock::default())).unwrap_err();
    assert!(matches!(wrong, SourceError::Address { .. }), "{wrong}");
}

#[test]
fn the_definitions_on_the_page_about_them_are_definitions() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/archive-sources.md");
    let text = std::fs::read_to_string(page).unwrap();
    let blocks: Vec<&str> = text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let whole = blocks.iter().filter(|block| block.contains("name:") && block.contains("request:"));
    assert!(whole.clone().count() > 0);
    for block in whole {
        Definition::parse("the page", block).unwrap();
    }
}

#[tokio::test]
async fn a_definitions_limits_and_lifetimes_are_those_that_are_kept() {
    let server = Server::start(|_| page(r#"{"items": [{"id": 1}]}"#)).await;
    let text = json_archive(
        "",
        "transfer: {ranges: false, expires_after_minutes: 30}\nlimits: {connections: 3, requests_per_second: 50}\nunpack: {'.fz': funpack}\nplace: {any: [thing]}",
    );
    let source = open(&text, &[("url", server.url.as_str())], &[]).unwrap();
    let limits = source.limits();
    assert_eq!((limits.connections, limits.requests_per_second, limits.ranges), (3, Some(50.0), false));
    let frames = whole(&source, &Query::default()).await;
    // The clock stands at the beginning of 2026.
    assert_eq!(frames[0].download.as_ref().unwrap().expires, Some(instant("2026-01-01T00:30:00Z")));
    assert_eq!(source.definition().unpack[".fz"], declared::Unpack::Funpack);
    assert_eq!(source.definition().place, Some(json!({"any": ["thing"]})));
}

#[tokio::test]
async fn a_table_of_text_is_a_list_too() {
    let server =
        Server::start(|_| page("# today\nname;bytes;sha1\na.fits;7;a9993e364706816aba3e25717850c26c9cd0d89d\n")).await;
    let text = "name: table\nsettings: {url: }\nrequest: {url: '{settings.url}/list.csv'}\ndecode:\n  csv: {separator: ';', comment: '#'}\n\
                fields: {id: '{row.name}', name: '{row.name}', url: '{settings.url}/{row.name}', size: '{row.bytes}', checksum: '{row.sha1}'}\n";
    let source = open(text, &[("url", server.url.as_str())], &[]).unwrap();
    let frames = whole(&source, &Query::default()).await;
    assert_eq!((frames[0].name.as_str(), frames[0].size), ("a.fits", Some(7)));
    assert_eq!(frames[0].checksum.unwrap().to_string(), "sha1:a9993e364706816aba3e25717850c26c9cd0d89d");
}
