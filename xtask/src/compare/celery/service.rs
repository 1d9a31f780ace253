//! The two services, set up and asked: ours and the peer, each by its own routes.

use std::io;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Rows, Way, fresh};
use crate::compare::{Side, cost, number, record};
use crate::error::Error;
use crate::http::{Answer, Connection, Request};
use crate::server::{self, Server};
use crate::{process, project};

/// No job here takes longer; it is then told as lost.
const JOB_MAX: Duration = Duration::from_mins(2);

/// What the peer is called in the table.
pub const PEER: &str = "Celery";

/// What our model is called, where it is imported and asked for.
const MODEL: &str = "made";

/// A service with its processes.
pub struct Service {
    pub name: &'static str,
    side: Side,
    port: u16,
    /// In the order in which they end: Redis last.
    servers: Vec<Server>,
    store: String,
}

/// When it is asked whether a job is done: how long after it was accepted, and how long after each time that it was not.
#[derive(Clone, Copy)]
pub struct Pace {
    pub first: Duration,
    pub then: Duration,
}

impl Service {
    /// FastAPI in one process of uvicorn, a worker of Celery with two, and Redis.
    pub fn peer(rows: &Rows) -> Result<Self, Error> {
        let fitted = process::answer(rows.program().arg("fit").arg(&rows.folder))?;
        eprintln!("peer: {fitted}");
        record("celery", &json!({ "side": "peer", "fitted": fitted }))?;
        let folder = rows.folder.join("peer");
        fresh(&folder)?;
        let (redis, store) = server::redis(&folder)?;
        let port = server::free_port()?;
        let mut worker = rows.module("celery", &store);
        worker.args(["--app", "celery_service", "worker", "--concurrency", "2"]);
        let worker = Server::start("worker", worker.args(["--loglevel", "WARNING"]), &folder)?;
        let mut api = rows.module("uvicorn", &store);
        api.args(["celery_service:api", "--host", "127.0.0.1", "--port", &port.to_string()]);
        let mut api = Server::start("api", api.args(["--log-level", "warning"]), &folder)?;
        api.wait_for_page(port, "/openapi.json")?;
        let servers = vec![api, worker, redis];
        Ok(Self { name: PEER, side: Side::Peer, port, servers, store })
    }

    /// `flowgait serve` with its queue in SQLite, and another with it in Redis; the model is the same.
    pub fn ours(rows: &Rows) -> Result<[Self; 2], Error> {
        process::run(&mut process::cargo(["build", "--release", "--package", "flowgait"]))?;
        let mut fit = Command::new(project::target().join("release/flowgait"));
        fit.arg("fit").arg(rows.folder.join("learnt.csv")).args(["--label", "label"]);
        fit.args(["--estimator", "forest", "--trees", "200", "--balanced"]);
        process::run(fit.arg("-o").arg(rows.folder.join("ours.fgm")))?;
        let folder = rows.folder.join("ours-redis");
        fresh(&folder)?;
        let (redis, store) = server::redis(&folder)?;
        let store_on_disk = format!("sqlite:{}", rows.folder.join("ours-sqlite/store").display());
        Ok([
            Self::one_of_ours("ours, SQLite", "ours-sqlite", rows, store_on_disk, Vec::new())?,
            Self::one_of_ours("ours, Redis", "ours-redis", rows, store, vec![redis])?,
        ])
    }

    fn one_of_ours(
        name: &'static str,
        folder: &str,
        rows: &Rows,
        store: String,
        mut servers: Vec<Server>,
    ) -> Result<Self, Error> {
        let program = project::target().join("release/flowgait");
        let folder = rows.folder.join(folder);
        if servers.is_empty() {
            fresh(&folder)?;
        }
        let blobs = folder.join("blobs");
        let mut import = Command::new(&program);
        import.args(["models", "import"]).arg(rows.folder.join("ours.fgm"));
        import.args(["--name", MODEL, "--registry"]).arg(blobs.join("models"));
        process::run(&mut import)?;
        let port = server::free_port()?;
        let mut serve = Command::new(&program);
        serve.args(["serve", "--bind", &format!("127.0.0.1:{port}"), "--store", &store]);
        serve.arg("--blobs").arg(&blobs);
        let mut serve = Server::start("serve", &mut serve, &folder)?;
        serve.wait_for_page(port, "/readyz")?;
        servers.insert(0, serve);
        Ok(Self { name, side: Side::Ours, port, servers, store })
    }

    /// Whether it can be asked so: the peer knows only jobs.
    pub fn knows(&self, way: Way) -> bool {
        self.side == Side::Ours || way == Way::Job
    }

