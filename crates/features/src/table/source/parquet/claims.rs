//! What a Parquet file claims of itself, held against its size before room is made for it.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};

use parquet::basic::CompressionCodec;
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};

use super::thrift;

/// Octets of a page when it is unpacked; the library makes room for what a page claims. Writers cut pages at about one mebibyte.
const PAGE_OCTETS_MAX: u64 = 64 << 20;
/// Cells that an octet of a file may stand for. One value over and over, in pages as long as a row group, is the most that writers
/// reach: some thousands.
const CELLS_PER_OCTET: u64 = 10_000;

/// The footer ends in its own length and four octets of magic; a file without it is the library's to refuse.
pub(super) fn check_footer(mut file: &File, octets: u64) -> Result<(), ParquetError> {
    const TAIL: u64 = 8;
    let Some(tail_start) = octets.checked_sub(TAIL) else { return Ok(()) };
    let mut length = [0; 4];
    file.seek(SeekFrom::Start(tail_start))?;
    file.read_exact(&mut length)?;
    let length = u64::from(u32::from_le_bytes(length));
    let Some(start) = tail_start.checked_sub(length) else { return Ok(()) };
    let mut footer = Vec::new();
    file.seek(SeekFrom::Start(start))?;
    file.take(length).read_to_end(&mut footer)?;
    Ok(thrift::check_footer(&footer)?)
}

/// Walks the headers of a chunk's pages; costs one short read a page.
pub(super) fn check_pages(
    mut file: &File,
    chunk: &ColumnChunkMetaData,
    rows: u64,
    list: bool,
) -> Result<(), ParquetError> {
    let refuse = |problem: String| {
        let name = chunk.column_path().string();
        Err(ParquetError::General(format!("column {name}: {problem}")))
    };
    let (mut start, length) = chunk.byte_range();
    let end = start + length;
    let mut values = 0_u64;
    while start < end {
        file.seek(SeekFrom::Start(start))?;
        let header = thrift::check_page_header(BufReader::new(file))?;
        if header.unpacked_octets > PAGE_OCTETS_MAX {
            let (octets, mebi) = (header.unpacked_octets, PAGE_OCTETS_MAX >> 20);
            return refuse(format!(
                "a page claims {octets} octets when unpacked, and no more than {mebi} MiB are read; write it with smaller pages"
            ));
        }
        values = values.saturating_add(header.values);
        start = start.saturating_add(header.header_octets).saturating_add(header.page_octets);
    }
    if list && values > length.saturating_mul(CELLS_PER_OCTET) {
        return refuse(format!("{values} values are claimed in {length} octets"));
    }
    if !list && values != rows {
        return refuse(format!("its pages hold {values} values, and its row group {rows} rows"));
    }
    Ok(())
}

/// The rows that a file claims must be in some proportion to its size: a column that says one thing over and over needs few octets, but
/// not none.
pub(super) fn check_rows(
    reader: &SerializedFileReader<File>,
    octets: u64,
) -> Result<(), ParquetError> {
    let columns = reader.metadata().file_metadata().schema_descr().num_columns() as u64;
    let mut rows = 0_u64;
    for group in reader.metadata().row_groups() {
        let Ok(own) = u64::try_from(group.num_rows()) else {
            return Err(ParquetError::General("a row group of fewer rows than none".to_string()));
        };
        rows = rows.saturating_add(own);
    }
    if rows.saturating_mul(columns) > octets.saturating_mul(CELLS_PER_OCTET) {
        return Err(ParquetError::General(format!(
            "{rows} rows of {columns} columns are claimed in {octets} octets, more than any program writes"
        )));
    }
    Ok(())
}

/// Where column chunks lie is the file's own word; the library panics on some that cannot be.
pub(super) fn check_chunks(
    reader: &SerializedFileReader<File>,
    octets: u64,
) -> Result<(), ParquetError> {
    for group in reader.metadata().row_groups() {
        for chunk in group.columns() {
            let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
            let end = u64::try_from(start)
                .ok()
                .zip(u64::try_from(chunk.compressed_size()).ok())
                .and_then(|(start, length)| start.checked_add(length));
            let name = || chunk.column_path().string();
            if end.is_none_or(|end| end > octets) {
                return Err(ParquetError::General(format!(
                    "column {} lies outside the file",
                    name()
                )));
            }
            // Those that the library unpacks no further than a page's claim, which is checked.
            if !matches!(
                chunk.compression_codec(),
                CompressionCodec::UNCOMPRESSED | CompressionCodec::SNAPPY | CompressionCodec::ZSTD
            ) {
                return Err(ParquetError::General(format!(
                    "column {} is compressed with {}, which is not read: write it with snappy or zstd",
                    name(),
                    chunk.compression_codec()
                )));
            }
        }
    }
    Ok(())
}
