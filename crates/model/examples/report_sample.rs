//! Writes a report of made numbers, to look at: `cargo run -p flowgait-model --example report_sample -- report.html 128`.
//!
//! The second argument is the number of classes (7 without it); the path's ending chooses HTML, JSON or plain text.

#[path = "../tests/sample/evaluation.rs"]
mod sample;

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("give the path to write to")?;
    let evaluation = match arguments.next() {
        None => sample::kinds(&sample::Size { rows: 4_000, folds: 5, seeds: 5 })?,
        Some(classes) => {
            let classes = classes.parse::<usize>()?.clamp(2, 400);
            sample::applications(
                classes,
                &sample::Size { rows: (classes * 40).min(8_000), folds: 5, seeds: 2 },
            )?
        }
    };
    let report = match path.rsplit('.').next() {
        Some("json") => evaluation.to_json(),
        Some("txt") => evaluation.to_text(100),
        _ => evaluation.to_html(),
    };
    Ok(std::fs::write(&path, report)?)
}