    /// What all its processes have cost so far.
    pub fn cpu_seconds(&self) -> f64 {
        cost::so_far(&self.servers.iter().map(Server::id).collect::<Vec<_>>())
    }

    /// What is sent to have these rows labelled.
    pub fn request(&self, way: Way, csv: &[u8]) -> Request {
        match (self.side, way) {
            (Side::Peer, _) => Request::form("/predict/app", &[], "asked.csv", csv),
            // The peer gives labels back and nothing else.
            (Side::Ours, Way::Job) => {
                let few = [("model", MODEL), ("only_predictions", "true")];
                Request::form("/v1/jobs", &few, "asked.csv", csv)
            }
            (Side::Ours, Way::AtOnce) => {
                Request::post(&format!("/v1/predictions?model={MODEL}"), "text/csv", csv)
            }
        }
    }

    /// Sends it on a connection of its own and waits for the answer: a label a row.
    pub fn labels(&self, way: Way, request: &Request, pace: Pace) -> Result<Vec<String>, Error> {
        let failed = |source| Error::Ask { service: self.name.to_owned(), source };
        let answer = self.answer(way, request, pace).map_err(failed)?;
        let labels = match (self.side, way) {
            (Side::Ours, Way::Job) => labels_of_csv(&answer.body),
            _ => labels_of_json(&answer.body),
        };
        labels.ok_or_else(|| failed(strange(&answer)))
    }

    fn answer(&self, way: Way, request: &Request, pace: Pace) -> io::Result<Answer> {
        let mut to = Connection::open(self.port)?;
        let accepted = good(to.ask(request)?)?;
        if way == Way::AtOnce {
            return Ok(accepted);
        }
        let (id, state, page) = match self.side {
            Side::Peer => ("task_id", "status", "/result/"),
            Side::Ours => ("id", "state", "/v1/jobs/"),
        };
        let id = field(&accepted, id).ok_or_else(|| strange(&accepted))?;
        let question = Request::get(&format!("{page}{id}"));
        let begin = Instant::now();
        thread::sleep(pace.first);
        loop {
            let answer = good(to.ask(&question)?)?;
            let told = field(&answer, state).ok_or_else(|| strange(&answer))?;
            match told.to_ascii_lowercase().as_str() {
                "success" => return Ok(answer),
                "succeeded" => return good(to.ask(&Request::get(&format!("{page}{id}/result")))?),
                "pending" | "started" | "retry" | "queued" | "running" => {}
                _ => return Err(strange(&answer)),
            }
            if begin.elapsed() > JOB_MAX {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "a job is not done in time"));
            }
            thread::sleep(pace.then);
        }
    }

    /// What so many jobs of nothing cost and how long they took, where the peer is the one to do them.
    pub fn empty(&self, rows: &Rows, jobs: u32) -> Result<Option<Empty>, Error> {
        if self.side == Side::Ours {
            return Ok(None);
        }
        let before = self.cpu_seconds();
        let mut program = rows.program();
        program.env("REDIS", &self.store).args(["empty", "--jobs", &jobs.to_string()]);
        let figures = process::answer(&mut program)?;
        let cpu_seconds = self.cpu_seconds() - before + number(&figures, "sender_cpu_s");
        let jobs = f64::from(jobs);
        let empty =
            Empty { cpu_seconds: cpu_seconds / jobs, rate: jobs / number(&figures, "working_s") };
        eprintln!("{}, empty: {empty:?}, {figures}", self.name);
        record(
            "celery",
            &json!({
                "side": "peer", "work": "empty", "jobs": jobs, "cpu_seconds": empty.cpu_seconds, "rate": empty.rate,
                "figures": figures,
            }),
        )?;
        Ok(Some(empty))
    }
}

/// What a job of nothing costs, with sending it, and how many are done in a second when many are queued.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Empty {
    pub cpu_seconds: f64,
    pub rate: f64,
}

fn good(answer: Answer) -> io::Result<Answer> {
    if (200..300).contains(&answer.status) { Ok(answer) } else { Err(strange(&answer)) }
}

/// An answer that was not foreseen, with how it begins.
fn strange(answer: &Answer) -> io::Error {
    let text = String::from_utf8_lossy(&answer.body);
    let begin: String = text.chars().take(300).collect();
    io::Error::other(format!("it answered {}: {begin}", answer.status))
}

/// A text of an answer in JSON.
fn field(answer: &Answer, name: &str) -> Option<String> {
    let value: Value = serde_json::from_slice(&answer.body).ok()?;
    Some(value[name].as_str()?.to_owned())
}

