//! The longest files and functions: a judgement to make, never a failure.

use super::File;

const SHOWN: usize = 10;

pub fn print_longest(files: &[File]) {
    let sources = || files.iter().filter(|file| file.is("rs"));
    println!("longest files (past 400 lines, look for the second idea):");
    print_first(sources().map(|file| (file.lines().count(), file.path.clone())).collect());
    println!("longest functions (aim for 40 lines; past 70, split):");
    print_first(sources().flat_map(functions).collect());
}

fn print_first(mut lengths: Vec<(usize, String)>) {
    lengths.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    for (lines, name) in lengths.iter().take(SHOWN) {
        println!("  {lines:5} {name}");
    }
}

/// Every function with its length. Sources are formatted, so one ends at the first `}` of its own indentation.
fn functions(file: &File) -> Vec<(usize, String)> {
    let lines: Vec<&str> = file.lines().map(|(_, line)| line).collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = line.len() - line.trim_start().len();
        let end = format!("{}}}", &line[..indent]);
        let Some(length) = lines[at..].iter().position(|below| *below == end) else { continue };
        found.push((length + 1, format!("{}:{} {name}", file.path, at + 1)));
    }
    found
}

fn function_name(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    for word in ["pub(crate) ", "pub(super) ", "pub ", "const ", "async "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    let name = rest.strip_prefix("fn ")?;
    // A function on one line has no body to measure.
    (!line.trim_end().ends_with([';', '}'])).then_some(name.split(['(', '<']).next()?)
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn functions_are_measured() {
        let text = "//! x\npub fn a<T>(\n    x: T,\n) {\n    if x {\n    }\n}\nimpl X {\n    pub(crate) const fn b() -> u8 {\n        1\n    }\n    fn c();\n}\n";
        let found = functions(&file("x.rs", text));
        assert_eq!(found, [(6, "x.rs:2 a".to_owned()), (3, "x.rs:9 b".to_owned())]);
    }
}
