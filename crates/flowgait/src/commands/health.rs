//! `flowgait health`: whether a service is ready, for containers that have no other program to ask.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use crate::failure::{Failure, Outcome};
use crate::output;

/// What a person may type.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  flowgait health --url http://127.0.0.1:8080")]
pub struct Args {
    /// Where the service is, or its management address; plain HTTP
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    url: String,
}

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks.
pub fn run(args: &Args) -> Result<Outcome, Failure> {
    let wrong = || {
        Failure::usage(format!("'{}' is no URL that can be asked", args.url))
            .help("Write it like http://127.0.0.1:8080; where the service speaks TLS, ask its --management address.")
    };
    let rest = args.url.strip_prefix("http://").ok_or_else(wrong)?.trim_end_matches('/');
    let host = if rest.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
        rest.to_owned()
    } else {
        format!("{rest}:80")
    };
    let address = host.to_socket_addrs().ok().and_then(|mut all| all.next()).ok_or_else(wrong)?;
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "GET /readyz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.take(64 << 10).read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer =
        ask().map_err(|error| Failure::work(format!("{host} does not answer")).because(error))?;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body).trim().to_owned();
    if answer.starts_with("HTTP/1.1 200") {
        output::out("ready\n")?;
        return Ok(Outcome::Done);
    }
    Err(Failure::work(format!("{host} is not ready: {body}")))
}
