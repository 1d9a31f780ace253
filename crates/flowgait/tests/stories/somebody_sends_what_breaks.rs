//! Somebody sends what would break a service that is not careful: slowly, half, without an end, packed, too much, or something else.

use std::io::Write as _;

use serde_json::Value;

use crate::service::{Service, rows, trained, until};
use crate::support::Place;
use crate::wire;

const SQLITE: [&str; 4] = ["--store", "sqlite:data", "--blobs", "data"];

/// Folders of jobs among the blobs.
fn folders(place: &Place) -> usize {
    std::fs::read_dir(place.path("data/jobs")).map_or(0, |entries| entries.count())
}

/// Files below a folder.
fn files(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files(&entry.path())),
            _ => found.push(entry.path().display().to_string()),
        }
    }
    found
}

/// The most memory that a process had, in kB.
fn peak(service: &Service) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", service.process.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn ended(service: &Service, id: &str) -> Value {
    until("the end of a job", || {
        let job = service.job(id);
        let state = job["state"].as_str().unwrap();
        ["succeeded", "failed", "dead"].contains(&state).then_some(job)
    })
}

const FORM: &str = "Content-Type: multipart/form-data; boundary=edge\r\n";
const FILE: &str =
    "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.csv\"\r\n\r\na,b,c\n";

#[test]
fn a_header_alone_is_a_table_without_rows() {
    let place = Place::new();
    let trained = trained(&place, 10);
    let service = Service::start(&place, &["--store", "sqlite:data", "--blobs", "data"], &[]);
    let packed = zstd::encode_all(&b"a,b,c\n"[..], 1).unwrap();
    for table in [&b"a,b,c\n"[..], b"a,b,c", b"\n\na,b,c\r\n", &packed] {
        let id = service.submit("kinds", table);
        let job = service.job_that(&id, "succeeded");
        assert_eq!(job["result"]["rows"], 0, "{job}");
        assert!(job["progress"].is_null(), "{job}");
        let answers = service.result(&id);
        assert_eq!(String::from_utf8(answers).unwrap().trim_end(), "a,b,c,prediction");
    }
    // Nothing but empty lines has no header.
    let id = service.submit("kinds", b"\n\n");
    let job = service.job_that(&id, "failed");
    assert!(job["reason"]["detail"].as_str().unwrap().contains("header"), "{job}");
    drop(trained);
}

