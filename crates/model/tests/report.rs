//! What an evaluation's HTML, JSON and text must hold to, whatever was measured.

#[path = "sample/drift.rs"]
mod drifting;
#[path = "sample/evaluation.rs"]
mod sample;

use std::collections::HashSet;

use flowgait_model::baseline::certain;
use flowgait_model::report::{Class, Evaluation, FORMAT, Origin, Split};
use sample::Size;

const SMALL: Size = Size { rows: 700, folds: 5, seeds: 2 };

/// Elements that have no end tag.
const VOID: [&str; 3] = ["meta", "br", "hr"];

/// Walks an HTML document as strictly as XML: every tag closed in order, every attribute quoted; gives its tags.
fn tags(html: &str) -> Result<Vec<String>, String> {
    let mut rest = html.strip_prefix("<!doctype html>").ok_or("no doctype")?;
    let (mut open, mut all) = (Vec::<String>::new(), Vec::new());
    while let Some(start) = rest.find('<') {
        if rest[..start].contains('>') {
            return Err(format!("a stray > in {:?}", &rest[..start]));
        }
        let end = rest[start..].find('>').ok_or("a tag that never ends")? + start;
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop().as_deref() != Some(name) {
                return Err(format!("</{name}> closes nothing"));
            }
            continue;
        }
        check_attributes(tag)?;
        all.push(tag.to_owned());
        let name = tag.split([' ', '/']).next().unwrap_or_default();
        if matches!(name, "style" | "script") {
            let close = format!("</{name}>");
            rest = &rest[rest.find(&close).ok_or("raw text that never ends")? + close.len()..];
        } else if !tag.ends_with('/') && !VOID.contains(&name) {
            open.push(name.to_owned());
        }
    }
    if open.is_empty() { Ok(all) } else { Err(format!("never closed: {open:?}")) }
}

/// `name`, then ` key="value"` or ` key`, without a quote or an angle bracket where none belongs.
fn check_attributes(tag: &str) -> Result<(), String> {
    if !tag.matches('"').count().is_multiple_of(2) || tag.contains('<') {
        return Err(format!("bad quotes in <{tag}>"));
    }
    let outside: String = tag.split('"').step_by(2).collect::<Vec<_>>().join("\u{1}");
    let word = |c: char| c.is_ascii_alphanumeric() || "-= /\u{1}".contains(c);
    let attribute = |part: &str| part.contains('=') == part.contains('\u{1}');
    let good = outside.chars().all(word) && outside.split(' ').all(attribute);
    if good { Ok(()) } else { Err(format!("bad attribute in <{tag}>")) }
}

/// Everything that every report must hold to.
fn check(evaluation: &Evaluation) {
    let html = evaluation.to_html();
    let tags = tags(&html).unwrap_or_else(|error| panic!("{error}"));
    for fetch in
        ["http:", "https:", "url(", "@import", "<link", "<img", "<iframe", " src=", "srcset"]
    {
        assert!(!html.contains(fetch), "the page fetches: {fetch}");
    }
    let values = |key: &str| {
        let start = format!(" {key}=\"");
        let value =
            move |tag: &String| Some(tag.split(&start).nth(1)?.split('"').next()?.to_owned());
        tags.iter().filter_map(value).collect::<Vec<String>>()
    };
    let ids = values("id");
    let distinct: HashSet<&String> = ids.iter().collect();
    assert_eq!(ids.len(), distinct.len(), "an id is there twice");
    for target in values("aria-labelledby").iter().flat_map(|list| list.split(' ')) {
        assert!(distinct.contains(&target.to_owned()), "nothing has the id {target}");
    }
    for tag in tags.iter().filter(|tag| tag.starts_with("svg")) {
        let said =
            tag.contains("role=\"img\"") || tag.contains("aria-hidden") || tag.contains("stretch");
        assert!(said, "a picture that nobody can hear: <{tag}>");
    }
    // Tags hold places and sizes; text holds scores.
    let written = html.split("<script>").next().unwrap_or_default();
    for number in ["NaN", "inf%", ">inf<", "-inf"] {
        assert!(!written.contains(number), "{number} in the page");
    }
    for width in [60, 80, 120] {
        let text = evaluation.to_text(width);
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
        for line in text.lines() {
            assert!(line.chars().count() <= width, "wider than {width}: {line}");
            assert!(!line.contains(char::is_control) && line.trim_end() == line, "{line:?}");
        }
    }
    let again: Evaluation =
        serde_json::from_str(&evaluation.to_json()).expect("our own JSON can be read");
    assert_eq!(&again, evaluation);
}

