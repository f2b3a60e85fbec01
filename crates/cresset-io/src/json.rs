//! The little JSON that headers are written in, read strictly.

use crate::error::{Error, Result, bail};
use std::fmt::Write;

/// What headers hold. Numbers are whole and not negative.
#[derive(Debug, PartialEq)]
pub(crate) enum Json {
    Number(u64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

pub(crate) fn parse(text: &str) -> Result<Json> {
    let mut p = Parser { text, at: 0, memory: text.len().saturating_mul(10).saturating_add(MOST_MEMORY) };
    let value = p.value(4)?;
    p.space();
    if p.at != text.len() {
        bail!("something follows the end of the JSON at byte {}", p.at);
    }
    Ok(value)
}

/// Text in quotes, with what JSON needs escaped.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Values may take ten times the text and this: `[1,1,...` has a value in two bytes.
const MOST_MEMORY: usize = 64 << 20;

/// A key that two entries have.
fn twice(entries: &[(String, Json)]) -> Option<&str> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_unstable_by_key(|&i| &entries[i].0);
    let pair = order.windows(2).find(|pair| entries[pair[0]].0 == entries[pair[1]].0)?;
    Some(&entries[pair[0]].0)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    /// So many bytes the values may still take.
    memory: usize,
}

impl Parser<'_> {
    /// Room for one more in a container that has `len` of this size: it begins with four, and doubles with the old ones still there.
    fn spend(&mut self, len: usize, size: usize) -> Result<()> {
        let bytes = match len {
            0 => 4 * size,
            1..4 => 0,
            _ => 3 * size,
        };
        match self.memory.checked_sub(bytes) {
            Some(left) => self.memory = left,
            None => bail!("the JSON has more values than its size accounts for, at byte {}", self.at),
        }
        Ok(())
    }
    fn space(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace()) {
            self.at += 1;
        }
    }
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
    fn next_is(&mut self, b: u8) -> bool {
        self.space();
        let is = self.peek() == Some(b);
        self.at += usize::from(is);
        is
    }
    fn expect(&mut self, b: u8) -> Result<()> {
        if self.next_is(b) { Ok(()) } else { bail!("{:?} is expected at byte {} of the JSON", b as char, self.at) }
    }
    fn value(&mut self, depth: usize) -> Result<Json> {
        self.space();
        let Some(depth) = depth.checked_sub(1) else { bail!("the JSON is nested too deep at byte {}", self.at) };
        match self.peek() {
            Some(b'"') => Ok(Json::Text(self.string()?)),
            Some(b'0'..=b'9') => {
                let digits = self.text[self.at..].bytes().take_while(u8::is_ascii_digit).count();
                let text = &self.text[self.at..self.at + digits];
                if digits > 1 && text.starts_with('0')
                    || matches!(self.text.as_bytes().get(self.at + digits), Some(b'.' | b'e' | b'E'))
                {
                    bail!("a whole number is expected at byte {} of the JSON", self.at);
                }
                self.at += digits;
                text.parse().map(Json::Number).map_err(|_| Error::new(format!("the number {text} is too large")))
            }
            Some(b'[') => {
                self.at += 1;
                let mut items = Vec::new();
                if !self.next_is(b']') {
                    loop {
                        self.spend(items.len(), size_of::<Json>())?;
                        items.push(self.value(depth)?);
                        if !self.next_is(b',') {
                            break self.expect(b']')?;
                        }
                    }
                }
                Ok(Json::List(items))
            }
            Some(b'{') => {
                self.at += 1;
                let mut entries: Vec<(String, Json)> = Vec::new();
                if !self.next_is(b'}') {
                    loop {
                        self.space();
                        // A number besides, for the order of the keys.
                        self.spend(entries.len(), size_of::<(String, Json)>() + size_of::<usize>())?;
                        let key = self.string()?;
                        self.expect(b':')?;
                        entries.push((key, self.value(depth)?));
                        if !self.next_is(b',') {
                            break self.expect(b'}')?;
                        }
                    }
                }
                if let Some(key) = twice(&entries) {
                    bail!("the key {key:?} is there twice");
                }
                Ok(Json::Object(entries))
            }
            _ => bail!("text, a whole number, a list or an object is expected at byte {} of the JSON", self.at),
        }
    }
    fn string(&mut self) -> Result<String> {
        self.expect(b'"')?;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let Some(n) = rest.find(['"', '\\']) else { bail!("a text in the JSON has no end") };
            if rest[..n].bytes().any(|b| b < 32) {
                bail!("a text in the JSON has a control character");
            }
            out.push_str(&rest[..n]);
            self.at += n + 1;
            if rest.as_bytes()[n] == b'"' {
                return Ok(out);
            }
            let code = self.peek();
            self.at += 1;
            out.push(match code {
                Some(c @ (b'"' | b'\\' | b'/')) => c as char,
                Some(b'n') => '\n',
                Some(b't') => '\t',
                Some(b'r') => '\r',
                Some(b'b') => '\x08',
                Some(b'f') => '\x0c',
                Some(b'u') => self.unicode()?,
                _ => bail!("a text in the JSON has an escape that is not known"),
            });
        }
    }
    fn unicode(&mut self) -> Result<char> {
        let high = self.hex()?;
        let code = match high {
            0xd800..=0xdbff if self.text[self.at..].starts_with("\\u") => {
                self.at += 2;
                let low = self.hex()?;
                match low {
                    0xdc00..=0xdfff => 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00),
                    _ => high,
                }
            }
            _ => high,
        };
        char::from_u32(code).ok_or_else(|| Error::new("a text in the JSON has half a character"))
    }
    fn hex(&mut self) -> Result<u32> {
        let digits = self.text.get(self.at..self.at + 4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        self.at += 4;
        match digits.and_then(|d| u32::from_str_radix(d, 16).ok()) {
            Some(n) => Ok(n),
            None => bail!("a text in the JSON has a damaged escape"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_values_cannot_fill_the_memory() {
        let list = format!("[{}1]", "1,".repeat(2_000_000));
        let refused = parse(&list).unwrap_err().to_string();
        assert!(refused.starts_with("the JSON has more values than its size accounts for, at byte "), "{refused}");
        // A header of long names may have very many.
        let entry = |i| format!("\"layers.{i}.attention.projection.weight\":{{\"shape\":[2,2],\"offsets\":[0,8]}}");
        let entries: Vec<String> = (0..200_000).map(entry).collect();
        assert!(matches!(parse(&format!("{{{}}}", entries.join(","))), Ok(Json::Object(e)) if e.len() == 200_000));
    }
}
