//! `holotype lineage`

use crate::lab::Lab;

#[test]
fn a_file_leads_to_its_datapoint_and_back_in_each_way() {
    Lab::each_way(|way| {
        let file = way.lab.file("frame.fits", "light");
        let id = way.run(["datapoint", "submit", "--id", "frame-1", "--file", file.to_str().unwrap()]).line();
        let lineage = way.run(["lineage", "show", &id, "--json"]).json();
        assert_eq!((&lineage["nodes"][0]["kind"], &lineage["nodes"][0]["id"]), (&"datapoint".into(), &id.into()));
        let blob = lineage["nodes"].as_array().unwrap().iter().find(|node| node["kind"] == "blob");
        let digest = blob.unwrap_or_else(|| panic!("{}: no blob in {lineage}", way.name))["id"].as_str().unwrap();

        let shown = way.run(["lineage", "show", digest]);
        assert!(shown.text().contains("datapoint/frame-1"), "{}: {shown:#?}", way.name);
        let prov = way.run(["lineage", "show", "datapoint/frame-1", "--prov", "--json"]).json();
        assert!(prov["entity"].is_object() && prov["prefix"].is_object(), "{}: {prov}", way.name);
        way.run(["lineage", "show", "missing"]).fails(3);
    });
}
