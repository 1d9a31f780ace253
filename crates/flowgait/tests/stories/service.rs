//! A service of a story's own: the real binary, started, asked, stopped, killed, and started again where it was.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::Place;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// The status of a path of any address, or none where nobody answers.
pub fn status(url: &str) -> Option<u16> {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        .build();
    config.new_agent().get(url).call().ok().map(|answer| answer.status().as_u16())
}

/// Looks again and again until something is there.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what} never came");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A process of the binary that serves or works; killed with this.
pub struct Process {
    child: Child,
    log: Arc<Mutex<String>>,
}

impl Process {
    /// Starts it, and waits until it says `ready`; gives the line that does.
    pub fn start(mut command: Command, ready: &str) -> (Self, String) {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut words = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let line = loop {
            let mut line = String::new();
            if words.read_line(&mut line).unwrap() == 0 {
                panic!("it ended before it was ready:\n{said}");
            }
            said.push_str(&line);
            if line.contains(ready) {
                break line;
            }
        };
        let log = Arc::new(Mutex::new(said));
        let of_thread = log.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 8_192];
            while let Ok(count @ 1..) = words.read(&mut buffer) {
                of_thread.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
        });
        (Self { child, log }, line)
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// `STOP`, `CONT` or `TERM`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").arg(format!("-{name}")).arg(pid).status().unwrap().success());
    }

    /// As a power switch would, for this process; those that it started end by themselves.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The processes that it started.
    pub fn children(&self) -> Vec<String> {
        let found = Command::new("pgrep").args(["-P", &self.child.id().to_string()]).output();
        let found = String::from_utf8(found.unwrap().stdout).unwrap();
        found.lines().map(str::to_owned).collect()
    }

    /// What it has logged of parts of a job: `message` is what, each with its part. Only with FLOWGAIT_SERVE_LOG=json.
    pub fn logged(&self, job: &str, message: &str) -> Vec<Value> {
        let log = self.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["job.id"] == job && line["message"] == message).collect()
    }

    /// Waits for its end.
    pub fn ended(&mut self) -> ExitStatus {
        until("the end of the process", || self.child.try_wait().unwrap())
    }

    /// Its memory, in kB.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A service that answers over HTTP.
pub struct Service {
    pub process: Process,
    base: String,
    agent: ureq::Agent,
    key: Option<String>,
}

/// An answer: its status and its body.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// The body of an answer with this status.
    pub fn with(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.json()
    }
}

