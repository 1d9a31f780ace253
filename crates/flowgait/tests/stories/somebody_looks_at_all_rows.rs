//! Somebody looks at all rows of a result on a page, and then at one of them.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

use serde_json::Value;

use crate::service::{Service, rows, trained};
use crate::support::{self, Place};
use crate::wire;

const ARGS: [&str; 4] = ["--store", "sqlite:data", "--blobs", "data"];

/// A view, read by what its description says and nothing else.
struct View {
    header: Value,
    columns: BTreeMap<String, Vec<f64>>,
}

impl View {
    fn of(octets: &[u8]) -> Self {
        assert_eq!(&octets[..4], b"FGV1");
        let length = u32::from_le_bytes(octets[4..8].try_into().unwrap()) as usize;
        let header: Value = serde_json::from_slice(&octets[8..8 + length]).unwrap();
        let begin = (8 + length).next_multiple_of(8);
        let mut columns = BTreeMap::new();
        for column in header["columns"].as_array().unwrap() {
            let number = |key: &str| column[key].as_u64().unwrap() as usize;
            let from = begin + number("offset");
            assert_eq!(from % 8, 0);
            macro_rules! read {
                ($kind:ty) => {{
                    const EACH: usize = size_of::<$kind>();
                    octets[from..from + number("count") * EACH]
                        .chunks_exact(EACH)
                        .map(|octets| <$kind>::from_le_bytes(octets.try_into().unwrap()) as f64)
                        .collect()
                }};
            }
            let values: Vec<f64> = match column["kind"].as_str().unwrap() {
                "u16" => read!(u16),
                "i16" => read!(i16),
                "u32" => read!(u32),
                "f32" => read!(f32),
                "f64" => read!(f64),
                other => panic!("{other}"),
            };
            columns.insert(column["name"].as_str().unwrap().to_owned(), values);
        }
        Self { header, columns }
    }

    fn texts(&self, at: &str) -> Vec<String> {
        let list = self.header.pointer(at).unwrap().as_array().unwrap();
        list.iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    }

    fn missing(&self) -> Vec<String> {
        self.texts("/missing")
    }

    /// A column of places as texts; an empty one for none.
    fn named(&self, column: &str, list: &str) -> Vec<String> {
        let texts = self.texts(list);
        let text = |place: &f64| texts.get(*place as usize).cloned().unwrap_or_default();
        self.columns[column].iter().map(text).collect()
    }

    /// Sizes and times of a row's packets.
    fn gait(&self, row: usize) -> (Vec<f64>, Vec<f64>) {
        let begin = &self.columns["gait_begin"];
        let range = begin[row] as usize..begin[row + 1] as usize;
        let of = |name: &str| {
            self.columns.get(name).map(|all| all[range.clone()].to_vec()).unwrap_or_default()
        };
        (of("gait_size"), of("gait_time"))
    }
}

/// The status, the head and the body of what is asked for with further headers.
fn ask(service: &Service, path: &str, headers: &str) -> (u16, String, Vec<u8>) {
    let mut stream = wire::connect(service);
    let own = service.address();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n{headers}\r\n")
        .unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    let end = all.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(all[..end].to_vec()).unwrap().to_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head, all[end + 4..].to_vec())
}

fn submit(service: &Service, fields: &[(&str, &str)], name: &str, table: &[u8]) -> String {
    let job = service.send("/v1/jobs", fields, Some((name, table))).with(202);
    let id = job["id"].as_str().unwrap().to_owned();
    service.job_that(&id, "succeeded");
    id
}

