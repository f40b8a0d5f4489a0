//! The demonstration laboratory, stored and found again.

use holotype_app::archives::frames::Viewer;
use holotype_app::datapoints::Selection;
use holotype_app::demo::{DemoOptions, fill};
use holotype_core::{Clock, ProjectId};
use holotype_testkit::on_both_engines;
use serde_json::json;

use crate::installation::{Installation, file_bytes, owner};

on_both_engines! {
    async fn the_laboratory_is_stored_and_can_be_asked(installation: Installation) {
        let app = installation.open().await;
        let demo = fill(&app, DemoOptions { seed: 1, end: installation.clock.now() }).await.unwrap();
        assert_eq!((demo.values, demo.files, demo.frames), (373, 8, 14));

        let count = |filter: serde_json::Value| {
            let (app, selection) = (&app, Selection::parse(&filter).unwrap());
            async move { app.datapoints().count(&owner(), ProjectId::DEFAULT, selection).await.unwrap() }
        };
        assert_eq!(count(json!({})).await, 381);
        let cold = count(json!({ "label": "incubator-1", "value.temperature": { "$lt": 36 } })).await;
        assert!((1..60).contains(&cold), "{cold}");
        let growth = json!({ "ownership_info.experiment_id": demo.experiment, "label": "plate-reader-1" });
        assert_eq!(count(growth).await, 25);
        let spectrum = file_bytes(&app, &demo.spectrum).await;
        assert!(spectrum.starts_with(b"wavelength_nm,absorbance\n350,"));
        let target = app.archives().target(Viewer::Public, "demo v1").await.unwrap().unwrap();
        assert!((target.position.right_ascension - 271.05).abs() < 1e-9, "{target:?}");
        assert_eq!(app.datapoints().label_schemas(&owner(), ProjectId::DEFAULT).await.unwrap().len(), 3);
        app.close().await;
    }
}
