//! The table of a frame's stars, as the observatory's pipeline writes it.

use std::io::Write;

use holotype_fits::{Card, FitsError, Header, Value};

/// Bytes in a block of a FITS file.
const BLOCK: usize = 2880;

const COLUMNS: [&str; 14] =
    ["x", "y", "xwin", "ywin", "flux", "fluxerr", "peak", "flag", "fwhm", "ellipticity", "ra", "dec", "mag", "magerr"];

/// Rows of real numbers, to be written as a binary table.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    rows: usize,
    data: Vec<u8>,
}

impl Table {
    /// Adds a row.
    pub(super) fn row(&mut self, values: &[f64; COLUMNS.len()]) {
        self.rows += 1;
        self.data.extend(values.iter().flat_map(|value| value.to_be_bytes()));
    }

    /// Writes it as an extension.
    pub(super) fn write(&self, sink: &mut impl Write) -> Result<(), FitsError> {
        let whole = |number: usize| Value::Integer(number as i128);
        let text = |text: &str| Value::Text(text.to_owned());
        let mut header = Header::default();
        for (keyword, value) in [
            ("XTENSION", text("BINTABLE")),
            ("BITPIX", whole(8)),
            ("NAXIS", whole(2)),
            ("NAXIS1", whole(8 * COLUMNS.len())),
            ("NAXIS2", whole(self.rows)),
            ("PCOUNT", whole(0)),
            ("GCOUNT", whole(1)),
            ("TFIELDS", whole(COLUMNS.len())),
            ("EXTNAME", text("CAT")),
        ] {
            header.push(Card::new(keyword, value, "")?);
        }
        for (number, name) in (1..).zip(COLUMNS) {
            header.push(Card::new(&format!("TTYPE{number}"), text(name), "")?);
            header.push(Card::new(&format!("TFORM{number}"), text("1D"), "")?);
        }
        header.write(sink)?;
        sink.write_all(&self.data)?;
        Ok(sink.write_all(&vec![0; self.data.len().next_multiple_of(BLOCK) - self.data.len()])?)
    }
}
