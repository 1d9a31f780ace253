//! Two folders of built files, compared by their names and by what is in them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::error::Error;

/// The ends of names of packed files. Another version of Node may pack otherwise, so of those only the name counts here;
/// `web/tools/unpack.js` holds what they unpack to against the file beside them.
const PACKED: [&str; 2] = ["br", "gz"];

/// What differs, a line a file.
pub fn differences(kept: &Path, built: &Path) -> Result<Vec<String>, Error> {
    let (in_kept, in_built) = (names(kept)?, names(built)?);
    let mut found = Vec::new();
    found.extend(in_built.difference(&in_kept).map(|name| format!("{name} is missing")));
    found.extend(in_kept.difference(&in_built).map(|name| format!("{name} is built no more")));
    for name in in_kept.intersection(&in_built).filter(|name| !is_packed(name)) {
        if read(&kept.join(name))? != read(&built.join(name))? {
            found.push(format!("{name} is built otherwise"));
        }
    }
    Ok(found)
}

fn is_packed(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, end)| PACKED.contains(&end))
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::Read { path: path.to_path_buf(), source })
}

/// All files below a folder, from it.
fn names(folder: &Path) -> Result<BTreeSet<String>, Error> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        let unreadable = |source| Error::Read { path: next.clone(), source };
        for entry in fs::read_dir(&next).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(inside) = path.strip_prefix(folder) {
                found.insert(inside.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, files: &[(&str, &str)]) {
        for (name, text) in files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
    }

    #[test]
    fn what_differs_is_told_by_name() {
        let folder = std::env::temp_dir().join(format!("flowgait-dist-{}", std::process::id()));
        let (kept, built) = (folder.join("kept"), folder.join("built"));
        let same = [("index.html", "a"), ("assets/a.js", "b"), ("assets/a.js.br", "c")];
        write(&kept, &same);
        write(&built, &same);
        write(&built, &[("assets/a.js.br", "packed otherwise")]);
        assert!(differences(&kept, &built).expect("both can be read").is_empty());
        write(&kept, &[("index.html", "older"), ("assets/old.js", "")]);
        write(&built, &[("assets/new.js.gz", "")]);
        let found = differences(&kept, &built).expect("both can be read");
        let expected = [
            "assets/new.js.gz is missing",
            "assets/old.js is built no more",
            "index.html is built otherwise",
        ];
        assert_eq!(found, expected);
        let _ = fs::remove_dir_all(&folder);
    }
}
