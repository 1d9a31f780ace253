//! Asking a service over HTTP/1.1: one connection, one request after the other; as little as costs the asker nothing.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// Nothing that is asked here takes a server longer.
const PATIENCE: Duration = Duration::from_mins(1);

/// More than any answer here; a longer one is not read.
const OCTETS_MAX: usize = 64 << 20;

/// A connection to a server on this machine.
pub struct Connection {
    stream: BufReader<TcpStream>,
}

/// What a server said.
#[derive(Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// What is sent by POST: made once, sent often.
pub struct Request {
    octets: Vec<u8>,
}

impl Request {
    pub fn get(path: &str) -> Self {
        Self::bare("GET", path)
    }

    pub fn post(path: &str, content_type: &str, body: &[u8]) -> Self {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Self { octets: [head.as_bytes(), body].concat() }
    }

    /// What has no body.
    pub fn bare(method: &str, path: &str) -> Self {
        Self { octets: format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes() }
    }

    /// The same with another header.
    pub fn and(&self, header: &str, value: &str) -> Self {
        let behind_first =
            self.octets.iter().position(|octet| *octet == b'\n').map_or(0, |at| at + 1);
        let (first, rest) = self.octets.split_at(behind_first);
        Self { octets: [first, format!("{header}: {value}\r\n").as_bytes(), rest].concat() }
    }

    /// A form of text fields and, last, a file.
    pub fn form(path: &str, fields: &[(&str, &str)], name: &str, file: &[u8]) -> Self {
        let edge = "flowgait-compares";
        let part = |of: &str| format!("--{edge}\r\ncontent-disposition: form-data; {of}");
        let mut body = String::new();
        for (name, value) in fields {
            body += &part(&format!("name=\"{name}\"\r\n\r\n{value}\r\n"));
        }
        body += &part(&format!("name=\"file\"; filename=\"{name}\"\r\n\r\n"));
        let end = format!("\r\n--{edge}--\r\n");
        let body = [body.as_bytes(), file, end.as_bytes()].concat();
        Self::post(path, &format!("multipart/form-data; boundary={edge}"), &body)
    }
}

impl Connection {
    pub fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    pub fn ask(&mut self, request: &Request) -> Result<Answer> {
        self.stream.get_mut().write_all(&request.octets)?;
        read(&mut self.stream)
    }
}

fn read(from: &mut impl BufRead) -> Result<Answer> {
    let first = line(from)?;
    let status = first.split(' ').nth(1).and_then(|word| word.parse().ok());
    let status = status.ok_or_else(|| strange(&first))?;
    let (mut length, mut chunked) = (0, false);
    loop {
        let header = line(from)?.to_ascii_lowercase();
        match header.split_once(':').map(|(name, value)| (name, value.trim())) {
            Some(("content-length", value)) => {
                length = value.parse().map_err(|_| strange(&header))?;
            }
            Some(("transfer-encoding", value)) => chunked = value == "chunked",
            Some(_) => {}
            None if header.is_empty() => break,
            None => return Err(strange(&header)),
        }
    }
    let mut body = Vec::new();
    if !chunked {
        take(from, length, &mut body)?;
        return Ok(Answer { status, body });
    }
    loop {
        let size = line(from)?;
        let length = usize::from_str_radix(&size, 16).map_err(|_| strange(&size))?;
        take(from, length, &mut body)?;
        line(from)?;
        if length == 0 {
            return Ok(Answer { status, body });
        }
    }
}

fn line(from: &mut impl BufRead) -> Result<String> {
    let mut line = String::new();
    from.take(OCTETS_MAX as u64).read_line(&mut line)?;
    match line.strip_suffix("\r\n") {
        Some(line) => Ok(line.to_owned()),
        None => Err(ErrorKind::UnexpectedEof.into()),
    }
}

fn take(from: &mut impl BufRead, length: usize, into: &mut Vec<u8>) -> Result<()> {
    if length > OCTETS_MAX - into.len() {
        return Err(strange("too long an answer"));
    }
    let before = into.len();
    into.resize(before + length, 0);
    from.read_exact(&mut into[before..])
}

fn strange(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("no HTTP: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(said: &str, expected: Option<(u16, &str)>) {
        let answer = read(&mut said.as_bytes()).ok();
        let expected = expected.map(|(status, body)| Answer { status, body: body.into() });
        assert_eq!(answer, expected, "{said}");
    }

    #[test]
    fn answers_of_either_framing_are_read() {
        check("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef", Some((200, "abc")));
        check(
            "HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n",
            Some((202, "abc0123456789")),
        );
        check("HTTP/1.1 204 No Content\r\n\r\n", Some((204, "")));
    }

    #[test]
    fn what_is_cut_or_no_http_is_an_error() {
        check("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", None);
        check("HTTP/1.1 200 OK\r\nContent-Length: 3", None);
        check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", None);
        check("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", None);
        check("hello\r\n\r\n", None);
        check("", None);
    }

    #[test]
    fn a_form_holds_its_fields_and_the_file() {
        let form = Request::form("/x", &[("model", "made")], "asked.csv", b"a,b\n1,2\n");
        let text = String::from_utf8(form.octets).expect("made of text");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.ends_with(&format!("content-length: {}", body.len())), "{head}");
        assert_eq!(
            body,
            "--flowgait-compares\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nmade\r\n\
             --flowgait-compares\r\ncontent-disposition: form-data; name=\"file\"; filename=\"asked.csv\"\r\n\r\n\
             a,b\n1,2\n\r\n--flowgait-compares--\r\n"
        );
    }
}
