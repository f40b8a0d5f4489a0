//! The corpus of the fuzz targets, replayed: what fuzzing once found, and small files of every kind.

use std::io::Cursor;
use std::path::Path;

use holotype_fits::Hdu;
use holotype_fits::table::Table;
use holotype_fits::unpack::unpack;

#[path = "../../../../fuzz/src/targets.rs"]
#[expect(unreachable_pub, reason = "the fuzz crate gives them to its programs")]
mod targets;

/// A fuzz target.
type Target = fn(&[u8]);

const TARGETS: [(&str, Target); 8] = [
    ("header", targets::header),
    ("hdu", targets::hdu),
    ("image", targets::image),
    ("table", targets::table),
    ("checksum", targets::checksum),
    ("unpack", targets::unpack),
    ("wcs", targets::wcs),
    ("display", targets::display),
];

#[test]
fn every_target_takes_every_file_of_the_corpus() {
    let mut count = 0;
    for folder in ["files", "headers", "found"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(folder);
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            let data = std::fs::read(&path).unwrap();
            for (name, target) in TARGETS {
                eprintln!("{name}: {}", path.display());
                target(&data);
            }
            count += 1;
        }
    }
    assert!(count > 30, "only {count} files");
}

#[test]
fn a_packed_table_is_the_table_that_was_packed() {
    let file = |name: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/files");
        Cursor::new(std::fs::read(folder.join(name)).unwrap())
    };
    let read = |mut source: Cursor<Vec<u8>>| {
        let hdus = Hdu::walk(&mut source).unwrap();
        let table = Table::read(&mut source, &hdus[1]).unwrap();
        let names: Vec<_> = table.columns().iter().map(|column| column.name.clone()).collect();
        let cells: Vec<_> = table.columns().iter().map(|column| table.cells(column).unwrap()).collect();
        (names, format!("{cells:?}"), table.rows())
    };
    let (plain, packed) = (file("table"), file("table-packed"));
    assert_eq!(read(packed.clone()), read(plain.clone()));
    let mut unpacked = Cursor::new(Vec::new());
    let done = unpack(&mut packed.clone(), &mut unpacked).unwrap();
    assert_eq!((done.tables, done.images), (1, 0));
    let data = |mut source: Cursor<Vec<u8>>| {
        let table = Hdu::walk(&mut source).unwrap().swap_remove(1);
        let (start, length) = (table.data_offset as usize, table.data_length as usize);
        source.into_inner()[start..start + length].to_vec()
    };
    assert!(data(unpacked) == data(plain));
}
