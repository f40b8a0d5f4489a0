//! Tables made here, sound and hostile.

use std::io::Cursor;

use super::*;
use crate::Card;
use crate::header::BLOCK;

/// A file with an empty primary and one table of these cards, rows and further data.
fn file(kind: &str, row: usize, rows: usize, columns: &[(&str, Value)], data: &[u8]) -> Cursor<Vec<u8>> {
    let mut bytes = Vec::new();
    crate::write::empty_primary(&mut bytes, &Header::default()).unwrap();
    let whole = |value: usize| Value::Integer(value as i128);
    let beyond = data.len().saturating_sub(row * rows);
    let cards = [
        ("XTENSION", Value::Text(kind.into())),
        ("BITPIX", whole(8)),
        ("NAXIS", whole(2)),
        ("NAXIS1", whole(row)),
        ("NAXIS2", whole(rows)),
        ("PCOUNT", whole(beyond)),
        ("GCOUNT", whole(1)),
    ];
    let fields = columns.iter().filter(|(keyword, _)| keyword.starts_with("TFORM")).count();
    let all = cards.into_iter().chain([("TFIELDS", whole(fields))]).chain(columns.iter().cloned());
    let header: Header = all.map(|(keyword, value)| Card::new(keyword, value, "").unwrap()).collect();
    bytes.extend(header.to_bytes());
    bytes.extend_from_slice(data);
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    Cursor::new(bytes)
}

fn read(mut source: Cursor<Vec<u8>>) -> Result<Table, FitsError> {
    let hdus = Hdu::walk(&mut source)?;
    Table::read(&mut source, &hdus[1])
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[test]
fn columns_are_found_by_name_and_read_by_type() {
    let columns = [
        ("TTYPE1", text("flux")),
        ("TFORM1", text("1E")),
        ("TUNIT1", text("adu")),
        ("TTYPE2", text("name")),
        ("TFORM2", text("4A")),
        ("TTYPE3", text("pair")),
        ("TFORM3", text("2I")),
    ];
    let mut data = Vec::new();
    for (flux, name, pair) in [(1.5_f32, b"ab  ", [1_i16, 2]), (f32::NAN, b"c\0xx", [3, -4])] {
        data.extend(flux.to_be_bytes());
        data.extend(name);
        pair.iter().for_each(|part| data.extend(part.to_be_bytes()));
    }
    let table = read(file("BINTABLE", 12, 2, &columns, &data)).unwrap();
    assert_eq!((table.rows(), table.columns().len(), table.columns()[0].unit.as_deref()), (2, 3, Some("adu")));
    let flux = table.column("FLUX").unwrap().to_reals().unwrap();
    assert!(flux[0] == 1.5 && flux[1].is_nan());
    assert_eq!(table.column("name").unwrap(), Cells::Text(vec!["ab".into(), "c".into()]));
    assert_eq!(table.column("pair").unwrap(), Cells::Integers(vec![Some(1), Some(2), Some(3), Some(-4)]));
    assert_eq!(table.columns()[2].width, 2);
    assert!(matches!(table.column("none"), Err(FitsError::NotFound { .. })));
}

#[test]
fn tables_of_text_are_read_by_their_formats() {
    let columns = [
        ("TTYPE1", text("id")),
        ("TBCOL1", Value::Integer(1)),
        ("TFORM1", text("I4")),
        ("TNULL1", text("-")),
        ("TTYPE2", text("mag")),
        ("TBCOL2", Value::Integer(6)),
        ("TFORM2", text("F6.2")),
        ("TTYPE3", text("name")),
        ("TBCOL3", Value::Integer(12)),
        ("TFORM3", text("A3")),
    ];
    let table = read(file("TABLE", 14, 2, &columns, b"  12  1.5D1abc   -   1234x  ")).unwrap();
    assert_eq!(table.column("id").unwrap(), Cells::Integers(vec![Some(12), None]));
    assert_eq!(table.column("mag").unwrap(), Cells::Reals(vec![15.0, 12.34]));
    assert_eq!(table.column("name").unwrap(), Cells::Text(vec!["abc".into(), "x".into()]));
    let wrong = read(file("TABLE", 14, 1, &columns, b"  x2  1.5D1abc")).unwrap();
    assert!(matches!(wrong.column("id"), Err(FitsError::Damaged { hdu: 1, .. })));
    assert!(read(file("TABLE", 13, 2, &columns, &[b' '; 26])).is_err());
}

fn lists(descriptors: &[(u32, u32)], heap: &[u8]) -> Result<Cells, FitsError> {
    let mut data = Vec::new();
    for (count, offset) in descriptors {
        data.extend(count.to_be_bytes());
        data.extend(offset.to_be_bytes());
    }
    data.extend(heap);
    let columns = [("TTYPE1", text("list")), ("TFORM1", text("1PI(9)"))];
    read(file("BINTABLE", 8, descriptors.len(), &columns, &data))?.column("list")
}

#[test]
fn lists_come_from_the_heap_and_from_nowhere_else() {
    let heap = [0, 1, 0, 2, 0, 3];
    let found = lists(&[(2, 2), (0, 4_000_000_000), (1, 0)], &heap).unwrap();
    let integers = |values: &[i64]| Cells::Integers(values.iter().copied().map(Some).collect());
    assert_eq!(found, Cells::Lists(vec![integers(&[2, 3]), integers(&[]), integers(&[1])]));
    for hostile in [[(4, 0)], [(1, 5)], [(u32::MAX, u32::MAX)]] {
        assert!(matches!(lists(&hostile, &heap), Err(FitsError::Damaged { .. })), "{hostile:?}");
    }
    // Each is within the heap, and together they are far more.
    assert!(matches!(lists(&[(3, 0); 1000], &heap), Err(FitsError::Damaged { .. })));
}

#[test]
fn rows_without_bytes_are_no_rows() {
    let table =
        read(file("BINTABLE", 0, usize::MAX >> 1, &[("TTYPE1", text("x")), ("TFORM1", text("0D"))], &[])).unwrap();
    assert_eq!(table.rows(), 0);
    assert!(table.column("x").unwrap().is_empty());
}
