//! Requests octet by octet, for what no well-behaved client sends.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::service::Service;

/// Longer than any answer takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// What came back until the other side let go.
#[derive(Debug)]
pub struct Told {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Told {
    fn of(octets: &[u8]) -> Self {
        let text = String::from_utf8_lossy(octets).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Self { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    /// The problem document that it is.
    pub fn problem(&self) -> Value {
        assert!(self.head.contains("content-type: application/problem+json"), "{self:?}");
        let problem: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(problem["status"], self.status, "{self:?}");
        problem
    }
}

/// A connection.
pub fn connect(service: &Service) -> TcpStream {
    let stream = TcpStream::connect(service.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// All that comes until the other side lets go.
pub fn rest(mut stream: TcpStream) -> Told {
    let (mut all, mut buffer) = (Vec::new(), [0; 8_192]);
    // A side that lets go of a connection with something unread in it resets it.
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        all.extend_from_slice(&buffer[..count]);
    }
    Told::of(&all)
}

/// Sends a request as it stands, with a header that says where to.
pub fn say(service: &Service, line: &str, headers: &str, body: &[u8]) -> Told {
    let mut stream = connect(service);
    let length = body.len();
    let own = service.address();
    let head = format!(
        "{line} HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    // It may have refused already.
    let _ = stream.write_all(body);
    rest(stream)
}

/// Sends a form as it stands.
pub fn form(service: &Service, path: &str, headers: &str, body: &[u8]) -> Told {
    let kind = "Content-Type: multipart/form-data; boundary=edge\r\n";
    say(service, &format!("POST {path}"), &format!("{kind}{headers}"), body)
}
