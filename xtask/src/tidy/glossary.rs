//! One word per idea: the words that `docs/GLOSSARY.md` bans.

use super::{File, Finding, table_below};

const GLOSSARY: &str = "docs/GLOSSARY.md";
const HEADING: &str = "Say, not";

/// A row of the table: the word to say, those not to say, and the paths where somebody else's name is kept.
struct Ban {
    say: String,
    not: Vec<Vec<String>>,
    kept_in: Vec<String>,
}

pub fn check(files: &[File]) -> Vec<Finding> {
    let Some(glossary) = files.iter().find(|file| file.path == GLOSSARY) else {
        return vec![Finding::new(GLOSSARY, 1, "is missing")];
    };
    let bans = bans(glossary);
    if bans.is_empty() {
        return vec![Finding::new(GLOSSARY, 1, format!("has no table below `{HEADING}`"))];
    }
    let prose = ["rs", "md", "toml", "py", "html", "sh"];
    let read = files.iter().filter(|file| prose.iter().any(|extension| file.is(extension)));
    read.filter(|file| file.path != GLOSSARY && !file.path.starts_with("xtask/src/tidy/"))
        .flat_map(|file| check_file(file, &bans))
        .collect()
}

fn bans(glossary: &File) -> Vec<Ban> {
    let quoted = |cell: &str| -> Vec<String> {
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let rows = table_below(glossary, HEADING).into_iter();
    rows.map(|(_, cells)| Ban {
        say: cells[0].to_owned(),
        not: quoted(cells.get(1).unwrap_or(&"")).iter().map(|phrase| words(phrase)).collect(),
        kept_in: quoted(cells.get(2).unwrap_or(&"")),
    })
    .collect()
}

fn check_file(file: &File, bans: &[Ban]) -> Vec<Finding> {
    let applying =
        || bans.iter().filter(|ban| !ban.kept_in.iter().any(|path| file.path.starts_with(path)));
    let mut findings = Vec::new();
    for (at, line) in file.lines() {
        let said = words(line);
        for ban in applying() {
            for phrase in ban
                .not
                .iter()
                .filter(|phrase| said.windows(phrase.len()).any(|run| run == **phrase))
            {
                let what = format!("say {}, not \"{}\" ({GLOSSARY})", ban.say, phrase.join(" "));
                findings.push(Finding::new(&file.path, at, what));
            }
        }
    }
    findings
}

/// The words of a text in lower case; `snake_case`, `CamelCase` and `kebab-case` fall into their parts.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut before_lower = false;
    for c in text.chars() {
        let starts_anew = c.is_uppercase() && before_lower;
        if (!c.is_alphanumeric() || starts_anew) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        before_lower = c.is_lowercase();
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn glossary() -> File {
        let text = format!(
            "## {HEADING}\n\n| say | not | kept in |\n| --- | --- | --- |\n\
             | gap | `inter-arrival`, `iat` | `crates/features/src/table` |\n\
             | end reason | `close cause` | |\n"
        );
        file(GLOSSARY, &text)
    }

    fn check_text(path: &str, text: &str, expected: usize) {
        let found = check(&[glossary(), file(path, text)]);
        assert_eq!(found.len(), expected, "{found:?}");
    }

    #[test]
    fn banned_words_are_found_in_code_and_prose() {
        check_text("crates/flow/src/meter.rs", "let mean_iat = 0;", 1);
        check_text("crates/flow/src/meter.rs", "struct InterArrival;", 1);
        check_text("README.md", "The inter-arrival time", 1);
        check_text("docs/X.md", "its Close cause.\n\nclose cause", 2);
    }

    #[test]
    fn other_words_are_not() {
        check_text("README.md", "the gap; the end reason; initiator", 0);
        check_text("data.csv", "iat", 0);
    }

    #[test]
    fn other_tools_names_are_kept_in_their_place() {
        check_text("crates/features/src/table/radcom.rs", "\"min_fwd_inter_arrival_time\"", 0);
        check_text("crates/features/src/schema.rs", "\"min_fwd_inter_arrival_time\"", 1);
    }

    #[test]
    fn a_glossary_without_its_table_is_found() {
        assert_eq!(check(&[]).len(), 1);
        assert_eq!(check(&[file(GLOSSARY, "# Words")]).len(), 1);
    }

    #[test]
    fn words_fall_apart_at_every_joint() {
        assert_eq!(
            words("meanIat_of FlowKey, SNI-name"),
            ["mean", "iat", "of", "flow", "key", "sni", "name"]
        );
    }
}
