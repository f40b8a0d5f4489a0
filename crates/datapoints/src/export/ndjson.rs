//! One datapoint's exact JSON text in each line.

use crate::DatapointError;
use crate::export::Encoder;
use crate::table::Candidate;

pub(super) struct Ndjson;

impl Encoder for Ndjson {
    fn portion(&mut self, datapoints: Vec<Candidate>) -> Result<Vec<u8>, DatapointError> {
        let mut bytes = Vec::with_capacity(datapoints.iter().map(|datapoint| datapoint.document.len() + 1).sum());
        for datapoint in datapoints {
            // A document has no line break of its own.
            bytes.extend_from_slice(datapoint.document.as_bytes());
            bytes.push(b'\n');
        }
        Ok(bytes)
    }

    fn finish(self: Box<Self>) -> Result<Vec<u8>, DatapointError> {
        Ok(Vec::new())
    }
}
