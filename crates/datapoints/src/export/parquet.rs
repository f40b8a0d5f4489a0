//! The same table with types, compressed: one row group after the other, each written when it is full.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use ::parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use ::parquet::column::writer::ColumnWriter;
use ::parquet::data_type::ByteArray;
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::types::Type;

use crate::DatapointError;
use crate::export::Encoder;
use crate::export::line::{Context, FIRST, LAST, Line};
use crate::model::OWNER_FIELDS;
use crate::table::Candidate;

/// The rows after which a group is written.
const GROUP_ROWS: usize = 10_000;

/// The bytes in memory after which a group is written.
const GROUP_BYTES: usize = 8 * 1024 * 1024;

/// The columns that every datapoint fills.
const REQUIRED: [&str; 3] = ["_id", "data_type", "data_timestamp"];

pub(super) struct Parquet {
    context: Context,
    writer: SerializedFileWriter<Shared>,
    written: Shared,
    lines: Vec<Line>,
    bytes: usize,
}

impl Parquet {
    pub(super) fn new(context: Context) -> Result<Self, DatapointError> {
        let written = Shared::default();
        let level = ZstdLevel::default();
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
        let writer =
            table().and_then(|table| SerializedFileWriter::new(written.clone(), Arc::new(table), Arc::new(properties)));
        Ok(Self { context, writer: writer.map_err(failed)?, written, lines: Vec::new(), bytes: 0 })
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        let lines = std::mem::take(&mut self.lines);
        self.bytes = 0;
        let mut group = self.writer.next_row_group()?;
        let mut number = 0;
        while let Some(mut column) = group.next_column()? {
            match column.untyped() {
                ColumnWriter::Int64ColumnWriter(writer) => {
                    let values = lines.iter().map(|line| line.instant.map(holotype_core::Instant::as_micros));
                    let (values, levels) = dense(values);
                    writer.write_batch(&values, Some(&levels), None)?;
                }
                ColumnWriter::ByteArrayColumnWriter(writer) => {
                    let values = lines.iter().map(|line| text(line, number).map(ByteArray::from));
                    let (values, levels) = dense(values);
                    let is_optional = FIRST.get(number).is_none_or(|name| !REQUIRED.contains(name));
                    writer.write_batch(&values, is_optional.then_some(levels.as_slice()), None)?;
                }
                _ => return Err(ParquetError::General("a column of an unknown type".to_owned())),
            }
            column.close()?;
            number += 1;
        }
        group.close().map(drop)
    }
}

impl Encoder for Parquet {
    fn portion(&mut self, datapoints: Vec<Candidate>) -> Result<Vec<u8>, DatapointError> {
        for datapoint in &datapoints {
            let line = Line::of(datapoint, &self.context)?;
            self.bytes += line.bytes();
            self.lines.push(line);
            if self.lines.len() == GROUP_ROWS || self.bytes >= GROUP_BYTES {
                self.write_group().map_err(failed)?;
            }
        }
        Ok(self.written.take())
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<u8>, DatapointError> {
        if !self.lines.is_empty() {
            self.write_group().map_err(failed)?;
        }
        self.writer.finish().map_err(failed)?;
        Ok(self.written.take())
    }
}

/// The columns and their types.
fn table() -> Result<Type, ParquetError> {
    let names = FIRST.iter().chain(&OWNER_FIELDS).chain(&LAST);
    let columns = names.map(|name| {
        let repetition = if REQUIRED.contains(name) { Repetition::REQUIRED } else { Repetition::OPTIONAL };
        let (physical, logical) = if *name == "instant" {
            (Physical::INT64, LogicalType::timestamp(true, TimeUnit::MICROS))
        } else {
            (Physical::BYTE_ARRAY, LogicalType::String)
        };
        let column =
            Type::primitive_type_builder(name, physical).with_repetition(repetition).with_logical_type(Some(logical));
        Ok(Arc::new(column.build()?))
    });
    Type::group_type_builder("datapoints").with_fields(columns.collect::<Result<_, ParquetError>>()?).build()
}

/// The text in a column that is not `instant`.
fn text(line: &Line, column: usize) -> Option<&str> {
    let cells = line.first.iter().chain([&None]).chain(&line.owners).chain(&line.last);
    cells.into_iter().nth(column).and_then(Option::as_deref)
}

/// The values that are there, and for each place whether one is.
fn dense<T>(values: impl Iterator<Item = Option<T>>) -> (Vec<T>, Vec<i16>) {
    let (mut there, mut levels) = (Vec::new(), Vec::new());
    for value in values {
        levels.push(i16::from(value.is_some()));
        there.extend(value);
    }
    (there, levels)
}

fn failed(error: ParquetError) -> DatapointError {
    DatapointError::Export { problem: error.to_string() }
}

/// Bytes that the writer has written and nobody has taken yet.
#[derive(Debug, Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
