//! `holotype session` and `holotype operation`

use crate::lab::{Lab, Way};

/// A FITS file with a small image named SCI, whose pixels are `level`.
fn frame(level: u8) -> Vec<u8> {
    let cards = [
        "SIMPLE  =                    T",
        "BITPIX  =                    8",
        "NAXIS   =                    2",
        "NAXIS1  =                   60",
        "NAXIS2  =                   48",
        "EXTNAME = 'SCI     '",
        "END",
    ];
    let mut file: Vec<u8> = cards.iter().flat_map(|card| format!("{card:<80}").into_bytes()).collect();
    file.resize(2880, b' ');
    file.extend(vec![level; 60 * 48]);
    file
}

fn number(way: &Way, words: &[&str]) -> String {
    way.run(words).line()
}

#[test]
fn a_night_is_stacked_from_a_script() {
    Lab::each_way(|way| {
        let files: Vec<String> = (1..=3_u8)
            .map(|level| way.lab.file(&format!("m31-{level}.fits"), frame(level)).display().to_string())
            .collect();
        let session = number(way, &["session", "create", "a night", &files[0], &files[1]]);
        assert_eq!(
            way.run(["session", "add", &session, &files[2], &files[0]]).line(),
            format!("session {session} has 3 frames")
        );
        let folder = way.lab.folder().join(format!("out-{}", way.name)).display().to_string();
        let run = way.run(["operation", "run", &session, "Median", "--output", &folder, "--json"]).json();
        assert_eq!((run["status"].as_str(), run["files"].as_array().unwrap().len()), (Some("COMPLETED"), 3), "{run}");
        let fits = format!("{folder}/{}.fits", run["key"].as_str().unwrap());
        assert!(way.run(["fits", "stats", &fits]).text().contains('2'), "{fits}");
        let operation = run["id"].to_string();
        assert!(way.run(["operation", "show", &operation]).text().contains("COMPLETED (100 %)"));
        assert!(way.run(["operation", "list"]).text().contains("Median"));
        assert!(way.run(["session", "show", &session]).text().contains("m31-3"));
        assert!(way.run(["session", "list"]).text().contains("a night"));
        assert!(way.run(["lineage", "show", "operation", &operation]).text().contains("job/"));

        // From an output, and refused.
        let input = format!("input_files={}", run["key"].as_str().unwrap());
        let chained = way.run(["operation", "run", &session, "Normalization", "--input", &input]);
        assert!(chained.text().contains("-1.fits"), "{chained:#?}");
        let refused = way.run(["operation", "run", &session, "Stacking", "--set", "stacking_mode=reproject"]);
        assert!(refused.code == Some(1) && refused.stdout.contains("no celestial coordinates"), "{refused:#?}");
        let wrong = way.run(["operation", "run", &session, "Nope"]);
        assert!(wrong.fails(2).contains("not a valid choice"), "{wrong:#?}");
        way.run(["operation", "run", &session, "Median", "--input", "input_files=nowhere,m31-1"]).fails(2);
        way.run(["operation", "cancel", &operation]).fails(4);
        way.run(["operation", "show", "999999"]).fails(3);

        way.run(["session", "delete", &session]).text();
        way.run(["session", "show", &session]).text();
        way.run(["session", "delete", &session, "--yes"]).text();
        way.run(["session", "show", &session]).fails(3);
    });
}