#[test]
fn what_says_that_it_is_too_large_is_not_taken_at_all() {
    let place = Place::new();
    let small = [("FLOWGAIT_SERVE_UPLOAD_OCTETS", "1000")];
    let service = Service::start(&place, &["--store", "sqlite:data", "--blobs", "data"], &small);
    let mut stream = wire::connect(&service);
    let head = format!(
        "POST /v1/jobs HTTP/1.1\r\nHost: {}\r\nContent-Length: 11000000000\r\nExpect: 100-continue\r\n\
         Content-Type: multipart/form-data; boundary=edge\r\n\r\n",
        service.address()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let told = wire::rest(stream);
    assert_eq!(told.status, 413, "{told:?}");
    assert!(told.body.contains("serve.upload_octets"), "{told:?}");
    // A file in a field of another name is told, not guessed at.
    let body = b"--edge\r\nContent-Disposition: form-data; name=\"fil\"; filename=\"r.csv\"\r\n\r\na\n1\n\r\n--edge--\r\n";
    let told = wire::form(&service, "/v1/jobs", "", body);
    assert_eq!(told.status, 400, "{told:?}");
    assert!(told.problem()["detail"].as_str().unwrap().contains("'file'"), "{told:?}");
}

#[test]
fn whoever_stops_sending_is_let_go_and_leaves_nothing() {
    let place = Place::new();
    let service = Service::start(&place, &SQLITE, &[("FLOWGAIT_SERVE_IDLE", "1s")]);
    let json = "Content-Type: application/json\r\n";
    for (path, headers, begin) in [
        ("/v1/jobs", FORM, ""),
        ("/v1/jobs", FORM, "--edge\r\nContent-Disposition: form"),
        ("/v1/jobs", FORM, "--edge\r\nContent-Disposition: form-data; name=\"label\"\r\n\r\nx"),
        ("/v1/jobs", FORM, FILE),
        ("/v1/federations", FORM, FILE),
        ("/predict/app", FORM, FILE),
        ("/v1/predictions", "Content-Type: text/csv\r\n", "a,b\n1"),
        ("/v1/models/kinds", "", "FG"),
        ("/v1/models/kinds/promote", json, "{"),
        ("/v2/models/starter/infer", json, "{"),
    ] {
        let mut stream = wire::connect(&service);
        let own = service.address();
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: {own}\r\nContent-Length: 9999\r\n{headers}\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(begin.as_bytes()).unwrap();
        let told = wire::rest(stream);
        assert_eq!(told.status, 408, "{path} {begin}: {told:?}");
        assert!(told.problem()["detail"].as_str().unwrap().contains("1 second"), "{told:?}");
    }
    assert_eq!(folders(&place), 0, "{:?}", files(&place.path("data/jobs")));
}

#[test]
fn what_breaks_off_leaves_nothing() {
    let place = Place::new();
    let service = Service::start(&place, &SQLITE, &[]);
    let own = service.address();
    let many = "1,2,3\n".repeat(3_000_000);
    for (headers, body) in [
        ("Content-Length: 99999999\r\n", FILE.to_owned()),
        ("Content-Length: 99999999\r\n", format!("{FILE}{many}")),
        ("Transfer-Encoding: chunked\r\n", format!("{:x}\r\n{FILE}\r\n", FILE.len())),
        ("Transfer-Encoding: chunked\r\n", format!("ffffff\r\n{FILE}")),
    ] {
        let mut stream = wire::connect(&service);
        write!(stream, "POST /v1/jobs HTTP/1.1\r\nHost: {own}\r\n{FORM}{headers}\r\n{body}")
            .unwrap();
        // Something of it has come to the blobs before it breaks off.
        until("its beginning", || (folders(&place) > 0 || body.len() < 9_000).then_some(()));
        drop(stream);
        until("the end of what it left", || (folders(&place) == 0).then_some(()));
    }
    // A body that is no form, or one without an end, is told.
    for body in ["", "x", "--edge\r\n", "--edge\r\nContent-Disposition: form-data\r\n\r\nx", FILE] {
        let told = wire::form(&service, "/v1/jobs", "", body.as_bytes());
        assert_eq!(told.status, 400, "{body}: {told:?}");
        told.problem();
    }
    for headers in ["Transfer-Encoding: chunked\r\n\r\nzz\r\n", "Transfer-Encoding: x\r\n\r\n"] {
        let mut stream = wire::connect(&service);
        write!(stream, "POST /v1/jobs HTTP/1.1\r\nHost: {own}\r\n{FORM}{headers}").unwrap();
        assert_eq!(wire::rest(stream).status, 400, "{headers}");
    }
    assert_eq!(folders(&place), 0);
    assert!(service.get("/v1/jobs").with(200)["jobs"].as_array().unwrap().is_empty());
}

#[test]
fn a_head_without_an_end_is_not_waited_for() {
    let place = Place::new();
    let service = Service::start(&place, &SQLITE, &[]);
    let before = peak(&service);
    let mut slow = wire::connect(&service);
    slow.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\nA: b").unwrap();
    for piece in ["X: ", "X-Header: some\r\n"] {
        let mut stream = wire::connect(&service);
        stream.write_all(b"GET /livez HTTP/1.1\r\n").unwrap();
        let piece = piece.repeat(10_000);
        // It ends because the other side lets go; 64 MB would be more than enough.
        let sent = (0..1_000).take_while(|_| stream.write_all(piece.as_bytes()).is_ok()).count();
        assert!(sent < 1_000);
        let told = wire::rest(stream);
        assert!(matches!(told.status, 0 | 400 | 431), "{told:?}");
    }
    // Nor the head of a form's field.
    let mut stream = wire::connect(&service);
    let own = service.address();
    write!(
        stream,
        "POST /v1/jobs HTTP/1.1\r\nHost: {own}\r\n{FORM}Content-Length: 64000000\r\n\r\n--edge\r\n"
    )
    .unwrap();
    let piece = "X-Header: some\r\n".repeat(4_000);
    let _ = (0..1_000).take_while(|_| stream.write_all(piece.as_bytes()).is_ok()).count();
    let told = wire::rest(stream);
    assert!(matches!(told.status, 0 | 400), "{told:?}");
    assert!(peak(&service) < before + 20_000, "{before} kB before, {} kB at most", peak(&service));
    // One that stands still is let go, too.
    assert!(matches!(wire::rest(slow).status, 0 | 408));
}

#[test]
fn whoever_is_refused_in_the_midst_of_sending_can_read_why() {
    let place = Place::new();
    let limits = [("FLOWGAIT_SERVE_UPLOAD_OCTETS", "1M")];
    place.write("keys", format!("ops:admin:{}\n", "k".repeat(40)));
    let table = "1,2,3\n".repeat(2_000_000);
    let status = |service: &Service, path: &str| {
        // A client that sends all before it reads anything, as many do.
        let told = service.send_as(path, &[], Some(("t.csv", table.as_bytes())), None);
        told.map(|told| told.status)
    };
    let open = Service::start(&place, &SQLITE, &limits);
    for _ in 0..5 {
        assert_eq!(status(&open, "/v1/jobs"), Some(413));
        assert_eq!(status(&open, "/v1/nothing"), Some(404));
    }
    drop(open);
    let closed = Service::start(&place, &[&SQLITE[..], &["--keys-file", "keys"]].concat(), &limits);
    assert_eq!(status(&closed, "/v1/jobs"), Some(401));
}

/// Rows that unpack to so many times this many octets, as frames one behind the other.
fn bomb(head: &[u8], piece: &[u8], times: usize) -> Vec<u8> {
    let mut packed = zstd::encode_all(head, 3).unwrap();
    let frame = zstd::encode_all(piece, 3).unwrap();
    for _ in 0..times {
        packed.extend_from_slice(&frame);
    }
    packed
}

#[test]
fn what_unpacks_to_far_more_than_it_is_stays_within_limits() {
    let place = Place::new();
    trained(&place, 1);
    let limit = ("FLOWGAIT_SERVE_UNPACKED_OCTETS", "100M");
    let service = Service::start(&place, &[&SQLITE[..], &["--workers", "1"]].concat(), &[limit]);
    service.job_that(&service.submit("kinds", &rows(1_000, false)), "succeeded");
    let before = peak(&service);
    let zeros = vec![b'0'; 100_000_000];
    let lines = "1,2,3\n".repeat(100_000_000 / 6);
    let objects = "{\"a\":1,\"b\":2,\"c\":3}\n".repeat(5_000_000);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&zeros).unwrap();
    let gzip = gzip.finish().unwrap();
    let cases: [(&str, Vec<u8>, &str); 5] = [
        ("zeros.csv.gz", gzip.repeat(10), "a cell is longer"),
        ("zeros.csv.zst", bomb(b"a,b,c\n", &zeros, 100), "line 2, column 1: a cell is longer"),
        ("rows.csv.zst", bomb(b"a,b,c\n", lines.as_bytes(), 100), "larger than 100000000 octets"),
        ("rows.jsonl.zst", bomb(b"", objects.as_bytes(), 100), "larger than 100000000 octets"),
        ("zeros.jsonl.zst", bomb(b"{", &zeros, 100), "larger than 100000000 octets"),
    ];
    for (name, packed, expected) in cases {
        assert!(packed.len() < 1_500_000, "{name} is {} octets", packed.len());
        let job = service.send("/v1/jobs", &[("model", "kinds")], Some((name, &packed))).with(202);
        let job = ended(&service, job["id"].as_str().unwrap());
        assert_eq!(job["state"], "failed", "{name}: {job}");
        assert_eq!(job["reason"]["kind"], "too-large", "{name}: {job}");
        assert!(job["reason"]["detail"].as_str().unwrap().contains(expected), "{name}: {job}");
    }
    // Of what was unpacked nothing stays: only the five uploads.
    let left = files(&place.path("data/jobs"));
    let octets: u64 = left.iter().map(|file| std::fs::metadata(file).unwrap().len()).sum();
    assert!(octets < 8_000_000, "{octets} octets in {left:?}");
    let (after, most) = (service.process.memory(), peak(&service));
    eprintln!("memory: {before} kB at most before, {most} kB while unpacking, {after} kB now");
    assert!(most < before + 150_000, "{before} kB before, {most} kB at most");
}

