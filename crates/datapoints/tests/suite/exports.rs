//! Exports: nothing lost, in flat memory, readable by others.

use futures::TryStreamExt;
use holotype_datapoints::Selection;
use holotype_datapoints::export::Format;
use holotype_testkit::on_both_engines;
use parquet::file::reader::{FileReader, SerializedFileReader};
use serde_json::{Value, json};

use crate::bench::{Bench, PROJECT, ULID};

async fn export(bench: &Bench, format: Format, filter: Value) -> Vec<bytes::Bytes> {
    let selection = Selection::parse(&filter).unwrap();
    bench.datapoints.export(&bench.owner, PROJECT, selection, format).await.unwrap().try_collect().await.unwrap()
}

async fn fill(bench: &Bench) {
    bench
        .datapoints
        .put_label_schema(&bench.owner, PROJECT, "temp", json!(true), Some("degC".to_owned()))
        .await
        .unwrap();
    bench
        .keep("a", json!({"label": "temp", "value": 23.5, "ownership_info": {"lab_id": ULID}, "z": [1, {"k": -0.0}]}))
        .await;
    bench.keep("b", json!({"label": null, "value": "two\nlines, \"quoted\"", "ownership_info": null, "path": 5})).await;
    bench.submit(json!({"label": "f", "data_type": "file", "_id": "c", "path": "/p", "data_timestamp": "2026-01-01T00:00:00Z"})).await.unwrap();
}

on_both_engines! {
    async fn ndjson_is_the_stored_text_line_by_line(bench: Bench) {
        fill(&bench).await;
        let text = String::from_utf8(export(&bench, Format::Ndjson, json!({})).await.concat()).unwrap();
        let mut expected = String::new();
        for id in ["a", "b", "c"] {
            expected.push_str(&bench.datapoints.get(&bench.owner, PROJECT, id).await.unwrap());
            expected.push('\n');
        }
        assert_eq!(text, expected);
        assert_eq!(export(&bench, Format::Ndjson, json!({"label": "none"})).await.concat(), b"");
    }

    async fn csv_has_a_column_for_everything(bench: Bench) {
        fill(&bench).await;
        let bytes = export(&bench, Format::Csv, json!({})).await.concat();
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let header = reader.headers().unwrap().clone();
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let cell = |row: usize, name: &str| rows[row].get(header.iter().position(|column| column == name).unwrap()).unwrap().to_owned();
        assert_eq!(rows.len(), 3);
        assert_eq!((cell(0, "_id"), cell(0, "value"), cell(0, "unit"), cell(0, "lab_id")), ("a".into(), "23.5".into(), "degC".into(), ULID.into()));
        assert_eq!((cell(0, "instant"), cell(0, "extra")), ("2025-12-31T22:00:00Z".into(), r#"{"z":[1,{"k":-0.0}]}"#.into()));
        assert_eq!((cell(1, "label"), cell(1, "value")), (String::new(), r#""two\nlines, \"quoted\"""#.into()));
        assert_eq!((cell(1, "path"), cell(1, "extra")), (String::new(), r#"{"ownership_info":null,"path":5}"#.into()));
        assert_eq!((cell(2, "path"), cell(2, "data_type"), cell(2, "value")), ("/p".into(), "file".into(), String::new()));
        let empty = export(&bench, Format::Csv, json!({"label": "none"})).await.concat();
        assert_eq!(String::from_utf8(empty).unwrap().lines().count(), 1, "an export of nothing has its header");
    }

    async fn parquet_is_read_by_its_reader(bench: Bench) {
        fill(&bench).await;
        let bytes = bytes::Bytes::from(export(&bench, Format::Parquet, json!({})).await.concat());
        let reader = SerializedFileReader::new(bytes).unwrap();
        let rows: Vec<Value> = reader.get_row_iter(None).unwrap().map(|row| json_of(&row.unwrap())).collect();
        assert_eq!(rows.len(), 3);
        assert_eq!((&rows[0]["_id"], &rows[0]["value"], &rows[0]["unit"], &rows[0]["lab_id"]), (&json!("a"), &json!("23.5"), &json!("degC"), &json!(ULID)));
        assert_eq!((&rows[1]["label"], &rows[1]["path"], &rows[1]["extra"]), (&json!(null), &json!(null), &json!(r#"{"ownership_info":null,"path":5}"#)));
        assert_eq!((&rows[2]["path"], &rows[2]["value"], &rows[2]["lab_id"]), (&json!("/p"), &json!(null), &json!(null)));
        assert_eq!(rows[0]["instant"], 1_767_218_400_000_000_i64, "UTC, in microseconds");
        let none = bytes::Bytes::from(export(&bench, Format::Parquet, json!({"label": "none"})).await.concat());
        assert_eq!(SerializedFileReader::new(none).unwrap().metadata().file_metadata().num_rows(), 0);
    }

    async fn a_large_export_comes_in_parts_and_whole(bench: Bench) {
        let lines: String = (0..12_000).map(|number| format!("{}\n", crate::bench::value(&number.to_string(), json!({ "value": number })))).collect();
        let body = futures::stream::iter([Ok::<_, std::io::Error>(bytes::Bytes::from(lines))]);
        let mut results = bench.datapoints.submit_lines(&bench.owner, PROJECT, body).await.unwrap();
        while let Some(line) = futures::StreamExt::next(&mut results).await {
            line.result.unwrap();
        }
        let parts = export(&bench, Format::Ndjson, json!({})).await;
        assert!(parts.len() > 20 && parts.iter().all(|part| part.len() < 5 << 20), "{}", parts.len());
        assert_eq!(String::from_utf8(parts.concat()).unwrap().lines().count(), 12_000);
        let reader = SerializedFileReader::new(bytes::Bytes::from(export(&bench, Format::Parquet, json!({})).await.concat())).unwrap();
        assert_eq!((reader.num_row_groups(), reader.metadata().file_metadata().num_rows()), (2, 12_000));
    }
}

fn json_of(row: &parquet::record::Row) -> Value {
    use parquet::record::Field;
    let members = row.get_column_iter().map(|(name, field)| {
        let value = match field {
            Field::Str(text) => json!(text),
            Field::TimestampMicros(micros) => json!(micros),
            Field::Null => Value::Null,
            other => panic!("an unexpected type: {other:?}"),
        };
        (name.clone(), value)
    });
    Value::Object(members.collect())
}
