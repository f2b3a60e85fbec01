//! The rows of a CSV text, as trimmed fields with the line they begin on.

use crate::error::Error;
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// Longer rows are refused: what a field takes beside its text is then a small constant, not a multiple of the file.
const MOST_FIELDS: usize = 1 << 20;

/// The fields of a row, without the white space around them.
#[derive(Debug, Default)]
pub(super) struct Fields {
    text: String,
    /// Where each field begins and ends.
    spans: Vec<(usize, usize)>,
}

impl Fields {
    pub fn len(&self) -> usize {
        self.spans.len()
    }
    pub fn get(&self, i: usize) -> Option<&str> {
        self.spans.get(i).map(|&(start, end)| &self.text[start..end])
    }
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.spans.iter().map(|&(start, end)| &self.text[start..end])
    }
}

/// A row.
#[derive(Debug)]
pub(super) struct Row {
    pub fields: Fields,
    pub line: u64,
}

impl Row {
    pub fn error(&self, name: &str, what: &str) -> Error {
        Error::new(format!("{name}, line {}: {what}", self.line))
    }
}

/// The rows that are left of a text.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    name: &'a str,
    rest: &'a [u8],
    reader: Reader,
    /// Room for a row's text and for where its fields end.
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl<'a> Rows<'a> {
    pub fn new(name: &'a str, text: &'a [u8], delimiter: u8) -> Rows<'a> {
        let reader = ReaderBuilder::new().delimiter(delimiter).build();
        Rows { name, rest: text, reader, bytes: vec![0; 1024], ends: vec![0; 64] }
    }

    /// The next row that is not empty.
    pub fn next(&mut self) -> Result<Option<Row>, Error> {
        // The reader counts what ends the last row, and empty lines, only when it goes on.
        let blank = self.rest.iter().take_while(|b| matches!(b, b'\r' | b'\n'));
        let line = self.reader.line() + blank.filter(|b| **b == b'\n').count() as u64;
        let (mut bytes, mut ends) = (0, 0);
        loop {
            let (result, read, wrote, ended) =
                self.reader.read_record(self.rest, &mut self.bytes[bytes..], &mut self.ends[ends..]);
            self.rest = &self.rest[read..];
            bytes += wrote;
            ends += ended;
            match result {
                // Called again with nothing it learns that there is no more.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.bytes.resize(2 * self.bytes.len(), 0),
                ReadRecordResult::OutputEndsFull if ends >= MOST_FIELDS => {
                    return Err(Error::new(format!("{}, line {line}: more than {MOST_FIELDS} fields", self.name)));
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(None),
            }
        }
        let Ok(text) = std::str::from_utf8(&self.bytes[..bytes]) else {
            return Err(Error::new(format!("{}, line {line}: expected text in UTF-8", self.name)));
        };
        let mut fields = Fields { text: text.to_string(), spans: Vec::with_capacity(ends) };
        let mut start = 0;
        for &end in &self.ends[..ends] {
            let Some(field) = text.get(start..end) else {
                return Err(Error::new(format!("{}, line {line}: expected text in UTF-8", self.name)));
            };
            let from = start + (field.len() - field.trim_start().len());
            fields.spans.push((from, from + field.trim().len()));
            start = end;
        }
        Ok(Some(Row { fields, line }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(u64, Vec<String>)> {
        let mut rows = Rows::new("text", text.as_bytes(), b',');
        std::iter::from_fn(|| rows.next().expect("UTF-8"))
            .map(|r| (r.line, r.fields.iter().map(str::to_string).collect()))
            .collect()
    }

    #[test]
    fn quotes_lines_and_white_space() {
        let text = "a, b ,\"c, d\"\r\n\"say \"\"hi\"\"\",\"two\nlines\",\n1,,3";
        let want = [(1, vec!["a", "b", "c, d"]), (2, vec!["say \"hi\"", "two\nlines", ""]), (4, vec!["1", "", "3"])];
        let got = rows(text);
        assert_eq!(got.len(), want.len());
        for ((line, fields), (want_line, want_fields)) in got.iter().zip(&want) {
            assert_eq!(
                (line, fields.as_slice()),
                (want_line, &want_fields.iter().map(|s| s.to_string()).collect::<Vec<_>>()[..])
            );
        }
    }

    #[test]
    fn long_rows_and_many_fields() {
        let text = format!("{}\n{}", "x".repeat(5000), vec!["7"; 300].join(","));
        let got = rows(&text);
        assert_eq!(got[0].1[0].len(), 5000);
        assert_eq!(got[1].1.len(), 300);
        assert!(got[1].1.iter().all(|f| f == "7"));
    }

    #[test]
    fn bytes_that_are_no_text() {
        let mut rows = Rows::new("text", b"1,2\n\xff,3\n", b',');
        assert!(rows.next().is_ok());
        assert!(rows.next().unwrap_err().to_string().contains("line 2"));
    }
}