#[test]
fn what_is_beyond_a_limit_is_refused_and_the_limit_named() {
    let place = Place::new();
    trained(&place, 1);
    let limits = [
        ("FLOWGAIT_SERVE_UPLOAD_OCTETS", "2M"),
        ("FLOWGAIT_SERVE_ROWS", "1000"),
        ("FLOWGAIT_SERVE_COLUMNS", "100"),
        ("FLOWGAIT_SERVE_ROW_OCTETS", "10k"),
        ("FLOWGAIT_SERVE_CELL_OCTETS", "1k"),
    ];
    let service = Service::start(&place, &SQLITE, &limits);
    let before = peak(&service);
    let wide = format!("{}\n{}\n", "a,".repeat(100), "1,".repeat(100));
    let long = format!("a,b,c\n1,2,3\n1,{},3\n", "2".repeat(1_001));
    let row = format!("a,b,c\n1,2,{}\n", format!("{},", "3".repeat(999)).repeat(11));
    let many = rows(1_001, false);
    for (table, expected) in [
        (wide.as_bytes(), "line 1 has more than 100 columns"),
        (long.as_bytes(), "line 3, column 2: a cell is longer than 1000 octets"),
        (row.as_bytes(), "line 2: a row is longer than 10000 octets"),
    ] {
        let told = service.post("/v1/predictions?model=kinds", "text/csv", table).with(413);
        assert!(told["detail"].as_str().unwrap().contains(expected), "{told}");
        let job = ended(&service, &service.submit("kinds", table));
        assert_eq!(job["reason"]["kind"], "too-large", "{job}");
        assert!(job["reason"]["detail"].as_str().unwrap().contains(expected), "{job}");
    }
    let job = ended(&service, &service.submit("kinds", &many));
    assert!(job["reason"]["detail"].as_str().unwrap().contains("more than 1000 rows"), "{job}");
    let kept = folders(&place);
    let refused = |path: &str, kind: &str, body: &[u8], expected: &str| {
        let told = service.post(path, kind, body).with(413);
        assert!(told["detail"].as_str().unwrap().contains(expected), "{told}");
    };
    let form = "multipart/form-data; boundary=edge";
    let field = |name: &str, value: &str| {
        format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let fields: String = (0..100).map(|n| field(&format!("f{n}"), "x")).collect();
    let huge = format!("{FILE}{}\r\n--edge--\r\n", "1,2,3\n".repeat(400_000));
    refused("/v1/jobs", form, huge.as_bytes(), "larger than 2000000 octets");
    refused("/v1/jobs", form, fields.as_bytes(), "more than 64 fields");
    let label = field("label", &"x".repeat(70_000)) + "--edge--\r\n";
    refused("/v1/jobs", form, label.as_bytes(), "'label' is longer");
    let toml = field("configuration", &"#".repeat(300_000)) + "--edge--\r\n";
    refused("/v1/jobs", form, toml.as_bytes(), "'configuration' is longer");
    refused("/v1/predictions", "text/csv", &vec![b'1'; 17 << 20], "larger than 16777216 octets");
    let json = "application/json";
    refused("/v2/models/starter/infer", json, &vec![b' '; 17 << 20], "larger than");
    refused("/v1/models/kinds/promote", json, &vec![b' '; 17 << 20], "larger than");
    let rows: Vec<Value> = (0..1_001).map(|_| serde_json::json!({"a": 1})).collect();
    let rows = serde_json::json!({ "rows": rows }).to_string();
    refused("/v1/predictions", json, rows.as_bytes(), "more than 1000 rows");
    // Each row has columns of its own: as a table that would be a thousand times as much.
    let sparse: String = (0..1_000)
        .map(|row| {
            let cells: Vec<String> = (0..1_000).map(|at| format!("\"{row}.{at}\":1")).collect();
            format!("{{{}}}", cells.join(","))
        })
        .collect::<Vec<_>>()
        .join(",");
    let sparse = format!("{{\"model\":\"kinds\",\"rows\":[{sparse}]}}");
    refused("/v1/predictions", json, sparse.as_bytes(), "more than 100 columns");
    let columns: Vec<String> = (0..500_000).map(|at| at.to_string()).collect();
    let listed =
        serde_json::json!({"columns": columns, "rows": vec![serde_json::json!({}); 1_000]});
    refused("/v1/predictions", json, listed.to_string().as_bytes(), "more than 100 columns");
    let tensor = |name: &str, rows: u64| {
        let data = vec![1; rows as usize];
        serde_json::json!({"name": name, "shape": [10, rows / 10], "datatype": "FP32", "data": data})
    };
    let inputs: Vec<Value> = ["a", "b", "c"].map(|name| tensor(name, 100_000)).into();
    let infer = serde_json::json!({ "inputs": inputs }).to_string();
    service.post("/v2/models/kinds/infer", json, infer.as_bytes()).with(422);
    let deep = format!("{{\"rows\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    service.post("/v1/predictions", json, deep.as_bytes()).with(400);
    let tensor = format!(
        "{{\"inputs\":[{{\"name\":\"a\",\"shape\":[1],\"datatype\":\"FP32\",\"data\":{}{}}}]}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    service.post("/v2/models/kinds/infer", json, tensor.as_bytes()).with(400);
    assert_eq!(folders(&place), kept, "what was refused left nothing");
    // As values of JSON, 16 MB are some 300; as a table the sparse rows would be 2,000.
    let most = peak(&service);
    assert!(most < before + 450_000, "{before} kB before, {most} kB at most");
}

#[test]
fn what_is_something_else_is_told_under_every_name() {
    let place = Place::new();
    let trained = trained(&place, 500);
    place.write("t.csv", &trained.table);
    place.ok(&["predict", "--model", "kinds.fgm", "t.csv", "-o", "t.parquet"]);
    place.ok(&["synth", "demo", "-o", "t.pcap", "--flows", "20", "--seed", "1"]);
    let service = Service::start(&place, &SQLITE, &[]);
    let (parquet, pcap) = (place.bytes("t.parquet"), place.bytes("t.pcap"));
    let wide = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let gzip = |octets: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(octets).unwrap();
        encoder.finish().unwrap()
    };
    let packed = gzip(&trained.table);
    let twice = gzip(&packed);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("no Parquet", b"PAR1 but nothing else PAR1".to_vec()),
        ("half a Parquet", parquet[..parquet.len() / 2].to_vec()),
        ("a Parquet with a broken foot", [&parquet[..parquet.len() - 9], &[255; 9]].concat()),
        ("the foot of a Parquet alone", [b"PAR1", &parquet[parquet.len() - 300..]].concat()),
        ("no capture", [&pcap[..24], &[255; 500]].concat()),
        ("a capture's first octets", pcap[..10].to_vec()),
        ("a pcapng of nothing", b"\x0a\x0d\x0d\x0a\xff\xff\xff\xff".to_vec()),
        ("CSV with NUL", b"a,b,c\n1,\0,3\n".to_vec()),
        ("CSV with NUL further on", [&trained.table[..], b"1,\0,3\n"].concat()),
        ("UTF-16", [&[0xff, 0xfe], &wide("a,b,c\n1,2,3\n")[..]].concat()),
        ("Latin-1", b"a,b,c,gr\xf6\xdfe\n1,2,3,4\n".to_vec()),
        ("a program", b"\x7fELF\x02\x01\x01\0\0\0".to_vec()),
        ("a picture", b"\x89PNG\r\n\x1a\n\0\0".to_vec()),
        ("a web page", b"<!doctype html>\n<title>x</title>\n".to_vec()),
        ("JSON of another kind", b"[1,2,3]".to_vec()),
        ("half a line of JSON", b"{\"a\":1,\"b\":2,\"c\":3}\n{\"a\":".to_vec()),
        ("ARFF of nothing", b"@relation x\n@attribute a numeric\n".to_vec()),
        ("a broken quote", b"a,b,c\n\"1,2,3\n".to_vec()),
        ("half a gzip", packed[..packed.len() / 2].to_vec()),
        ("gzip with a broken end", [&packed[..packed.len() - 6], &[0; 6]].concat()),
        ("gzip of gzip", twice),
        ("gzip of nothing", gzip(b"")),
        ("half a zstd", zstd::encode_all(&trained.table[..], 3).unwrap()[..900].to_vec()),
        ("no zstd", b"\x28\xb5\x2f\xfd\xff\xff\xff\xff\xff".to_vec()),
        ("line feeds", b"\n\n\n\r\n".to_vec()),
        ("nothing", Vec::new()),
    ];
    let mut told = String::new();
    for (what, content) in &cases {
        for name in ["x1", "x.csv", "x.parquet", "x.pcap", "x.jsonl", "x.arff", "x.csv.gz"] {
            let answer = service.send("/v1/jobs", &[("model", "kinds")], Some((name, content)));
            let line = match answer.status {
                202 => {
                    let job = ended(&service, answer.json()["id"].as_str().unwrap());
                    assert_ne!(job["state"], "dead", "{what} as {name}: {job}");
                    assert_eq!(job["state"], "failed", "{what} as {name}: {job}");
                    assert_eq!(job["reason"]["kind"], "bad-input", "{what} as {name}: {job}");
                    job["reason"]["detail"].clone()
                }
                415 | 422 => answer.json()["detail"].clone(),
                _ => panic!("{what} as {name}: {}", answer.text()),
            };
            let line = line.as_str().unwrap();
            assert!(line.contains(name), "{what} as {name}: {line}");
            assert!(!line.contains("/tmp") && !line.contains("flowgait-"), "{what}: {line}");
            if name == "x1" || name == "x.jsonl" {
                told.push_str(&format!("{what} as {name}: {line}\n"));
            }
        }
    }
    insta::assert_snapshot!("something_else", told);
    let half =
        service.send("/v1/jobs", &[], Some(("half.pcap", &pcap[..pcap.len() / 2]))).with(202);
    let job = ended(&service, half["id"].as_str().unwrap());
    assert_eq!(job["state"], "succeeded", "what is whole in it is answered: {job}");
    assert!(job["result"]["notes"].to_string().contains("half.pcap"), "and the rest told: {job}");
}
