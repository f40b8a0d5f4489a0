//! Schemas and units of labels.

use std::time::Duration;

use holotype_core::Category;
use holotype_datapoints::DatapointError;
use holotype_testkit::on_both_engines;
use serde_json::{Value, json};

use crate::bench::{Bench, PROJECT, value};

async fn put(bench: &Bench, label: &str, schema: Value, unit: Option<&str>) -> Result<(), DatapointError> {
    let unit = unit.map(str::to_owned);
    bench.datapoints.put_label_schema(&bench.owner, PROJECT, label, schema, unit).await.map(drop)
}

on_both_engines! {
    async fn a_value_that_breaks_its_labels_schema_is_refused_with_the_place(bench: Bench) {
        let schema = json!({"type": "object", "properties": {"t": {"type": "array", "items": {"type": "number", "unit": "degC"}}}});
        put(&bench, "temp", schema, None).await.unwrap();
        bench.keep("good", json!({"label": "temp", "value": {"t": [1, 2.5]}})).await;
        let error = bench.submit(value("bad", json!({"label": "temp", "value": {"t": [1, "x"]}}))).await.unwrap_err();
        let DatapointError::Invalid { errors } = &error else { panic!("{error}") };
        assert_eq!(serde_json::to_value(&errors[0].loc).unwrap(), json!(["body", "datapoint", "value", "t", 1]));
        assert!(error.to_string().contains("the schema of label 'temp'"), "{error}");
        bench.keep("other", json!({"label": "Temp", "value": "anything"})).await;
        bench.submit(json!({"data_type": "file", "label": "temp", "_id": "f", "path": "p"})).await.unwrap();
        assert_eq!(bench.query(json!({})).await, ["good", "other", "f"]);
    }

    async fn a_schema_is_replaced_and_removed(bench: Bench) {
        put(&bench, "n", json!({"type": "number"}), Some("mL/min")).await.unwrap();
        let found = bench.datapoints.label_schema(&bench.owner, PROJECT, "n").await.unwrap();
        assert_eq!((found.schema, found.unit.as_deref(), found.agent), (json!({"type": "number"}), Some("mL/min"), bench.owner.user));
        assert!(bench.submit(value("a", json!({"label": "n", "value": "x"}))).await.is_err());
        put(&bench, "n", json!({"type": "string"}), None).await.unwrap();
        bench.keep("a", json!({"label": "n", "value": "x"})).await;
        assert_eq!(bench.datapoints.label_schemas(&bench.owner, PROJECT).await.unwrap().len(), 1);
        bench.datapoints.delete_label_schema(&bench.owner, PROJECT, "n").await.unwrap();
        bench.keep("b", json!({"label": "n", "value": 1})).await;
        let error = bench.datapoints.delete_label_schema(&bench.owner, PROJECT, "n").await.unwrap_err();
        assert_eq!(error.category(), Category::NotFound);
    }

    async fn a_schema_of_another_process_holds_after_a_second(bench: Bench) {
        bench.keep("a", json!({"label": "n", "value": "x"})).await;
        let other = bench.another_process().await;
        other.put_label_schema(&bench.owner, PROJECT, "n", json!({"type": "number"}), None).await.unwrap();
        bench.clock.advance(Duration::from_secs(1));
        assert!(bench.submit(value("b", json!({"label": "n", "value": "x"}))).await.is_err());
    }

    async fn numbers_are_compared_exactly(bench: Bench) {
        let schema = serde_json::from_str(r#"{"maximum": 9007199254740992, "multipleOf": 0.1}"#).unwrap();
        put(&bench, "n", schema, None).await.unwrap();
        bench.keep("a", json!({"label": "n", "value": serde_json::from_str::<Value>("0.3").unwrap()})).await;
        assert!(bench.submit(value("b", json!({"label": "n", "value": 9_007_199_254_740_993_i64}))).await.is_err());
    }

    async fn what_is_no_schema_or_no_unit_is_refused(bench: Bench) {
        for schema in [
            json!({"type": "nothing"}),
            json!(5),
            json!({"$ref": "https://example.com/schema.json"}),
            json!({"$ref": "file:///etc/passwd"}),
            json!({"$ref": "#"}),
            json!({"pattern": "("}),
            json!({"pattern": "(?=x)"}),
            json!({"pattern": "(((a{100}){100}){100}){100}"}),
            json!({"properties": {"t": {"unit": "furlong"}}}),
            json!({"description": "x".repeat(300_000)}),
        ] {
            let error = put(&bench, "n", schema.clone(), None).await.unwrap_err();
            assert_eq!(error.category(), Category::Invalid, "{schema}: {error}");
        }
        assert_eq!(put(&bench, "n", json!(true), Some("furlong")).await.unwrap_err().category(), Category::Invalid);
        for label in ["", "a\0", &"x".repeat(600)] {
            assert_eq!(put(&bench, label, json!(true), None).await.unwrap_err().category(), Category::Invalid);
        }
        assert!(bench.datapoints.label_schemas(&bench.owner, PROJECT).await.unwrap().is_empty());
    }
}