fn view(service: &Service, job: &str) -> View {
    let answer = service.get(&format!("/v1/jobs/{job}/view"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    View::of(&answer.body)
}

/// A made capture, a table of its flows with labels, and a model of them in the registry.
fn flows(place: &Place, schema: &str, label: &[&str]) -> String {
    place.ok(&["synth", "demo", "-o", "a.pcap", "--labels", "truth.csv", "--flows", "150"]);
    place.ok(&["meter", "a.pcap", "-o", "a.csv", "--labels", "truth.csv", "--schema", schema]);
    let fit = ["fit", "a.csv", "--estimator", "forest", "--trees", "20", "-o", "uses.fgm"];
    place.ok(&[&fit, label].concat());
    place.ok(&["models", "import", "uses.fgm", "--registry", "data/models"]);
    place.text("a.csv")
}

/// Every number of a column as the cells of another have it; NaN and an empty cell are one.
fn check_numbers(view: &View, column: &str, cells: &[String], number: impl Fn(&str) -> f64) {
    let values = &view.columns[column];
    assert_eq!(values.len(), cells.len());
    for (row, (value, cell)) in values.iter().zip(cells).enumerate() {
        let expected = if cell.is_empty() { f64::NAN } else { number(cell) };
        let same = value == &expected || value.is_nan() && expected.is_nan();
        assert!(same, "{column}, row {}: {value}, and the cell is '{cell}'", row + 1);
    }
}

fn plain(cell: &str) -> f64 {
    cell.parse().unwrap()
}

/// As 32 bits hold it.
fn single(cell: &str) -> f64 {
    cell.parse::<f32>().unwrap().into()
}

#[test]
fn the_columns_of_a_view_are_the_cells_of_the_result() {
    let place = Place::new();
    let table = flows(&place, "flowgait", &["--label", "application", "--category", "category"]);
    let service = Service::start(&place, &ARGS, &[]);
    let fields = [("model", "uses"), ("proba", "true"), ("reject", "0.5")];
    let job = submit(&service, &fields, "a.csv", table.as_bytes());
    let result = String::from_utf8(service.result(&job)).unwrap();
    let cells = |name: &str| support::column(&result, name);
    let found = view(&service, &job);
    let header = &found.header;
    assert_eq!(header["rows"], cells("prediction").len());
    assert_eq!((&header["of"], &header["job"]), (&header["rows"], &job.clone().into()));
    assert_eq!((&header["model"], &header["gait_of"]), (&"uses@1".into(), &"payload".into()));
    assert!(found.missing().is_empty(), "{:?}", found.missing());

    let or_nothing = |cells: Vec<String>| -> Vec<String> {
        cells.into_iter().map(|cell| if cell == "unknown" { String::new() } else { cell }).collect()
    };
    assert!(cells("prediction").contains(&"unknown".to_owned()), "some are withheld");
    assert_eq!(found.named("prediction", "/classes"), or_nothing(cells("prediction")));
    assert_eq!(found.named("second", "/classes"), cells("prediction_2"));
    assert_eq!(found.named("category", "/categories"), or_nothing(cells("prediction_category")));
    assert_eq!(found.named("truth", "/classes"), cells("application"));
    assert_eq!(found.named("server", "/dictionaries/server"), cells("responder_address"));
    check_numbers(&found, "confidence", &cells("confidence"), single);
    check_numbers(&found, "second_confidence", &cells("confidence_2"), single);
    check_numbers(&found, "bytes_up", &cells("forward_octets"), plain);
    check_numbers(&found, "bytes_down", &cells("backward_octets"), plain);
    check_numbers(&found, "duration", &cells("duration_micros"), |cell| plain(cell) * 1e-6);
    check_numbers(&found, "start", &cells("start"), plain);
    let spoken = cells("handshake_carrier").into_iter().zip(cells("protocol"));
    let spoken = spoken.map(|(carrier, protocol)| match (carrier.as_str(), protocol.as_str()) {
        ("1", _) => "TLS".to_owned(),
        ("3", _) => "QUIC".to_owned(),
        (_, "6") => "TCP".to_owned(),
        (_, "17") => "UDP".to_owned(),
        other => panic!("{other:?}"),
    });
    assert_eq!(found.named("protocol", "/dictionaries/protocol"), spoken.collect::<Vec<_>>());
    let numbers = |cell: &String| cell.split_whitespace().map(plain).collect::<Vec<_>>();
    let (payload, gaps) = (cells("payload_octets_sequence"), cells("payload_gap_micros_sequence"));
    let (packets, all_gaps) = (cells("packet_payload"), cells("packet_gap_micros"));
    for row in 0..payload.len() {
        let (sizes, times) = found.gait(row);
        assert_eq!(sizes, numbers(&payload[row]), "row {}", row + 1);
        let packets = numbers(&packets[row]);
        let first = packets.iter().position(|size| *size != 0.0).unwrap_or(packets.len());
        let mut micros: f64 = numbers(&all_gaps[row]).iter().take(first + 1).sum();
        for (gap, time) in numbers(&gaps[row]).into_iter().zip(times) {
            micros += gap;
            assert_eq!(time, f64::from((micros / 1e6) as f32), "row {}", row + 1);
        }
    }
    assert!((0..payload.len()).any(|row| found.gait(row).0.len() > 9), "some flows have a gait");

    // Whatever the format of the answers, the page shows the same.
    for format in ["jsonl", "parquet"] {
        let fields = [&fields[..], &[("format", format)]].concat();
        let job = submit(&service, &fields, "a.csv", table.as_bytes());
        let other = view(&service, &job);
        for (name, values) in &found.columns {
            let texts = |values: &[f64]| values.iter().map(f64::to_string).collect::<Vec<_>>();
            assert_eq!(texts(&other.columns[name]), texts(values), "{format}, {name}");
        }
        assert_eq!(other.header["dictionaries"], found.header["dictionaries"]);
    }
    // Of a capture that nobody labelled there is no truth.
    let job = submit(&service, &fields, "a.pcap", &place.bytes("a.pcap"));
    let other = view(&service, &job);
    assert_eq!(other.missing(), ["truth"]);
    assert_eq!(other.columns["gait_size"], found.columns["gait_size"]);
}

#[test]
fn the_table_of_another_tool_shows_what_it_has() {
    let place = Place::new();
    let table = flows(&place, "nfstream", &["--label", "application_category_name"]);
    let service = Service::start(&place, &ARGS, &[]);
    let job = submit(&service, &[("model", "uses"), ("proba", "true")], "a.csv", table.as_bytes());
    let result = String::from_utf8(service.result(&job)).unwrap();
    let cells = |name: &str| support::column(&result, name);
    let found = view(&service, &job);
    assert_eq!(found.missing(), ["category"]);
    assert_eq!(found.header["gait_of"], "packets");
    assert_eq!(found.named("prediction", "/classes"), cells("prediction"));
    assert_eq!(found.named("truth", "/classes"), cells("application_category_name"));
    assert_eq!(found.named("server", "/dictionaries/server"), cells("dst_ip"));
    check_numbers(&found, "bytes_up", &cells("src2dst_bytes"), plain);
    check_numbers(&found, "bytes_down", &cells("dst2src_bytes"), plain);
    check_numbers(&found, "duration", &cells("bidirectional_duration_ms"), |c| plain(c) * 1e-3);
    check_numbers(&found, "start", &cells("bidirectional_first_seen_ms"), |c| plain(c) / 1e3);
    let list = |cell: &String| -> Vec<f64> {
        cell.trim_matches(['[', ']']).split(", ").map(plain).collect()
    };
    let (sizes, directions) = (cells("splt_ps"), cells("splt_direction"));
    let gaps = cells("splt_piat_ms");
    for row in 0..sizes.len() {
        let steps = list(&sizes[row]).into_iter().zip(list(&directions[row]));
        let steps: Vec<(f64, f64)> = steps.take_while(|(size, _)| *size >= 0.0).collect();
        let (found, times) = found.gait(row);
        let expected: Vec<f64> =
            steps.iter().map(|(size, side)| if *side == 0.0 { *size } else { -*size }).collect();
        assert_eq!(found, expected, "row {}", row + 1);
        let mut millis = 0.0;
        for (gap, time) in list(&gaps[row]).into_iter().zip(times) {
            millis += gap;
            assert_eq!(time, f64::from((millis / 1e3) as f32), "row {}", row + 1);
        }
    }
    // A row of it, too, whose cells have commas in quotes.
    let detail = service.get(&format!("/v1/jobs/{job}/rows/7")).with(200);
    assert_eq!(detail["cells"]["splt_ps"], sizes[6]);
}

#[test]
fn a_table_without_flows_shows_its_answers() {
    let place = Place::new();
    let trained = trained(&place, 30);
    let service = Service::start(&place, &ARGS, &[]);
    let job = service.submit("kinds", &trained.table);
    service.job_that(&job, "succeeded");
    let found = view(&service, &job);
    let result = String::from_utf8(service.result(&job)).unwrap();
    assert_eq!(found.named("prediction", "/classes"), support::column(&result, "prediction"));
    assert_eq!(found.columns.len(), 1, "{:?}", found.columns.keys());
    assert_eq!(found.missing().len(), 14);
    assert_eq!(found.header["gait_of"], Value::Null);
    // The column that the model was fitted by is the truth, and nobody else's column is the answer.
    let mut table = String::from("prediction,a,b,c,kind\n");
    let labelled = String::from_utf8(rows(5, true)).unwrap();
    labelled.lines().skip(1).for_each(|line| table += &format!("mine,{line}\n"));
    let job = service.submit("kinds", table.as_bytes());
    service.job_that(&job, "succeeded");
    let found = view(&service, &job);
    assert_eq!(found.named("truth", "/classes"), ["web", "video", "voice", "web", "video"]);
    assert!(found.named("prediction", "/classes").contains(&"video".to_owned()));
    let detail = service.get(&format!("/v1/jobs/{job}/rows/2")).with(200);
    assert_eq!(detail["cells"]["prediction"], "mine");
    assert_eq!(detail["prediction"], found.named("prediction", "/classes")[1]);
    let mut empty = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    empty.write_all(b"a,b,c\n").unwrap();
    let empty = service.submit("kinds", &empty.finish().unwrap());
    service.job_that(&empty, "succeeded");
    let found = view(&service, &empty);
    assert_eq!((&found.header["rows"], &found.header["of"]), (&0.into(), &0.into()));
    let problem = service.get(&format!("/v1/jobs/{empty}/rows/1")).with(404);
    assert_eq!(problem["detail"], "The answers have no rows.");
}

#[test]
fn a_view_is_made_once_and_packed_for_who_takes_it() {
    let place = Place::new();
    let trained = trained(&place, 3_000);
    let service = Service::start(&place, &ARGS, &[]);
    let job = service.submit("kinds", &trained.table);
    service.job_that(&job, "succeeded");
    let path = format!("/v1/jobs/{job}/view");
    let (status, head, plain) = ask(&service, &path, "");
    assert_eq!(status, 200);
    assert!(head.contains("content-type: application/octet-stream"), "{head}");
    assert!(head.contains("vary: accept-encoding") && !head.contains("content-encoding"), "{head}");
    let (_, head, packed) = ask(&service, &path, "Accept-Encoding: br, gzip\r\n");
    assert!(head.contains("content-encoding: gzip"), "{head}");
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).unwrap();
    assert!(unpacked == plain && packed.len() < plain.len());
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    let (status, _, body) = ask(&service, &path, &format!("If-None-Match: {tag}\r\n"));
    assert_eq!((status, body.len()), (304, 0));
    let kept = place.path("data").join("jobs").join(&job).join("views");
    let written = || {
        let mut files: Vec<_> = std::fs::read_dir(&kept)
            .unwrap()
            .map(|file| file.unwrap())
            .map(|file| (file.file_name(), file.metadata().unwrap().modified().unwrap()))
            .collect();
        files.sort();
        files
    };
    let before = written();
    assert_eq!(before.len(), 2, "{before:?}");
    view(&service, &job);
    assert_eq!(written(), before, "it is not made again");
}

#[test]
fn a_row_is_explained_as_the_command_line_does() {
    let place = Place::new();
    let table = flows(&place, "flowgait", &["--label", "category"]);
    let service = Service::start(&place, &ARGS, &[]);
    for format in ["csv", "jsonl", "parquet"] {
        let fields = [("model", "uses"), ("proba", "true"), ("format", format)];
        let job = submit(&service, &fields, "a.csv", table.as_bytes());
        let name = format!("answers.{format}");
        place.write(&name, service.result(&job));
        let result = submit(&service, &fields[..2], "a.csv", table.as_bytes());
        let result = String::from_utf8(service.result(&result)).unwrap();
        let (header, rows) = support::csv(&result);
        // The second row of the background is one of them.
        for number in [1, 2, 57, rows.len()] {
            let detail = service.get(&format!("/v1/jobs/{job}/rows/{number}")).with(200);
            let cells = detail["cells"].as_object().unwrap();
            for (column, cell) in header.iter().zip(&rows[number - 1]) {
                assert_eq!(cells[column], *cell, "{format}, row {number}, {column}");
            }
            assert_eq!(cells.len(), header.len());
            let row = number.to_string();
            place.ok(&["explain", "--model", "uses.fgm", &name, "--row", &row, "-o", "why.json"]);
            let why: Value = serde_json::from_str(&place.text("why.json")).unwrap();
            check_detail(&detail, &why);
        }
        service.get(&format!("/v1/jobs/{job}/rows/{}", rows.len() + 1)).with(404);
    }
}

/// That the service and the command line say the same of a row.
fn check_detail(detail: &Value, why: &Value) {
    let of = &why["classes"][0];
    let number = |value: &Value| value.as_f64().unwrap();
    assert_eq!(detail["class"], of["class"]);
    assert_eq!(detail["prediction"], why["prediction"]);
    assert_eq!(detail["probabilities"][0]["class"], why["prediction"]);
    assert_eq!(detail["probabilities"][0]["probability"], why["confidence"]);
    assert!(detail["probabilities"].as_array().unwrap().len() <= 5);
    for key in ["measure", "base", "value"] {
        assert_eq!(detail[key], of[key]);
    }
    assert_eq!(detail["against"]["rows"], why["against_rows"]);
    let shown = detail["contributions"].as_array().unwrap();
    assert_eq!(shown.len(), 8);
    let columns = of["columns"].as_array().unwrap();
    for part in shown {
        let own = columns.iter().find(|own| own["name"] == part["feature"]).unwrap();
        for (key, of_own) in [
            ("unit", "unit"),
            ("columns", "columns"),
            ("value", "value"),
            ("usual", "usual"),
            ("share", "contribution"),
        ] {
            assert_eq!(part[key], own[of_own], "{part} {own}");
        }
    }
    let least = shown.iter().map(|part| number(&part["share"]).abs()).fold(f64::MAX, f64::min);
    let larger = columns.iter().filter(|own| number(&own["contribution"]).abs() > least).count();
    assert!(larger < 8, "they are the largest");
    assert_eq!(detail["others"]["count"], columns.len() - 8);
    let shares: f64 = shown.iter().map(|part| number(&part["share"])).sum();
    let sum = number(&detail["base"]) + shares + number(&detail["others"]["share"]);
    assert!((sum - number(&detail["value"])).abs() < 1e-6, "{detail}");
}

#[test]
fn what_cannot_be_looked_at_is_said() {
    let place = Place::new();
    let trained = trained(&place, 10);
    let service = Service::start(&place, &ARGS, &[]);
    let fields = [("model", "kinds"), ("only_predictions", "true")];
    let few = submit(&service, &fields, "t.csv", &trained.table);
    let problem = service.get(&format!("/v1/jobs/{few}/rows/1")).with(409);
    assert!(
        problem["detail"].as_str().unwrap().contains("without 'only_predictions'"),
        "{problem}"
    );
    assert_eq!(view(&service, &few).header["rows"], 10);
    let one = submit(&service, &fields[..1], "t.csv", &rows(1, false));
    let problem = service.get(&format!("/v1/jobs/{one}/rows/1")).with(409);
    assert!(problem["detail"].as_str().unwrap().contains("none to hold it against"), "{problem}");
    for (number, status) in [("0", 404), ("2", 404), ("99999999999", 404), ("x", 400), ("-1", 400)]
    {
        let problem = service.get(&format!("/v1/jobs/{one}/rows/{number}")).with(status);
        assert!(problem["detail"].as_str().unwrap().contains("1"), "{number}: {problem}");
    }
    let failed = service.submit("kinds", b"a,b,c\n1,x,3\n");
    service.job_that(&failed, "failed");
    let fit = service.fit("others", &rows(60, true), "3");
    service.job_that(&fit, "succeeded");
    let nobody = "019b1e6c-3a0f-7c3e-9d59-0c0f2b0c4f11";
    for what in ["view", "rows/1"] {
        service.get(&format!("/v1/jobs/{failed}/{what}")).with(409);
        service.get(&format!("/v1/jobs/{fit}/{what}")).with(409);
        service.get(&format!("/v1/jobs/{nobody}/{what}")).with(404);
        service.get(&format!("/v1/jobs/x/{what}")).with(404);
    }
}

#[test]
fn another_s_rows_are_as_if_they_were_not_there() {
    let place = Place::new();
    let trained = trained(&place, 10);
    let key = |name: &str, scopes: &str| {
        let args = ["keys", "add", name, "--scope", scopes, "--store", "sqlite:data"];
        place.ok(&args).out.trim().to_owned()
    };
    let (own, other, asks) = (key("own", "jobs"), key("other", "jobs"), key("asks", "predict"));
    let args = [&ARGS[..], &["--bind", "0.0.0.0:0"]].concat();
    let service = Service::start(&place, &args, &[]).with_key(&own);
    let job = service.submit("kinds", &trained.table);
    service.job_that(&job, "succeeded");
    let link = service.job(&job)["links"]["result"].as_str().unwrap().to_owned();
    let paths = ["view", "rows/1"].map(|what| format!("/v1/jobs/{job}/{what}"));
    let status = |service: &Service| paths.each_ref().map(|path| service.get(path).status);
    assert_eq!(status(&service), [200, 200]);
    let service = service.with_key(&other);
    assert_eq!(status(&service), [404, 404]);
    let service = service.with_key(&asks);
    assert_eq!(status(&service), [403, 403]);
    let service = service.with_key("fgk_0000");
    assert_eq!(status(&service), [401, 401]);
    // A signed link is for the download alone.
    for path in &paths {
        let signed = link.replace(&format!("/v1/jobs/{job}/result"), path);
        assert_eq!(ask(&service, &signed, "").0, 401);
    }
}
