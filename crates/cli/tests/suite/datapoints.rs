//! `holotype datapoint`

use serde_json::{Value, json};

use crate::lab::Lab;

#[test]
fn a_value_is_stored_found_and_read_in_each_way() {
    Lab::each_way(|way| {
        let id = way.run(["datapoint", "submit", "--label", "temperature", "--value", "21.50"]).line();
        let stored = way.run(["datapoint", "get", &id, "--json"]);
        assert!(stored.text().contains("\"value\":21.50"), "{}: {stored:#?}", way.name);
        assert_eq!(way.run(["datapoint", "value", &id]).text(), "21.50", "{}", way.name);

        let table = way.run(["datapoint", "list", "--label", "temperature"]);
        let rows: Vec<&str> = table.text().lines().collect();
        assert_eq!(rows.len(), 2, "{}: {table:#?}", way.name);
        assert!(rows[0].starts_with("ID ") && rows[1].starts_with(&id) && rows[1].ends_with("21.50"), "{table:#?}");

        let found = way.run(["datapoint", "query", r#"{"value": {"$gt": 21}}"#, "--fields", "label", "--json"]).json();
        assert_eq!(found["items"], json!([{ "_id": id, "label": "temperature" }]), "{}", way.name);
        assert_eq!(way.run(["datapoint", "count"]).text(), "1\n", "{}", way.name);
        assert_eq!(way.run(["datapoint", "count", r#"{"label": "x"}"#, "--json"]).json(), json!({ "count": 0 }));
    });
}

#[test]
fn files_are_kept_byte_for_byte_in_each_way() {
    Lab::each_way(|way| {
        let bytes: Vec<u8> =
            (0..300_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let first = way.lab.file("frame \"ü\".fits", &bytes);
        let second = way.lab.file("frame.log", "lamp on\n");
        let words = ["datapoint", "submit", "--label", "frame", "--file", first.to_str().unwrap()];
        let id = way.run([&words[..], &["--file", second.to_str().unwrap()]].concat()).line();

        let copy = way.lab.folder().join("copy.fits");
        let told = way.run(["datapoint", "value", &id, "-o", copy.to_str().unwrap(), "--json"]).json();
        assert_eq!(told["size"], bytes.len(), "{}", way.name);
        assert!(std::fs::read(&copy).unwrap() == bytes, "{}: the copy differs", way.name);

        let folder = way.lab.folder().join("copies");
        std::fs::create_dir(&folder).unwrap();
        way.run(["datapoint", "value", &id, "-o", folder.to_str().unwrap()]).text();
        assert!(std::fs::read(folder.join("frame \"ü\".fits")).unwrap() == bytes, "{}", way.name);
        assert_eq!(way.run(["datapoint", "value", &id, "--file", "1"]).text(), "lamp on\n", "{}", way.name);
    });
}

#[test]
fn a_copy_does_not_replace_a_file_unless_it_is_forced() {
    let lab = Lab::new();
    let id = lab.run(["datapoint", "submit", "--value", "1"]).line();
    let path = lab.file("there.json", "mine");
    let refused = lab.run(["datapoint", "value", &id, "-o", "there.json"]);
    assert!(refused.fails(4).contains("--force"), "{refused:#?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    lab.run(["datapoint", "value", &id, "-o", "there.json", "--force"]).text();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "1");
}

#[test]
fn every_option_of_a_submission_arrives() {
    let lab = Lab::new();
    let owner = "01JD3Z5N2V8Q0W4X6Y7Z8A9B0C";
    lab.file("value.json", "{\"z\": 123456789012345678901234567890, \"a\": [1.0]}");
    let words = ["datapoint", "submit", "--label", "run", "--value", "@value.json", "--id", "run-1"];
    let more = ["--timestamp", "2026-11-20T08:00:00", "--owner", &format!("experiment={owner}"), "--json"];
    let stored = lab.run([&words[..], &more[..]].concat());
    assert_eq!(
        stored.text(),
        format!(
            "{{\"label\":\"run\",\"ownership_info\":{{\"experiment_id\":\"{owner}\"}},\"data_type\":\"json\",\"_id\":\"run-1\",\
             \"data_timestamp\":\"2026-11-20T08:00:00\",\"value\":{{\"z\":123456789012345678901234567890,\"a\":[1.0]}}}}\n"
        )
    );
    let again = lab.run([&words[..], &more[..4]].concat());
    assert_eq!(again.text(), "run-1\n");
    assert!(again.stderr.contains("nothing was changed"), "{again:#?}");
    lab.run(["datapoint", "submit", "--value", "2", "--id", "run-1"]).fails(4);

    let document = r#"{"label": "whole", "data_type": "json", "value": null, "extra": [true]}"#;
    let stored = lab.run_with_input(["datapoint", "submit", "--document", "-", "--json"], document.as_bytes()).json();
    assert_eq!((&stored["value"], &stored["extra"]), (&Value::Null, &json!([true])));
}

#[test]
fn a_deleted_datapoint_can_be_restored_in_each_way() {
    Lab::each_way(|way| {
        way.run(["datapoint", "submit", "--value", "1", "--id", "a"]).text();
        let plan = way.run(["datapoint", "delete", "a"]);
        assert!(plan.text().contains("json") && plan.stderr.contains("--yes"), "{}: {plan:#?}", way.name);
        assert_eq!(way.run(["datapoint", "count"]).text(), "1\n", "{}", way.name);

        way.run(["datapoint", "delete", "a", "missing", "--yes"]).fails(3);
        assert_eq!(way.run(["datapoint", "count"]).text(), "1\n", "{}: nothing goes when one is missing", way.name);

        assert_eq!(way.run(["datapoint", "delete", "a", "--yes", "--json"]).json()["deleted"], true);
        way.run(["datapoint", "get", "a"]).fails(3);
        assert!(way.run(["datapoint", "list", "--deleted"]).text().contains("\na "), "{}", way.name);
        assert_eq!(way.run(["datapoint", "restore", "a"]).text(), "a\n", "{}", way.name);
        assert_eq!(way.run(["datapoint", "value", "a"]).text(), "1", "{}", way.name);
    });
}

#[test]
fn many_datapoints_go_in_and_come_out_line_by_line_in_each_way() {
    Lab::each_way(|way| {
        let lines: Vec<String> = (0..300)
            .map(|number| format!(r#"{{"_id":"n{number:03}","label":"n","data_type":"json","value":{number},"data_timestamp":"2026-01-01"}}"#))
            .collect();
        let good = way.lab.file("good.ndjson", lines.join("\n"));
        let good = good.to_str().unwrap();
        assert_eq!(way.run(["datapoint", "import", "ndjson", good]).text(), "300 stored, 0 unchanged, 0 refused\n");
        assert_eq!(way.run(["datapoint", "import", "ndjson", good]).text(), "0 stored, 300 unchanged, 0 refused\n");

        let bad = way.lab.file(
            "bad.ndjson",
            "{\"data_type\":\"json\",\"value\":1}\nnonsense\n{\"data_type\":\"json\",\"value\":2}\n",
        );
        let refused = way.run(["datapoint", "import", "ndjson", bad.to_str().unwrap()]);
        assert!(refused.fails(2).contains("line 2: "), "{}: {refused:#?}", way.name);
        assert_eq!(refused.stdout, "2 stored, 0 unchanged, 1 refused\n", "{}", way.name);

        let exported = way.run(["datapoint", "export", "--filter", r#"{"label": "n"}"#]);
        assert_eq!(exported.text().lines().count(), 300, "{}", way.name);
        let listed =
            way.run(["datapoint", "list", "--label", "n", "--sort", "sequence", "--limit", "299", "--json"]).json();
        assert_eq!(listed["items"].as_array().unwrap().len(), 299, "{}", way.name);
        assert!(listed["next"].is_string(), "{}", way.name);

        let csv = way.lab.folder().join("n.csv");
        way.run(["datapoint", "export", "--format", "csv", "-o", csv.to_str().unwrap()]).text();
        assert!(std::fs::read_to_string(&csv).unwrap().contains("n299"), "{}", way.name);
        let parquet = way.lab.folder().join("n.parquet");
        way.run(["datapoint", "export", "--format", "parquet", "-o", parquet.to_str().unwrap()]).text();
        assert!(std::fs::read(&parquet).unwrap().starts_with(b"PAR1"), "{}", way.name);
    });
}

#[test]
fn a_label_can_have_a_schema_in_each_way() {
    Lab::each_way(|way| {
        let set = ["datapoint", "schema", "set", "temperature", r#"{"type": "number"}"#, "--unit", "degC"];
        assert_eq!(way.run(set).text(), "temperature\n", "{}", way.name);
        let refused = way.run(["datapoint", "submit", "--label", "temperature", "--value", "\"cold\""]);
        assert!(refused.fails(2).contains("error: "), "{}: {refused:#?}", way.name);
        assert!(way.run(["datapoint", "schema", "show", "temperature"]).text().starts_with("unit: degC\n{\n"));
        assert!(way.run(["datapoint", "schema", "list"]).text().contains("degC"), "{}", way.name);
        way.run(["datapoint", "schema", "delete", "temperature"]).text();
        way.run(["datapoint", "schema", "show", "temperature"]).text();
        way.run(["datapoint", "schema", "delete", "temperature", "--yes"]).text();
        way.run(["datapoint", "schema", "show", "temperature"]).fails(3);
    });
}

#[test]
fn a_tail_prints_what_arrives() {
    use std::io::{BufRead, BufReader};
    let lab = Lab::new();
    let refused = lab.run(["datapoint", "tail"]);
    assert!(refused.fails(2).contains("holotype serve"), "{refused:#?}");

    let _server = lab.serve();
    let mut command = lab.command();
    command.args(["datapoint", "tail", r#"{"label": "a"}"#, "--count", "1"]);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut tail = command.spawn().unwrap();
    // Only when it says so does it hear everything.
    let mut stderr = BufReader::new(tail.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert!(line.contains("waiting"), "{line}");

    lab.run(["datapoint", "submit", "--label", "b", "--value", "1"]).text();
    let id = lab.run(["datapoint", "submit", "--label", "a", "--value", "2"]).line();
    let output = tail.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(text.contains(&id) && text.ends_with("2\n") && text.lines().count() == 1, "{text}");
}