#[test]
fn a_full_report_is_whole() {
    let evaluation = sample::kinds(&SMALL).unwrap();
    assert_eq!(evaluation.format, FORMAT);
    check(&evaluation);
    let html = evaluation.to_html();
    let panes = [
        "What it confuses",
        "Is its confidence true?",
        "Class by class",
        "How soon it knows",
        "Leak meter",
        "What refusing buys",
        "Traffic it never learnt",
        "Does it hold everywhere?",
        "What it looks at",
        "Every score",
        "Model card",
    ];
    for pane in panes {
        assert!(html.contains(&format!("<h2>{pane} ")), "no {pane}");
    }
    assert!(html.contains("made traffic"));
}

#[test]
fn drift_has_a_section_of_its_own() {
    let mut evaluation = sample::kinds(&SMALL).unwrap();
    assert!(!evaluation.to_html().contains("<h2>Drift") && !evaluation.to_json().contains("drift"));
    evaluation.drift = Some(drifting::drift());
    check(&evaluation);
    assert!(evaluation.to_html().contains("<h2>Drift <small>"));
    let section = |evaluation: &Evaluation, width| {
        let text = evaluation.to_text(width);
        let from = text.find("\nDrift since").unwrap();
        text[from..text.find("\nScores  ").unwrap_or(text.len())].to_owned()
    };
    insta::assert_snapshot!("drift_100", section(&evaluation, 100));
    insta::assert_snapshot!("drift_60", section(&evaluation, 60));

    // Every sentence of the verdict, and nothing to tell of at all.
    let drift = evaluation.drift.as_mut().unwrap();
    drift.shift.weighed = false;
    drift.shift.all.p_value = 0.3;
    check(&evaluation);
    assert!(
        evaluation
            .to_text(500)
            .contains("Features did not move beyond chance on the whole, but 2 of 26")
    );
    let drift = evaluation.drift.as_mut().unwrap();
    drift.classes.clear();
    drift.shift.features.clear();
    check(&evaluation);
    assert!(evaluation.to_text(500).contains("No drift is seen"));
    evaluation.drift.as_mut().unwrap().shift.all.p_value = 0.001;
    assert!(evaluation.to_text(500).contains("The traffic drifted, and the model bears it"));
}

#[test]
fn no_pane_stands_beside_an_empty_place() {
    let mut evaluation = sample::kinds(&SMALL).unwrap();
    let narrow = |of: &Evaluation| of.to_html().matches("<section class=\"pane\">").count();
    assert!(narrow(&evaluation).is_multiple_of(2));
    evaluation.drift = Some(drifting::drift());
    assert!(narrow(&evaluation).is_multiple_of(2));
    evaluation.unknown = None;
    assert!(narrow(&evaluation).is_multiple_of(2));
}

#[test]
fn what_was_not_measured_is_left_out() {
    let bare = Evaluation::new(
        "bare",
        vec![Class::named("Web"), Class::named("Chat")],
        &[0, 1, 1],
        &certain(&[0, 1, 0], 2),
    )
    .unwrap();
    check(&bare);
    let html = bare.to_html();
    for pane in [
        "How soon it knows",
        "Leak meter",
        "What it must beat",
        "Traffic it never learnt",
        "What it looks at",
        "Does it hold",
    ] {
        assert!(!html.contains(pane), "{pane} without a measurement");
    }
    assert!(!html.contains("made traffic") && !html.contains("would flatter"));
}

#[test]
fn any_number_of_classes_and_of_rows_will_do() {
    for classes in [2_usize, 3, 24, 25, 31, 128, 200] {
        let names = || {
            (0..classes).map(|class| Class::named(&format!("class {class}"))).collect::<Vec<_>>()
        };
        for rows in [1, 3, 40, 900] {
            let truth: Vec<u32> = (0..rows).map(|row| (row * 7 % classes) as u32).collect();
            let said: Vec<u32> =
                (0..rows).map(|row| (row * 5 % classes.div_ceil(2)) as u32).collect();
            check(&Evaluation::new("any", names(), &truth, &certain(&said, classes)).unwrap());
        }
    }
    for size in [Size { rows: 3, folds: 3, seeds: 1 }, Size { rows: 60, folds: 20, seeds: 3 }] {
        check(&sample::kinds(&size).unwrap());
        check(&sample::applications(128, &size).unwrap());
    }
}

