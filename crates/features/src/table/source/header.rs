//! A header's names, told apart as pandas does: the second `x` is `x.1`, and the column without a name is `Unnamed: 3`.
//!
//! It follows from the header alone, so a model finds the same names again when it answers.

use std::collections::{HashMap, HashSet};

/// A column whose name was taken, and the column that has it.
pub(crate) type Twin = (String, String);

/// Gives every column a name of its own.
pub(super) fn tell_apart(header: &mut [String]) -> Vec<Twin> {
    for (place, name) in header.iter_mut().enumerate().filter(|(_, name)| name.is_empty()) {
        *name = format!("Unnamed: {place}");
    }
    let mut taken: HashSet<String> = header.iter().cloned().collect();
    let mut count: HashMap<String, usize> = HashMap::new();
    let mut twins = Vec::new();
    for name in header.iter_mut() {
        let Some(last) = count.get_mut(name.as_str()) else {
            count.insert(name.clone(), 0);
            continue;
        };
        let own = loop {
            *last += 1;
            let own = format!("{name}.{last}");
            if taken.insert(own.clone()) {
                break own;
            }
        };
        twins.push((own.clone(), std::mem::replace(name, own)));
    }
    twins
}

/// What is said of names that come twice.
pub(super) fn told(header: &[String], twins: &[Twin]) -> Option<String> {
    let (own, first) = twins.first()?;
    let number = |of: &String| header.iter().position(|name| name == of).map_or(0, |at| at + 1);
    let mut text = format!(
        "columns {} and {} are both called '{first}': the second is read as '{own}'",
        number(first),
        number(own)
    );
    match twins.len() - 1 {
        0 => {}
        1 => text.push_str("; one more column has a name that was taken"),
        more => text.push_str(&format!("; {more} more columns have names that were taken")),
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: &[&str], expected: &[&str]) {
        let mut names: Vec<String> = header.iter().map(ToString::to_string).collect();
        tell_apart(&mut names);
        assert_eq!(names, expected);
    }

    #[test]
    fn every_name_is_another() {
        check(&["a", "b"], &["a", "b"]);
        check(&["a", "b", "a", "a"], &["a", "b", "a.1", "a.2"]);
        check(&["a", "a", "a.1"], &["a", "a.2", "a.1"]);
        check(&["a.1", "a.1", "a"], &["a.1", "a.1.1", "a"]);
        check(&["", "a", ""], &["Unnamed: 0", "a", "Unnamed: 2"]);
        check(&["Unnamed: 1", ""], &["Unnamed: 1", "Unnamed: 1.1"]);
    }

    #[test]
    fn what_was_told_apart_is_said() {
        let mut names = ["a", "b", "a", "b"].map(str::to_string);
        let twins = tell_apart(&mut names);
        let told = told(&names, &twins).unwrap();
        assert_eq!(
            told,
            "columns 1 and 3 are both called 'a': the second is read as 'a.1'; one more column has a name that was taken"
        );
    }
}
