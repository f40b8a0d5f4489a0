//! A frame as a line of the pipeline's lists: 34 columns read from its primary header.

use holotype_fits::wcs::SkyPosition;
use holotype_fits::{Header, Value, time};

use super::fields::text_of_card;
use super::python;

/// The columns, in the order of the pipeline.
pub(super) const COLUMNS: [&str; 34] = [
    "file",
    "facility_code",
    "proposal_id",
    "object",
    "reqnum",
    "filter",
    "dateobs",
    "exptime",
    "RA",
    "Dec",
    "airmass",
    "pixscale",
    "fwhm",
    "moon_fraction",
    "moon_separation",
    "sky_bkgd",
    "HJD",
    "CTYPE1",
    "CTYPE2",
    "CRPIX1",
    "CRPIX2",
    "CRVAL1",
    "CRVAL2",
    "CUNIT1",
    "CUNIT2",
    "CD1_1",
    "CD1_2",
    "CD2_1",
    "CD2_2",
    "WCSERR",
    "NAXIS1",
    "NAXIS2",
    "WMSCLOUD",
    "processed",
];

/// What a text column says where the header says nothing, as the pipeline has it for a facility it cannot name.
const NO_TEXT: &str = "None";

/// What a numeric column says where the header says nothing: a table with it is still a table of numbers.
const NO_NUMBER: &str = "nan";

/// What the pipeline has for clouds of which its weather station says `UNKNOWN`.
const UNKNOWN_CLOUD: &str = "-9999.99";

/// The line of a frame, without its end. What the header lacks is `None` in a column of text and `nan` in one of numbers;
/// `processed` says whether the photometry of the frame is there already.
pub(super) fn line(file: &str, header: &Header, processed: bool) -> String {
    let position = SkyPosition::from_header(header, "RA", "DEC").ok();
    let degrees = |degrees: Option<f64>| degrees.map_or_else(|| NO_NUMBER.to_owned(), python::real);
    let text = |keyword: &str| header.value(keyword).and_then(text_of_card).unwrap_or_else(|| NO_TEXT.to_owned());
    let number = |keyword: &str| number(header, keyword);
    let cells = [
        file.to_owned(),
        facility_code(header),
        text("PROPID"),
        text("OBJECT"),
        text("REQNUM"),
        text("FILTER"),
        text("DATE-OBS"),
        number("EXPTIME"),
        degrees(position.map(|position| position.right_ascension)),
        degrees(position.map(|position| position.declination)),
        number("AIRMASS"),
        number("PIXSCALE"),
        number("L1FWHM"),
        number("MOONFRAC"),
        number("MOONDIST"),
        number("L1MEAN"),
        degrees(position.and_then(|position| heliocentric_date(header, position))),
        text("CTYPE1"),
        text("CTYPE2"),
        number("CRPIX1"),
        number("CRPIX2"),
        number("CRVAL1"),
        number("CRVAL2"),
        text("CUNIT1"),
        text("CUNIT2"),
        number("CD1_1"),
        number("CD1_2"),
        number("CD2_1"),
        number("CD2_2"),
        number("WCSERR"),
        number("NAXIS1"),
        number("NAXIS2"),
        cloud(header),
        u8::from(processed).to_string(),
    ];
    let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
    cells.join(" ")
}

/// The line that names the columns, without its end.
pub(super) fn heading() -> String {
    COLUMNS.join(" ")
}

/// `site-enclosure-telescope-instrument`; the cameras that were `fl` are called `fa`, as they are now.
fn facility_code(header: &Header) -> String {
    let parts = ["SITEID", "ENCID", "TELID", "INSTRUME"].map(|keyword| header.text(keyword));
    match parts {
        [Some(site), Some(enclosure), Some(telescope), Some(instrument)] => {
            format!("{site}-{enclosure}-{telescope}-{}", instrument.replace("fl", "fa"))
        }
        _ => NO_TEXT.to_owned(),
    }
}

fn heliocentric_date(header: &Header, target: SkyPosition) -> Option<f64> {
    let start = time::instant("DATE-OBS", header.text("DATE-OBS")?).ok()?;
    let middle = time::middle(start, header.real("EXPTIME")?).ok()?;
    Some(time::heliocentric_julian_date(middle, target))
}

fn number(header: &Header, keyword: &str) -> String {
    match header.value(keyword) {
        Some(value @ (Value::Integer(_) | Value::Real(_))) => {
            text_of_card(value).unwrap_or_else(|| NO_NUMBER.to_owned())
        }
        Some(Value::Text(text)) if text.trim().parse::<f64>().is_ok() => text.trim().to_owned(),
        _ => NO_NUMBER.to_owned(),
    }
}

