//! The little JSON that headers are written in, read strictly.

use crate::error::{Error, Result, bail};
use std::collections::HashSet;
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
    let mut p = Parser { text, at: 0 };
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

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
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
                let mut known = HashSet::new();
                if !self.next_is(b'}') {
                    loop {
                        self.space();
                        let key = self.string()?;
                        if !known.insert(key.clone()) {
                            bail!("the key {key:?} is there twice");
                        }
                        self.expect(b':')?;
                        entries.push((key, self.value(depth)?));
                        if !self.next_is(b',') {
                            break self.expect(b'}')?;
                        }
                    }
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