/// `predictions`: labels, or objects with a label each.
fn labels_of_json(body: &[u8]) -> Option<Vec<String>> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let label = |of: &Value| {
        let text = [of, &of["label"], &of["prediction"]].into_iter().find_map(Value::as_str);
        text.map(str::to_owned)
    };
    value["predictions"].as_array()?.iter().map(label).collect()
}

/// The column `prediction`; no cell here is quoted.
fn labels_of_csv(body: &[u8]) -> Option<Vec<String>> {
    let mut lines = std::str::from_utf8(body).ok()?.lines();
    let at = lines.next()?.split(',').position(|name| name == "prediction")?;
    lines.map(|line| Some(line.split(',').nth(at)?.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{Ipv4Addr, TcpListener, TcpStream};

    use super::super::BRISK;
    use super::*;

    #[test]
    fn labels_are_found_in_either_sides_answers() {
        let expected = Some(vec!["x".to_owned(), "y".to_owned()]);
        assert_eq!(labels_of_json(br#"{"status":"SUCCESS","predictions":["x","y"]}"#), expected);
        let objects = br#"{"predictions":[{"label":"x","confidence":0.5},{"label":"y"}]}"#;
        assert_eq!(labels_of_json(objects), expected);
        assert_eq!(labels_of_json(br#"{"predictions":[1]}"#), None);
        assert_eq!(labels_of_json(br#"{"status":"FAILURE"}"#), None);
        assert_eq!(labels_of_csv(b"a,prediction,confidence\n1,x,0.5\n2,y,0.5\n"), expected);
        assert_eq!(labels_of_csv(b"a,b\n1,2\n"), None);
        assert_eq!(labels_of_csv(b"a,prediction\n1\n"), None);
    }

    #[test]
    fn a_refusal_is_an_error_that_shows_it() {
        let refused = Answer { status: 422, body: b"no such column".to_vec() };
        let told = good(refused).expect_err("it is no success").to_string();
        assert_eq!(told, "it answered 422: no such column");
    }

    /// A server of one connection that gives these answers in turn, and tells the first line of each question.
    fn server(
        answers: &'static [(&'static str, &'static str)],
    ) -> (u16, thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let told = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("somebody asks");
            answers.iter().map(|&answer| answer_once(&mut stream, answer)).collect()
        });
        (port, told)
    }

    fn answer_once(stream: &mut TcpStream, (status, body): (&str, &str)) -> String {
        let mut from = BufReader::new(stream.try_clone().expect("a stream can be cloned"));
        let lines = from.by_ref().lines().map_while(Result::ok);
        let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        let length = head.iter().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map_or(0, |length| length.parse().expect("a length is a number"));
        from.read_exact(&mut vec![0; length]).expect("the body follows");
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
            .expect("the answer is taken");
        head[0].clone()
    }

    fn service(side: Side, port: u16) -> Service {
        Service { name: "it", side, port, servers: Vec::new(), store: String::new() }
    }

    #[test]
    fn our_jobs_are_submitted_asked_about_and_fetched() {
        let (port, told) = server(&[
            ("202 Accepted", "{\"id\":\"7\"}"),
            ("200 OK", "{\"state\":\"running\"}"),
            ("200 OK", "{\"state\": \"succeeded\"}"),
            ("200 OK", "a,prediction\n1,x"),
        ]);
        let ours = service(Side::Ours, port);
        let request = ours.request(Way::Job, b"a\n1\n");
        let labels = ours.labels(Way::Job, &request, BRISK);
        assert_eq!(labels.expect("it is answered"), ["x"]);
        let asked = told.join().expect("the server is at its end");
        let expected =
            ["POST /v1/jobs", "GET /v1/jobs/7", "GET /v1/jobs/7", "GET /v1/jobs/7/result"];
        assert_eq!(asked, expected.map(|line| format!("{line} HTTP/1.1")));
    }

    #[test]
    fn a_job_that_fails_is_an_error_that_shows_it() {
        let (port, told) =
            server(&[("200 OK", "{\"task_id\":\"7\"}"), ("200 OK", "{\"status\":\"FAILURE\"}")]);
        let peer = service(Side::Peer, port);
        let request = peer.request(Way::Job, b"a\n1\n");
        let failed = peer.labels(Way::Job, &request, BRISK).expect_err("it failed");
        let told_why = std::error::Error::source(&failed).expect("there is a cause").to_string();
        assert_eq!(told_why, "it answered 200: {\"status\":\"FAILURE\"}");
        let asked = told.join().expect("the server is at its end");
        assert_eq!(asked, ["POST /predict/app HTTP/1.1", "GET /result/7 HTTP/1.1"]);
    }
}
