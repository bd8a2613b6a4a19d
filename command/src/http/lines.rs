//! A body in lines. A line that cannot be read is an item like any other, so
//! that those after it are still read.

use std::io;

use bytes::{Buf as _, BytesMut};
use tokio_util::codec::Decoder;

/// One line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RawLine {
    /// What it says.
    Text(String),
    /// It is longer than a command may be.
    TooLong,
    /// It is not UTF-8.
    NoText,
}

/// Splits at line feeds. Never holds more than one line of the greatest length.
#[derive(Debug)]
pub(super) struct Lines {
    longest: usize,
    searched: usize,
    /// Whether the rest of a line that is too long is being passed over.
    passing_over: bool,
}

impl Lines {
    /// Lines of at most `longest` bytes.
    pub(super) fn new(longest: usize) -> Self {
        Self { longest, searched: 0, passing_over: false }
    }

    fn line(&mut self, mut bytes: BytesMut) -> RawLine {
        if std::mem::take(&mut self.passing_over) || bytes.len() > self.longest {
            return RawLine::TooLong;
        }
        if bytes.last() == Some(&b'\r') {
            bytes.truncate(bytes.len() - 1);
        }
        String::from_utf8(bytes.to_vec()).map_or(RawLine::NoText, RawLine::Text)
    }
}

impl Decoder for Lines {
    type Item = RawLine;
    type Error = io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> io::Result<Option<RawLine>> {
        if let Some(end) = buffer[self.searched..].iter().position(|byte| *byte == b'\n') {
            let line = buffer.split_to(self.searched + end);
            buffer.advance(1);
            self.searched = 0;
            return Ok(Some(self.line(line)));
        }
        self.searched = buffer.len();
        if self.searched > self.longest {
            self.passing_over = true;
            buffer.clear();
            self.searched = 0;
        }
        Ok(None)
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> io::Result<Option<RawLine>> {
        if let Some(line) = self.decode(buffer)? {
            return Ok(Some(line));
        }
        if buffer.is_empty() && !self.passing_over {
            return Ok(None);
        }
        self.searched = 0;
        let line = buffer.split();
        Ok(Some(self.line(line)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&[u8]]) -> Vec<RawLine> {
        let (mut lines, mut buffer, mut found) = (Lines::new(8), BytesMut::new(), Vec::new());
        for chunk in chunks {
            buffer.extend_from_slice(chunk);
            while let Some(line) = lines.decode(&mut buffer).expect("no error") {
                found.push(line);
            }
            assert!(buffer.len() <= 8, "more than a line is held");
        }
        while let Some(line) = lines.decode_eof(&mut buffer).expect("no error") {
            found.push(line);
        }
        found
    }

    #[test]
    fn a_line_is_a_line_however_it_arrives() {
        let text = |text: &str| RawLine::Text(text.to_owned());
        let whole: &[u8] = b"one\n\ntwo\r\n123456789\nx\xff\nlast";
        let expected =
            [text("one"), text(""), text("two"), RawLine::TooLong, RawLine::NoText, text("last")];
        assert_eq!(lines(&[whole]), expected);
        let bytes: Vec<&[u8]> = whole.chunks(1).collect();
        assert_eq!(lines(&bytes), expected);
        assert_eq!(
            lines(&[b"12345678901", b"2345678901234", b"56\nx"]),
            [RawLine::TooLong, text("x")]
        );
        assert_eq!(lines(&[b"1234567890"]), [RawLine::TooLong]);
        assert_eq!(lines(&[b"a\n"]), [text("a")]);
        assert_eq!(lines(&[]), []);
    }
}
