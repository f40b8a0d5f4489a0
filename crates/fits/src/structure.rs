//! The cards that say how an HDU is stored, apart from those that say what it is.

use crate::Card;

/// Cards of the storage of an image, plain or in compressed tiles, and of its sums.
const STORAGE: [&str; 31] = [
    "SIMPLE", "XTENSION", "BITPIX", "NAXIS", "EXTEND", "BLOCKED", "PCOUNT", "GCOUNT", "GROUPS", "TFIELDS", "THEAP",
    "CHECKSUM", "DATASUM", "ZIMAGE", "ZSIMPLE", "ZTENSION", "ZBITPIX", "ZNAXIS", "ZEXTEND", "ZBLOCKED", "ZPCOUNT",
    "ZGCOUNT", "ZHECKSUM", "ZDATASUM", "ZCMPTYPE", "ZMASKCMP", "ZQUANTIZ", "ZDITHER0", "ZSCALE", "ZZERO", "ZBLANK",
];

/// The same, for those that end in a number.
const NUMBERED: [&str; 8] = ["NAXIS", "TTYPE", "TFORM", "TDIM", "ZNAXIS", "ZTILE", "ZNAME", "ZVAL"];

/// Whether a card says how an image is stored.
pub(crate) fn is_storage(card: &Card) -> bool {
    STORAGE.contains(&card.keyword()) || NUMBERED.iter().any(|name| is_numbered(card.keyword(), name))
}

fn is_numbered(keyword: &str, name: &str) -> bool {
    let number = keyword.strip_prefix(name);
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;

    #[test]
    fn storage_is_told_from_content() {
        let is = |keyword: &str| is_storage(&Card::new(keyword, Value::Integer(1), "").unwrap());
        assert!(is("NAXIS") && is("NAXIS12") && is("ZTILE1") && is("DATASUM"));
        assert!(!is("NAXISX") && !is("EXTNAME") && !is("TTYPE") && !is("BZERO") && !is("CRVAL1"));
    }
}
