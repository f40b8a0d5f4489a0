//! `holotype datapoint import mongodump`

use bson::{Document, doc};

use crate::lab::Lab;

/// A dump as `mongodump` writes it: a value, and a file that lay on the old server.
fn dump(lab: &Lab) {
    let documents = [
        doc! {
            "_id": "01M7WHEJCMGV6B9J0D4H1XDJTZ", "label": "temperature", "ownership_info": {}, "data_type": "json",
            "data_timestamp": "2025-03-04T05:06:07.000800", "value": { "celsius": 23.5_f64, "count": 7_i64 },
        },
        doc! {
            "_id": "01M7WHEJQPF9ZW4EHPGTRPDJCM", "label": "scan", "ownership_info": {}, "data_type": "file",
            "data_timestamp": "2025-03-04T05:06:08",
            "path": "/srv/lab/datapoints/2025/3/4/01M7WHEJQPF9ZW4EHPGTRPDJCM_scan.csv",
        },
    ];
    let folder = lab.folder().join("dump/madsci_data");
    std::fs::create_dir_all(&folder).unwrap();
    let bytes: Vec<u8> = documents.iter().flat_map(|document: &Document| document.to_vec().unwrap()).collect();
    std::fs::write(folder.join("datapoints.bson"), bytes).unwrap();
    let files = lab.folder().join("files/2025/3/4");
    std::fs::create_dir_all(&files).unwrap();
    std::fs::write(files.join("01M7WHEJQPF9ZW4EHPGTRPDJCM_scan.csv"), "a,b\n").unwrap();
}

#[test]
fn a_laboratory_is_taken_over_record_by_record_and_file_by_file() {
    let lab = Lab::new();
    dump(&lab);
    let without_files = lab.run(["datapoint", "import", "mongodump", "dump"]);
    assert_eq!(without_files.code, Some(1), "{without_files:#?}");
    assert!(without_files.stderr.contains("left out: 01M7WHEJQPF9ZW4EHPGTRPDJCM"), "{without_files:#?}");

    let words = ["datapoint", "import", "mongodump", "dump", "--files", "/srv/lab/datapoints=files", "--json"];
    let report = lab.run(words).json();
    assert_eq!((&report["imported"], &report["present"], &report["complete"]), (&1.into(), &1.into(), &true.into()));
    let again = lab.run(words).json();
    assert_eq!(
        (&again["imported"], &again["present"], &again["verified"]),
        (&0.into(), &2.into(), &2.into()),
        "{again}"
    );

    assert_eq!(lab.run(["datapoint", "value", "01M7WHEJQPF9ZW4EHPGTRPDJCM"]).text(), "a,b\n");
    assert_eq!(lab.run(["datapoint", "value", "01M7WHEJCMGV6B9J0D4H1XDJTZ"]).text(), r#"{"celsius":23.5,"count":7}"#);
}

#[test]
fn a_laboratory_is_taken_over_beside_a_server_into_a_project() {
    let lab = Lab::new();
    dump(&lab);
    let server = lab.serve();
    lab.run(["project", "create", "old-lab"]).text();
    let words = ["datapoint", "import", "mongodump", "dump", "--files", "/srv/lab/datapoints=files"];
    lab.run([&words[..], &["--project", "old-lab"]].concat()).text();
    assert_eq!(lab.run(["datapoint", "count", "--project", "old-lab"]).text(), "2\n");
    assert_eq!(lab.run(["datapoint", "count"]).text(), "0\n");
    lab.run([&["--server", server.url.as_str()], &words[..]].concat()).fails(2);
    lab.run(["datapoint", "import", "mongodump", "missing"]).fails(2);
}
