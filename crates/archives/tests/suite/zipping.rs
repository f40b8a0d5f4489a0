//! Zips: written while they are read, with the members that were asked for.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use futures::TryStreamExt as _;
use holotype_archives::frames::{Viewer, ZipOptions};
use holotype_fits::{Hdu, Header, unpack};
use holotype_testkit::on_both_engines;

use crate::bench::{Bench, fits, observed, packed};

async fn unzipped(bench: &Bench, ids: Vec<i64>, options: ZipOptions) -> BTreeMap<String, Vec<u8>> {
    let zip = bench.archives.zip(Viewer::Everything, ids, options).await.unwrap();
    let pieces: Vec<bytes::Bytes> = zip.stream.try_collect().await.unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(pieces.concat())).unwrap();
    let mut members = BTreeMap::new();
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).unwrap();
        let name = member.name().unwrap().strip_prefix(&format!("{}/", zip.name)).unwrap().to_owned();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        members.insert(name, bytes);
    }
    members
}

/// A frame with a table of sources beside its image.
fn with_catalogue() -> Vec<u8> {
    let mut bytes = packed(&observed(0, "p1", "M 31", (10.0, 20.0)), 0);
    let cards = [
        "XTENSION= 'BINTABLE'",
        "BITPIX  = 8",
        "NAXIS   = 2",
        "NAXIS1  = 4",
        "NAXIS2  = 3",
        "PCOUNT  = 0",
        "GCOUNT  = 1",
        "TFIELDS = 1",
        "TFORM1  = '1E      '",
        "EXTNAME = 'CAT     '",
        "END",
    ];
    let mut block: Vec<u8> = cards.iter().flat_map(|card| format!("{card:<80}").into_bytes()).collect();
    block.resize(2880, b' ');
    bytes.extend(block);
    bytes.extend([7; 12]);
    bytes.resize(bytes.len().next_multiple_of(2880), 0);
    bytes
}

on_both_engines! {
    async fn members_are_the_frames_as_they_are_or_unpacked_or_their_catalogues(bench: Bench) {
        let (plain, full) = (fits(&observed(0, "p1", "M 31", (10.0, 20.0)), 1), with_catalogue());
        let a = bench.ingest("a.fits", &plain).await.recorded.frame.0;
        let b = bench.ingest("b.fits.fz", &full).await.recorded.frame.0;
        let as_they_are = unzipped(&bench, vec![b, a, b, 999], ZipOptions::default()).await;
        assert!(as_they_are["a.fits"] == plain && as_they_are["b.fits.fz"] == full && as_they_are.len() == 2);
        let unpacked = unzipped(&bench, vec![a, b], ZipOptions { uncompress: true, catalog_only: false }).await;
        let mut expected = Vec::new();
        unpack::unpack_stream(&mut Cursor::new(&full), &mut expected).unwrap();
        assert!(unpacked["a.fits"] == plain && unpacked["b.fits"] == expected);
        let catalogues = unzipped(&bench, vec![a, b], ZipOptions { uncompress: false, catalog_only: true }).await;
        assert_eq!(catalogues.keys().collect::<Vec<_>>(), ["b-catalog.fits"], "a frame without one is left out");
        let hdus = Hdu::walk(&mut Cursor::new(&catalogues["b-catalog.fits"])).unwrap();
        assert_eq!((hdus.len(), hdus[1].name.as_str(), hdus[0].header.text("OBJECT")), (2, "CAT", Some("M 31")));
        assert_ne!(hdus[0].header, Header::default());
    }

    async fn a_zip_that_nobody_reads_on_ends(bench: Bench) {
        let id = bench.ingest("a.fits", &fits(&[], 1)).await.recorded.frame.0;
        for _ in 0..40 {
            // Each takes a turn, and gives it back when its reader goes.
            loop {
                match bench.archives.zip(Viewer::Everything, vec![id], ZipOptions::default()).await {
                    Ok(zip) => break drop(zip),
                    Err(error) => assert!(error.category().is_transient(), "{error}"),
                }
                tokio::task::yield_now().await;
            }
        }
    }
}
