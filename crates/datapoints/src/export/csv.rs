//! A table with a header, after RFC 4180. An empty field is a null; text that would look like one cannot be told from it.

use crate::DatapointError;
use crate::export::Encoder;
use crate::export::line::{Context, FIRST, LAST, Line};
use crate::model::OWNER_FIELDS;
use crate::table::Candidate;

pub(super) struct Csv {
    context: Context,
    has_header: bool,
}

impl Csv {
    pub(super) fn new(context: Context) -> Self {
        Self { context, has_header: false }
    }

    fn write(&mut self, lines: &[Line]) -> Result<Vec<u8>, csv::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        if !self.has_header {
            writer.write_record(FIRST.iter().chain(&OWNER_FIELDS).chain(&LAST))?;
            self.has_header = true;
        }
        for line in lines {
            let instant = line.instant.map(|instant| instant.to_string());
            let cells = line.first.iter().chain([&instant]).chain(&line.owners).chain(&line.last);
            writer.write_record(cells.map(|cell| cell.as_deref().unwrap_or_default()))?;
        }
        writer.into_inner().map_err(|error| error.into_error().into())
    }
}

impl Encoder for Csv {
    fn portion(&mut self, datapoints: Vec<Candidate>) -> Result<Vec<u8>, DatapointError> {
        let lines =
            datapoints.iter().map(|datapoint| Line::of(datapoint, &self.context)).collect::<Result<Vec<_>, _>>()?;
        self.write(&lines).map_err(|error| DatapointError::Export { problem: error.to_string() })
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<u8>, DatapointError> {
        // An export of nothing still has its header.
        self.portion(Vec::new())
    }
}
