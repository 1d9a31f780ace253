//! `flowgait demo`: made traffic → flows → model → honest report → dashboard, with nothing else needed.

mod dashboard;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use flowgait_features::{Codes, split};
use flowgait_model::artifact::Model;
use flowgait_model::report::{Data, Fact, Groups, Origin};
use flowgait_synth::truth::Truth;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::evaluate::{self, Measuring};
use super::fit::Fitting;
use super::judging::{Candidates, Learner};
use super::learning::{self, Labelled, TableArgs};
use super::recipe::RecipeArgs;
use super::splitting::SplitArg;
use super::{predict, synth};
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::units;

/// What says which home a flow belongs to. A home has an address of each IP version, so that the address alone would put it on both sides of a split.
const HOME: &str = "home";
const NEAR_ADDRESS: &str = "initiator_address";
/// Share of the homes that the model never sees.
const HELD_OUT: f64 = 0.25;
const FOLDS: usize = 5;
/// The folder of the dashboard's jobs and models, in that of the demo.
const SERVICE: &str = "service";

/// What a person may type.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  flowgait demo
  flowgait demo --seed 7 --flows 4000 -o my-demo")]
pub struct Args {
    /// The seed; the same seed always gives the same files
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// How many flows to make [default: what the scenario says]
    #[arg(long, value_name = "N")]
    flows: Option<u64>,

    /// The folder for what it makes
    #[arg(short, long, value_name = "DIR", default_value = "flowgait-demo")]
    output: PathBuf,

    /// Where the dashboard is, on this machine only [default: 8080, or any where that is taken]
    #[arg(long, value_name = "P")]
    port: Option<u16>,

    /// End after the report, without the dashboard
    #[arg(long)]
    no_serve: bool,
}

/// Makes, meters, learns, judges, serves.
pub fn run(args: &Args, mut config: Config) -> Result<Outcome, Failure> {
    learning::use_threads(config.threads());
    let begun = Instant::now();
    let folder = &args.output;
    std::fs::create_dir_all(folder).map_err(|e| {
        Failure::work(format!("Cannot make the folder {}", folder.display())).because(e)
    })?;
    let truth = make(args)?;
    let labelled = meter(folder, &truth, &mut config)?;
    let model = learn(folder, &labelled, args.seed)?;
    let report = judge(folder, &labelled, &model, args.seed)?;
    output::out(&closing(&report, folder))?;
    output::note(&format!("in {}", units::span(begun.elapsed())));
    if !args.no_serve {
        dashboard::serve(&folder.join(SERVICE), args.port, config)?;
    }
    Ok(Outcome::Done)
}

fn make(args: &Args) -> Result<Truth, Failure> {
    let capture = args.output.join("traffic.pcap");
    let truth = synth::capture("demo", args.flows, args.seed, &capture)?;
    synth::save_truth(&truth, "traffic.pcap", &args.output.join("truth.csv"))?;
    step(
        1,
        &format!(
            "made traffic: {} flows, {} packets, {} ({})",
            units::grouped(truth.rows.len() as u64),
            units::grouped(truth.packets),
            units::octets(truth.octets),
            capture.display()
        ),
    );
    Ok(truth)
}

/// Meters the capture into a table of flows with the truth as labels, and reads it back as anybody would.
fn meter(folder: &Path, truth: &Truth, config: &mut Config) -> Result<Labelled, Failure> {
    let flows = folder.join("flows.csv");
    let account = synth::metered(
        &folder.join("traffic.pcap"),
        &folder.join("truth.csv"),
        &flows,
        false,
        config,
    )?;
    step(2, &format!("metered: {} ({})", account.text(), flows.display()));
    let (mut labelled, _) = table_args(folder).read_quietly(&[], None)?;
    add_homes(&mut labelled, truth);
    Ok(labelled)
}

/// How the table of flows is read.
fn table_args(folder: &Path) -> TableArgs {
    TableArgs {
        tables: vec![folder.join("flows.csv")],
        label: "category".to_owned(),
        group: Some(NEAR_ADDRESS.to_owned()),
        ..TableArgs::default()
    }
}