#[test]
fn names_cannot_break_out() {
    let hostile = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "</style></title></svg>&amp;&#x3c;",
        "\u{1b}[2J\u{202e}txt.exe\r\n\0",
        "",
        &"long ".repeat(400),
        "日本語のラベル",
    ];
    let classes = hostile.map(Class::named).to_vec();
    let mut evaluation = sample::evaluation(classes, &SMALL).unwrap();
    evaluation.title = hostile.join(" ");
    evaluation.data.source = hostile.join(" ");
    evaluation.split = Split::Grouped { by: hostile[1].to_owned() };
    evaluation.notes = hostile.map(str::to_owned).to_vec();
    for baseline in &mut evaluation.baselines {
        baseline.name = hostile[0].to_owned();
        baseline.what = hostile[3].to_owned();
    }
    let importances = evaluation.importances.as_mut().unwrap();
    importances.measure = hostile[2].to_owned();
    for (feature, name) in importances.features.iter_mut().zip(hostile) {
        feature.name = name.to_owned();
        feature.unit = name.to_owned();
    }
    for fact in &mut evaluation.model {
        fact.name = hostile[1].to_owned();
        fact.value = hostile[0].to_owned();
    }
    evaluation.unknown.as_mut().unwrap().left_out = hostile.map(str::to_owned).to_vec();
    let mut drift = drifting::drift();
    for (class, name) in drift.classes.iter_mut().zip(hostile) {
        class.class = name.to_owned();
        class.alarm.iter_mut().for_each(|alarm| alarm.reason = name.to_owned());
    }
    for (feature, name) in drift.shift.features.iter_mut().zip(hostile) {
        feature.name = name.to_owned();
        feature.unit = name.to_owned();
    }
    drift.notes = hostile.map(str::to_owned).to_vec();
    evaluation.drift = Some(drift);
    let html = evaluation.to_html();
    let tags = tags(&html).unwrap_or_else(|error| panic!("{error}"));
    let scripts = tags.iter().filter(|tag| tag.starts_with("script")).count();
    assert_eq!(scripts, 1, "only our own script");
    assert!(tags.iter().all(|tag| !tag.starts_with("img")));
    let handler = |tag: &String| tag.split('"').step_by(2).any(|outside| outside.contains(" on"));
    assert!(!tags.iter().any(handler), "an event handler came in");
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    for line in evaluation.to_text(80).lines() {
        assert!(!line.contains(|c: char| c.is_control() || c == '\u{202e}'), "{line:?}");
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn only_our_own_script_may_run() {
    use sha2::{Digest, Sha256};
    let html = sample::kinds(&SMALL).unwrap().to_html();
    let script = html.split("<script>").nth(1).unwrap().split("</script>").next().unwrap();
    let allowed = html.split("'sha256-").nth(1).unwrap().split('\'').next().unwrap();
    // Back from base64, six bits a letter.
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: String = allowed
        .trim_end_matches('=')
        .chars()
        .map(|c| format!("{:06b}", letters.find(c).unwrap()))
        .collect();
    let bytes: Vec<u8> =
        (0..32).map(|byte| u8::from_str_radix(&bits[byte * 8..byte * 8 + 8], 2).unwrap()).collect();
    assert_eq!(bytes, Sha256::digest(script.as_bytes()).to_vec());
}

#[test]
fn the_doubt_is_in_words() {
    let mut evaluation = sample::kinds(&SMALL).unwrap();
    let text = evaluation.to_text(500);
    for sentence in [
        "! Made traffic:",
        "· Grouped by capture:",
        "! A random split would flatter this model by ",
    ] {
        assert!(text.contains(sentence), "no {sentence:?} in {text}");
    }
    evaluation.data.origin = Origin::Recorded;
    evaluation.split = Split::Random;
    let text = evaluation.to_text(500);
    assert!(!text.contains("Made traffic") && !text.contains("would flatter this model"));
    assert!(text.contains("! Random split: flows of one session lie on both sides"));
    // A baseline that does as well is named, and so is a lead that may be chance.
    let ours = evaluation.spreads["accuracy"];
    evaluation.baselines[0].accuracy = ours;
    let lead = evaluation.baselines[2].lead.as_mut().unwrap();
    lead.p_value = 0.21;
    let text = evaluation.to_text(500);
    assert!(text.contains("! Raw 10-packet k-NN does as well or better"));
    assert!(text.contains("! The lead over Majority class may be chance"));
    let few = Evaluation::new(
        "few",
        vec![Class::named("a"), Class::named("b")],
        &[0, 1, 1],
        &certain(&[0, 1, 0], 2),
    )
    .unwrap();
    assert!(few.to_text(500).contains("! Only 3 rows were judged"));
    assert!(few.to_text(500).contains("2 of 2 classes have fewer than 10 rows"));
}

#[test]
fn the_terminal_shows_a_whole_evaluation() {
    insta::assert_snapshot!("kinds_80", sample::kinds(&SMALL).unwrap().to_text(80));
    insta::assert_snapshot!(
        "applications_60",
        sample::applications(128, &Size { rows: 1_000, folds: 2, seeds: 1 }).unwrap().to_text(60)
    );
    let bare = Evaluation::new(
        "bare",
        vec![Class::named("Web"), Class::named("Chat")],
        &[0, 1, 1],
        &certain(&[0, 1, 0], 2),
    )
    .unwrap();
    insta::assert_snapshot!("bare_72", bare.to_text(72));
}