/// A form: its fields, and one file.
pub fn form(fields: &[(&str, &str)], file: Option<(&str, &[u8])>) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend_from_slice(
            format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
                .as_bytes(),
        );
    }
    if let Some((name, content)) = file {
        let head = format!(
            "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    body
}

impl Service {
    /// Starts `serve` in a story's place, with further arguments and environment.
    pub fn start(place: &Place, args: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut all = vec!["serve"];
        if !args.contains(&"--bind") {
            all.extend(["--bind", "127.0.0.1:0"]);
        }
        all.extend(args);
        let mut command = place.command(&all);
        command.envs(environment.iter().copied()).env("PATH", std::env::var("PATH").unwrap());
        let (process, line) = Process::start(command, "flowgait listens on");
        let base = line.split_whitespace().last().unwrap().replace("0.0.0.0", "127.0.0.1");
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build();
        Self { process, base, agent: config.new_agent(), key: None }
    }

    /// The same service, asked with a key.
    pub fn with_key(mut self, key: &str) -> Self {
        self.key = Some(format!("Bearer {}", key.trim()));
        self
    }

    pub fn url(&self) -> &str {
        &self.base
    }

    /// Where it listens, `address:port`.
    pub fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Option<Answer> {
        let mut request =
            ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(key) = &self.key {
            request = request.header("authorization", key);
        }
        let mut response = self.agent.run(request.body(body).unwrap()).ok()?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(1 << 30).read_to_vec().ok()?;
        Some(Answer { status, body })
    }

    /// Where health is asked for, apart from the rest; only with --management.
    pub fn management(&self) -> String {
        let log = until("the management address", || {
            Some(self.process.log()).filter(|log| log.contains("/readyz"))
        });
        let at = log.split_whitespace().find(|word| word.ends_with("/readyz,")).unwrap();
        at.trim_end_matches("/readyz,").to_owned()
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], b"")
            .unwrap_or_else(|| panic!("no answer to {path}\n{}", self.process.log()))
    }

    /// An answer, or none where the service is gone.
    pub fn try_get(&self, path: &str) -> Option<Answer> {
        self.ask("GET", path, &[], b"")
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.ask("DELETE", path, &[], b"").unwrap()
    }

    pub fn post(&self, path: &str, kind: &str, body: &[u8]) -> Answer {
        self.ask("POST", path, &[("content-type", kind)], body).unwrap()
    }

    /// Sends a form.
    pub fn send(&self, path: &str, fields: &[(&str, &str)], file: Option<(&str, &[u8])>) -> Answer {
        self.send_as(path, fields, file, None).unwrap()
    }

    /// Sends a form under an idempotency key; none where the service is gone.
    pub fn send_as(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        file: Option<(&str, &[u8])>,
        key: Option<&str>,
    ) -> Option<Answer> {
        let mut headers = vec![("content-type", "multipart/form-data; boundary=edge")];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        self.ask("POST", path, &headers, &form(fields, file))
    }

    /// Submits a table to a model; its job's id.
    pub fn submit(&self, model: &str, table: &[u8]) -> String {
        let job = self.send("/v1/jobs", &[("model", model)], Some(("rows.csv", table))).with(202);
        job["id"].as_str().unwrap().to_owned()
    }

    pub fn job(&self, id: &str) -> Value {
        self.get(&format!("/v1/jobs/{id}")).with(200)
    }

    /// Waits until a job is in this state.
    pub fn job_that(&self, id: &str, state: &str) -> Value {
        until(&format!("job {id}, {state}"), || {
            let job = self.job(id);
            let now = job["state"].as_str().unwrap();
            let ended = ["succeeded", "failed", "cancelled", "dead"].contains(&now);
            assert!(!ended || now == state, "{job}\n{}", self.process.log());
            (now == state).then_some(job)
        })
    }

    /// Waits until a job has so many chunks done.
    pub fn job_with_chunks(&self, id: &str, least: u64) -> Value {
        until("chunks", || {
            let job = self.job(id);
            let progress = &job["progress"];
            let done = progress["unit"] == "chunks" && progress["done"].as_u64().unwrap() >= least;
            (done || job["state"] == "succeeded").then_some(job)
        })
    }

    /// Fits a model from a table with labels, in a process of its own that takes some seconds; the job's id.
    pub fn fit(&self, name: &str, table: &[u8], trees: &str) -> String {
        let fields = [
            ("kind", "fit"),
            ("name", name),
            ("label", "kind"),
            ("estimator", "forest"),
            ("trees", trees),
        ];
        let job = self.send("/v1/jobs", &fields, Some(("rows.csv", table))).with(202);
        job["id"].as_str().unwrap().to_owned()
    }

    pub fn result(&self, id: &str) -> Vec<u8> {
        let answer = self.get(&format!("/v1/jobs/{id}/result"));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.body
    }
}

/// A model of three numbers that says which of three classes a row is, and a table of many rows for it.
pub struct Trained {
    pub model: PathBuf,
    pub table: Vec<u8>,
}

/// Rows of three numbers, and what they are.
pub fn rows(count: u64, labelled: bool) -> Vec<u8> {
    let mut text = String::from(if labelled { "a,b,c,kind\n" } else { "a,b,c\n" });
    let mut chance = 1_u64;
    for row in 0..count {
        chance =
            chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let noise = (chance >> 40) % 100;
        let kind = row % 3;
        let (a, b) = (kind * 100 + noise, noise);
        text.push_str(&format!("{a},{b},{row}"));
        text.push_str(match (labelled, kind) {
            (false, _) => "\n",
            (_, 0) => ",web\n",
            (_, 1) => ",video\n",
            _ => ",voice\n",
        });
    }
    text.into_bytes()
}

/// Fits a small model and takes it into the registry of the folder `data`.
pub fn trained(place: &Place, count: u64) -> Trained {
    place.write("train.csv", rows(300, true));
    place.ok(&[
        "fit",
        "train.csv",
        "--label",
        "kind",
        "--drop",
        "c",
        "--estimator",
        "forest",
        "--trees",
        "5",
        "-o",
        "kinds.fgm",
    ]);
    place.ok(&["models", "import", "kinds.fgm", "--registry", "data/models"]);
    Trained { model: place.path("kinds.fgm"), table: rows(count, false) }
}

/// What the command line answers to a table.
pub fn answers(place: &Place, table: &[u8]) -> Vec<u8> {
    place.write("table.csv", table);
    place.ok(&["predict", "--model", "kinds.fgm", "table.csv", "-o", "answers.csv"]);
    place.bytes("answers.csv")
}
