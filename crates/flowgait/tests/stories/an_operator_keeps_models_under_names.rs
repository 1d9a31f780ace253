//! An operator keeps models under names, promotes one, and rolls back.

use crate::support::{self, Place};

fn fitted(place: &Place) {
    let mut table = String::from("octets,gap,label\n");
    for row in 0..200_u32 {
        let web = row % 3 == 0;
        let octets = row % 50 + if web { 100 } else { 0 };
        table += &format!("{octets},{},{}\n", row % 7, if web { "web" } else { "chat" });
    }
    place.write("t.csv", &table);
    for (trees, name) in [("5", "a.fgm"), ("9", "b.fgm")] {
        let fit = ["fit", "t.csv", "--label", "label", "-o", name, "--estimator", "forest"];
        place.ok(&[&fit[..], &["--trees", trees]].concat());
    }
}

#[test]
fn promote_use_and_roll_back() {
    let place = Place::new();
    fitted(&place);
    place.write("flowgait.toml", "[models]\nregistry = \"reg\"\n");
    assert!(place.ok(&["models", "list"]).err.contains("no models"));
    place.ok(&["models", "import", "a.fgm", "--name", "kinds"]);
    place.ok(&["models", "import", "b.fgm", "--name", "kinds"]);
    // The same file once more is no third version.
    place.write("copy.fgm", place.bytes("a.fgm"));
    let run = place.ok(&["models", "import", "copy.fgm", "--name", "kinds"]);
    run.tells(&["copy.fgm is kinds@1 already, the same bytes: no version was added"]);
    place.ok(&["models", "promote", "kinds@1"]);
    let list = place.ok(&["models", "list"]).out;
    assert!(!list.contains("kinds@3"), "{list}");
    assert!(list.lines().any(|l| l.starts_with("kinds@1") && l.contains("live")), "{list}");
    let run = place.ok(&["predict", "--model", "kinds", "t.csv", "-o", "answers.csv"]);
    assert!(run.err.contains("model kinds@1"), "{}", run.err);
    assert_eq!(support::column(&place.text("answers.csv"), "prediction").len(), 200);
    let run = place.ok(&["models", "promote", "kinds@2"]);
    assert!(run.err.contains("before it was 1"), "{}", run.err);
    let run = place.ok(&["explain", "--model", "kinds@live", "t.csv", "--row", "3"]);
    assert!(run.err.contains("model kinds@2"), "{}", run.err);
    let shown = place.ok(&["models", "show", "kinds@live"]).out;
    assert!(shown.contains("chat, web") && shown.contains("checked"), "{shown}");
    place.ok(&["models", "export", "kinds@1", "-o", "out.fgm"]);
    assert_eq!(place.bytes("out.fgm"), place.bytes("a.fgm"));
}

#[test]
fn what_is_no_model_is_said() {
    let place = Place::new();
    fitted(&place);
    place.write("flowgait.toml", "[models]\nregistry = \"reg\"\n");
    let run = place.run(&["predict", "--model", "kinds", "t.csv"]);
    assert_eq!(run.status, 1);
    run.tells(&["no model kinds", "no model of that name"]);
    run.tells(&["The registry has no models", "models.registry", "ends in .fgm"]);
    let run = place.run(&["predict", "--model", "a", "t.csv"]);
    run.tells(&["There is a file of that name: --model a.fgm"]);
    let run = place.run(&["predict", "--model", "No Model", "t.csv"]);
    assert_eq!(run.status, 2);
    run.tells(&["neither a file nor a name"]);
    let run = place.run(&["models", "import", "t.csv", "--name", "kinds"]);
    assert_eq!(run.status, 1);
    run.tells(&["does not begin as a model does"]);
    place.ok(&["models", "import", "a.fgm", "--name", "kinds"]);
    let run = place.run(&["predict", "--model", "kind", "t.csv"]);
    run.tells(&["no model kind", "The registry has kinds@1"]);
    // Somebody wrote over a version.
    place.write("reg/kinds/1/model.fgm", place.bytes("b.fgm"));
    let run = place.run(&["predict", "--model", "kinds", "t.csv"]);
    assert_eq!(run.status, 1);
    run.tells(&["checksum differs"]);
}

#[test]
fn the_name_of_the_model_that_ships_is_taken() {
    let place = Place::new();
    place.write("t.csv", "a,kind\n1,x\n2,y\n3,x\n4,y\n");
    place.ok(&[
        "fit",
        "t.csv",
        "--label",
        "kind",
        "--estimator",
        "forest",
        "--trees",
        "1",
        "-o",
        "a.fgm",
    ]);
    let run = place.run(&["models", "import", "a.fgm", "--name", "starter", "--registry", "reg"]);
    assert_eq!(run.status, 1, "{}", run.err);
    run.tells(&["starter", "choose another name"]);
}

#[test]
fn a_bucket_is_no_folder() {
    let place = Place::new();
    for args in [&["models", "list"][..], &["models", "show", "kinds"]] {
        let run = place.run(&[args, &["--registry", "s3://somewhere/models"]].concat());
        assert_eq!(run.status, 2, "{}", run.err);
        run.tells(&["s3://somewhere/models is no folder", "/v1/models"]);
    }
}
