//! Headers as archives answer them, and the facts that they hold.

use holotype_core::Instant;
use holotype_fits::unpack::plain_header;
use holotype_fits::wcs::Wcs;
use holotype_fits::{FitsError, Hdu, Header, Kind, Value as CardValue, time};
use serde_json::{Map, Number, Value};

use super::name::split_name;

/// Keywords that name other frames: what a frame was made from, and with.
const RELATIVES: [&str; 19] = [
    "L1IDBIAS", "L1IDDARK", "L1IDFLAT", "L1IDSHUT", "L1IDMASK", "L1IDFRNG", "L1IDCAT", "L1IDARC", "L1ID1D", "L1ID2D",
    "L1IDSUM", "L1IDTEMP", "L1IDTRAC", "L1IDAPER", "TARFILE", "ORIGNAME", "ARCFILE", "FLATFILE", "GUIDETAR",
];

/// Cards that are no keyword with a value.
const COMMENTARY: [&str; 5] = ["COMMENT", "HISTORY", "CONTINUE", "END", ""];

/// The header that describes a file, and where on the sky its image lies.
#[derive(Debug, Clone)]
pub(crate) struct Description {
    header: Header,
    pub(crate) area: Option<Vec<[f64; 2]>>,
}

impl Description {
    /// Chooses the header among those of a file: the first that says when it was observed, else the first with an image,
    /// else the first. The area is that of the first image with a position on the sky.
    pub(crate) fn of(hdus: &[Hdu]) -> Self {
        let chosen = hdus
            .iter()
            .find(|hdu| hdu.header.get("DATE-OBS").is_some())
            .or_else(|| hdus.iter().find(|hdu| hdu.is_image()))
            .or_else(|| hdus.first());
        Self { header: chosen.map(plain).unwrap_or_default(), area: hdus.iter().find_map(area) }
    }

    /// The keywords with their values, as JSON.
    pub(crate) fn keywords(&self) -> Map<String, Value> {
        let mut keywords = Map::new();
        for card in self.header.cards() {
            let keyword = card.keyword();
            if let Some(value) = card.value().filter(|_| !COMMENTARY.contains(&keyword)) {
                let value = match RELATIVES.contains(&keyword) {
                    true => relative(value).map_or_else(|| json(value), Value::from),
                    false => json(value),
                };
                // Of a repeated keyword the first counts, as for those who look one up.
                keywords.entry(keyword).or_insert(value);
            }
        }
        keywords
    }

    /// The names of related frames.
    pub(crate) fn related(&self, basename: &str) -> Vec<String> {
        let names = RELATIVES.iter().filter_map(|keyword| self.header.value(keyword).and_then(relative));
        let mut related: Vec<String> = Vec::new();
        for name in names.filter(|name| name != basename && !is_nothing(name)) {
            if !related.contains(&name) {
                related.push(name);
            }
        }
        related
    }

    /// The text of the first of these keywords that has one.
    pub(crate) fn text(&self, keywords: &[&str]) -> Option<String> {
        self.first(keywords, |value| {
            let text = text(value)?;
            (!is_nothing(&text)).then_some(text)
        })
    }

    /// The name of the target: empty where the header says that there was none.
    pub(crate) fn target(&self) -> Option<String> {
        self.first(&["OBJECT"], text).map(|name| if is_nothing(&name) { String::new() } else { name })
    }

    pub(crate) fn integer(&self, keywords: &[&str]) -> Option<i64> {
        self.first(keywords, |value| match value {
            CardValue::Integer(number) => i64::try_from(*number).ok(),
            CardValue::Real(number) if number.fract() == 0.0 && number.abs() < 9e15 => Some(*number as i64),
            CardValue::Text(text) => text.trim().parse().ok(),
            _ => None,
        })
    }

    pub(crate) fn real(&self, keywords: &[&str]) -> Option<f64> {
        self.first(keywords, |value| match value {
            CardValue::Integer(number) => Some(*number as f64),
            CardValue::Real(number) => Some(*number),
            CardValue::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        })
    }