/// Learns from most homes and answers for the others.
fn learn(folder: &Path, labelled: &Labelled, seed: u64) -> Result<Model, Failure> {
    let (known, unseen) = homes(labelled, seed)?;
    let recipe = RecipeArgs::default();
    let table = TableArgs { group: Some(HOME.to_owned()), ..table_args(folder) };
    let fitting = Fitting {
        labelled: &known,
        table: &table,
        args: &recipe,
        seed,
        origin: Origin::Made,
        notes: &[],
        category: None,
    };
    let model = fitting.model()?;
    let path = folder.join("model.fgm");
    model.save(&path)?;
    step(
        3,
        &format!(
            "learnt {} kinds of use from {} homes ({})",
            known.labels().values.len(),
            groups(&known),
            path.display()
        ),
    );
    let answers = folder.join("answers.csv");
    let right = predict::held_out(&model, &unseen, &answers)?;
    step(
        4,
        &format!(
            "answered {} flows of {} homes it had never seen, {right:.1} % rightly ({})",
            units::grouped(unseen.dataset.rows as u64),
            groups(&unseen),
            answers.display()
        ),
    );
    Ok(model)
}

/// Judges the model's recipe over folds of homes; gives where the report is.
fn judge(folder: &Path, labelled: &Labelled, model: &Model, seed: u64) -> Result<PathBuf, Failure> {
    let split = SplitArg::Group(HOME.to_owned());
    let repeats = split.repeats(labelled, FOLDS, &[seed])?;
    let measuring = Measuring {
        brief: false,
        labelled,
        whole: &labelled.dataset,
        learner: Learner {
            candidates: Candidates::Fixed(evaluate::recipe_of(model)?),
            split: &split,
            after: None,
        },
        repeats: &repeats,
    };
    let (mut evaluation, _) = measuring.evaluation("kinds of use in made traffic")?;
    evaluation.data = Data {
        source: "flowgait demo".to_owned(),
        origin: Origin::Made,
        features: labelled.dataset.columns.len() as u64,
        groups: Some(Groups { by: HOME.to_owned(), count: groups(labelled) as u64 }),
    };
    evaluation.model.push(Fact::new("Seed", seed));
    let report = folder.join("report.html");
    output::save(&report, &evaluation.to_html())?;
    let json = evaluation.to_json();
    output::save(&folder.join("evaluation.json"), &json)?;
    dashboard::register(&folder.join(SERVICE), &folder.join("model.fgm"), json.as_bytes())?;
    let text = evaluation.to_text(output::terminal_width());
    output::out(&format!("\n{}\n", text.trim_end()))?;
    Ok(report)
}

fn step(number: usize, text: &str) {
    output::note(&format!("{number}  {text}"));
}

/// Puts the column of homes before the other groups: the truth knows whose address each is.
fn add_homes(labelled: &mut Labelled, truth: &Truth) {
    let home_of: HashMap<String, &str> =
        truth.rows.iter().map(|row| (row.source.0.to_string(), &*row.client)).collect();
    let groups = &mut labelled.dataset.groups;
    let near = groups.iter().find(|g| g.name == NEAR_ADDRESS).expect("the table was read with it");
    let homes: Vec<Option<&str>> = (0..near.codes.len())
        .map(|row| near.text(row).and_then(|a| home_of.get(a).copied()))
        .collect();
    let homes = Codes::from_texts(HOME, &homes);
    groups.insert(0, homes);
}

/// The homes that the model learns from, and those it never sees.
fn homes(labelled: &Labelled, seed: u64) -> Result<(Labelled, Labelled), Failure> {
    let (dataset, labels) = (&labelled.dataset, labelled.labels());
    let home = dataset.groups.iter().find(|g| g.name == HOME).expect("homes were added");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let fold = split::group_hold_out(&home.codes, Some(&labels.codes), HELD_OUT, &mut rng)?;
    Ok((labelled.select(&fold.train), labelled.select(&fold.test)))
}

fn groups(labelled: &Labelled) -> usize {
    let home = labelled.dataset.groups.iter().find(|g| g.name == HOME).expect("homes were added");
    home.distinct()
}

fn closing(report: &Path, folder: &Path) -> String {
    let shown = report.canonicalize().unwrap_or_else(|_| report.to_path_buf());
    format!(
        "\nThis was made traffic: the scores measure the generator, not your network.\n\
         The report with its pictures opens without a network: {}\n\n\
         Now yours:\n  flowgait meter my.pcap -o flows.csv --label-by sni\n  \
         flowgait fit flows.csv --label category -o mine.fgm\n  \
         flowgait predict --model {}/model.fgm my.pcap      (what the demo's model makes of it)\n",
        shown.display(),
        folder.display()
    )
}