fn cloud(header: &Header) -> String {
    match header.text("WMSCLOUD") {
        Some(text) if text.trim() == "UNKNOWN" => UNKNOWN_CLOUD.to_owned(),
        _ => number(header, "WMSCLOUD"),
    }
}

/// The cell as the table's readers take it: between quotes if it is empty or holds blanks or quotes, and on one line.
fn quoted(cell: &str) -> String {
    let plain =
        !cell.is_empty() && !cell.contains(|c: char| c.is_whitespace() || c.is_control() || c == '"' || c == '#');
    if plain {
        return cell.to_owned();
    }
    let inside: String = cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("\"{}\"", inside.replace('"', "\"\""))
}

/// The cells of a line.
pub(super) fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut rest) = (Vec::new(), line.trim());
    while !rest.is_empty() {
        let cell = match rest.strip_prefix('"') {
            None => {
                let (cell, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                rest = after.trim_start();
                cell.to_owned()
            }
            Some(inside) => {
                let mut cell = String::new();
                let mut characters = inside.char_indices().peekable();
                let mut end = inside.len();
                while let Some((index, character)) = characters.next() {
                    match character {
                        '"' if characters.peek().is_some_and(|(_, next)| *next == '"') => {
                            characters.next();
                            cell.push('"');
                        }
                        '"' => {
                            end = index + 1;
                            break;
                        }
                        other => cell.push(other),
                    }
                }
                rest = inside.get(end..).unwrap_or("").trim_start();
                cell
            }
        };
        cells.push(cell);
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(cards: &[(&str, Value)]) -> Header {
        let mut header = Header::default();
        for (keyword, value) in cards {
            header.set(keyword, value.clone(), None).unwrap();
        }
        header
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn a_frame_is_a_line_of_34_columns() {
        let header = header(&[
            ("INSTRUME", text("fl11")),
            ("SITEID", text("coj")),
            ("ENCID", text("domb")),
            ("TELID", text("1m0a")),
            ("OBJECT", text("Proxima Cen")),
            ("DATE-OBS", text("2024-07-15T13:07:00.000")),
            ("EXPTIME", Value::Real(60.0)),
            ("RA", text("17:47:03.3800")),
            ("DEC", text("-34:11:21.100")),
            ("CD1_2", Value::Real(1e-7)),
            ("WCSERR", Value::Integer(0)),
            ("WMSCLOUD", text("UNKNOWN")),
        ]);
        let cells = cells(&line("x.fits", &header, true));
        assert_eq!(cells.len(), COLUMNS.len());
        let cell = |column: &str| cells[COLUMNS.iter().position(|name| *name == column).unwrap()].as_str();
        assert_eq!(cell("file"), "x.fits");
        assert_eq!(cell("facility_code"), "coj-domb-1m0a-fa11");
        assert_eq!(cell("object"), "Proxima Cen");
        assert_eq!((cell("RA"), cell("Dec")), ("266.76408333333336", "-34.18919444444444"));
        assert!((cell("HJD").parse::<f64>().unwrap() - 2_460_507.052_061_645).abs() < 1e-6);
        assert_eq!((cell("CD1_2"), cell("WCSERR"), cell("WMSCLOUD")), ("1e-07", "0", "-9999.99"));
        assert_eq!((cell("fwhm"), cell("reqnum"), cell("processed")), ("nan", "None", "1"));
    }

    #[test]
    fn a_header_without_anything_is_a_line_too() {
        let line = line("raw.fits", &Header::default(), false);
        assert_eq!(cells(&line).len(), COLUMNS.len());
        assert!(line.starts_with("raw.fits None None None None None None nan nan nan"), "{line}");
    }

    #[test]
    fn whatever_a_header_says_stays_one_cell_of_one_line() {
        for hostile in ["", " ", "a b", "\"", "a\"b", "a\nb", "\t", "#x", "ä ö", "\"\""] {
            let quoted = quoted(hostile);
            assert!(!quoted.contains(['\n', '\r']), "{quoted:?}");
            let read = cells(&format!("x {quoted} y"));
            assert_eq!(read.len(), 3, "{hostile:?} became {quoted:?}");
            assert_eq!(read[1], hostile.replace(['\n', '\t'], " "), "{quoted:?}");
        }
    }
}