    /// When the exposure began. A date alone is completed by the time of day that other observatories keep apart.
    pub(crate) fn observed(&self) -> Option<Instant> {
        let date = self.text(&["DATE-OBS", "DATE-BEG"])?;
        if date.contains(['T', ' ']) {
            return instant(&date);
        }
        let time = self.text(&["TIME-OBS", "UTSTART", "UT-START", "UT"]);
        time.and_then(|time| instant(&format!("{date}T{time}"))).or_else(|| instant(&date))
    }

    pub(crate) fn instant(&self, keyword: &str) -> Option<Instant> {
        instant(&self.text(&[keyword])?)
    }

    /// The night, which begins before midnight and is told by the observatory alone.
    pub(crate) fn day(&self) -> Option<String> {
        day(&self.text(&["DAY-OBS"])?)
    }

    fn first<T>(&self, keywords: &[&str], read: impl Fn(&CardValue) -> Option<T>) -> Option<T> {
        keywords.iter().find_map(|keyword| self.header.value(keyword).and_then(&read))
    }
}

/// A date and time in the forms of headers and archives; without an offset it is UTC.
pub fn instant(text: &str) -> Option<Instant> {
    time::instant("date", text).ok()
}

/// A day as `YYYY-MM-DD`, from that or from `YYYYMMDD`.
pub fn day(text: &str) -> Option<String> {
    let text = text.trim();
    let dashed = match text.len() {
        8 if text.is_ascii() => format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..]),
        _ => text.to_owned(),
    };
    dashed.parse::<jiff::civil::Date>().ok().map(|date| date.to_string())
}

/// The header of an HDU as it would be if its image were not packed.
fn plain(hdu: &Hdu) -> Header {
    if hdu.kind != Kind::CompressedImage {
        return hdu.header.clone();
    }
    let primary = hdu.header.logical("ZSIMPLE") == Some(true);
    plain_header(&hdu.header, primary).unwrap_or_else(|_: FitsError| hdu.header.clone())
}

/// The outline of an image on the sky. A header that is not understood has none: a position that is slightly wrong is worse.
fn area(hdu: &Hdu) -> Option<Vec<[f64; 2]>> {
    let [.., height, width] = *hdu.shape.as_slice() else { return None };
    if !hdu.is_image() {
        return None;
    }
    let wcs = Wcs::from_header(&plain(hdu)).ok().flatten()?;
    wcs.footprint(width, height).map(|ring| ring.to_vec())
}

/// The name of a frame in a card, without the ending of its file.
fn relative(value: &CardValue) -> Option<String> {
    let name = text(value)?;
    Some(split_name(&name).0.to_owned())
}

fn text(value: &CardValue) -> Option<String> {
    let text = match value {
        CardValue::Text(text) | CardValue::Other(text) => text.clone(),
        CardValue::Integer(number) => number.to_string(),
        CardValue::Real(number) => number.to_string(),
        CardValue::Logical(_) | CardValue::Complex(..) | CardValue::Undefined => return None,
    };
    Some(text.chars().filter(|character| !character.is_control()).collect::<String>().trim().to_owned())
}

/// What headers write where there is nothing to say.
fn is_nothing(text: &str) -> bool {
    matches!(text, "" | "N/A" | "NA" | "n/a" | "UNKNOWN")
}

fn json(value: &CardValue) -> Value {
    match value {
        CardValue::Text(text) | CardValue::Other(text) => text.as_str().into(),
        CardValue::Logical(truth) => (*truth).into(),
        CardValue::Integer(number) => {
            Number::from_i128(*number).map_or_else(|| number.to_string().into(), Value::Number)
        }
        CardValue::Real(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
        CardValue::Complex(re, im) => vec![*re, *im].into(),
        CardValue::Undefined => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_written_with_dashes() {
        assert_eq!(day("20240715").as_deref(), Some("2024-07-15"));
        assert_eq!(day(" 2024-07-15 ").as_deref(), Some("2024-07-15"));
        for text in ["", "20241315", "yesterday", "2024071"] {
            assert_eq!(day(text), None, "{text}");
        }
    }
}
