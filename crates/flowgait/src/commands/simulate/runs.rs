//! One federation from its first round to its last, with what it is held against.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flowgait_federate::attack::{Attack, success_rate};
use flowgait_federate::baseline::{self, Local};
use flowgait_federate::buffered::Buffered;
use flowgait_federate::client::Personal;
use flowgait_federate::coordinator::Coordinator;
use flowgait_federate::federation::Federation;
use flowgait_federate::homes::{HeldOut, Homes};
use flowgait_federate::ledger::digest;
use flowgait_federate::measure::{self, Measured};
use flowgait_federate::network::NetLearner;
use flowgait_federate::record::Record;
use flowgait_federate::run::{Control, Ended, Folder, Locked, Rounds, Wish, run as run_rounds};
use flowgait_federate::simulation::{Liars, Simulation};
use flowgait_model::artifact::{Card, Model, fingerprint};
use flowgait_model::{Estimator, Training};

use super::homes::{Prepared, prepare};
use super::setup::setup;
use super::show::words;
use super::{forests, show, told};
use crate::failure::{Failure, sentence};
use crate::output;
use crate::progress::Progress;

/// The file with one line a round.
pub const METRICS: &str = "metrics.jsonl";
/// What a run begins with.
pub const SETUP: &str = "setup.json";
/// What a run came to, beside what it is held against.
pub const SUMMARY: &str = "summary.json";
/// The same for people.
pub const REPORT: &str = "report.html";
/// A file of this name has the run end after its round, with all that a run leaves.
const STOP: &str = "stop";
/// The configuration as it was run.
pub const CONFIGURATION: &str = "federation.toml";

/// What it is held against.
#[derive(Default)]
pub struct Baselines {
    pub majority: Option<Measured>,
    pub central: Option<Measured>,
    /// The forest of one place, where a forest is made.
    pub forest: Option<Estimator>,
    pub local: Option<Local>,
}

/// What a run came to.
pub struct Outcome {
    /// How many trees, where a forest was made.
    pub trees: Option<usize>,
    pub records: Vec<Record>,
    pub ended: Ended,
    pub baselines: Baselines,
}

/// Runs a federation; `here` is where its tables are named from.
pub fn run(federation: &Federation, here: &Path, output: Option<&Path>) -> Result<(), Failure> {
    let mut prepared = prepare(federation, here)?;
    if let Some(few) = words::few_held_out(&prepared) {
        output::warn(&few);
    }
    if let Err(Some(nobody)) = words::liars(federation, prepared.clients.len()) {
        output::warn(&nobody);
    }
    if federation.forest.is_some() {
        return forests::run(federation, &prepared, output);
    }
    let honest = prepared.homes.clone();
    let liars = liars(federation, &mut prepared)?;
    let learner = learner(federation, &prepared.homes)?;
    let slices = learner.with(learner.start()).parameters().slices().to_vec();
    let personal = federation.own(&slices).map_err(usage)?;
    let plan = federation.plan(prepared.clients.len()).map_err(usage)?;
    let mut simulation: Box<dyn Rounds> = if plan.strategy().buffer().is_some() {
        Box::new(Buffered::new(plan, &learner, learner.start())?)
    } else {
        let coordinator = Coordinator::new(plan, learner.start())?;
        let mut faults = federation.faults;
        faults.seed = federation.seed;
        let simulation = Simulation::new(coordinator, &learner, personal.clone(), faults);
        Box::new(simulation.with_liars(liars))
    };
    output::out(&show::head(federation, &prepared, &learner, simulation.plan()))?;

    let (mut folder, mut records) = (None, Vec::new());
    if let Some(path) = output {
        let (opened, begun) = open(path, federation, &mut *simulation)?;
        let setup = setup(federation, &prepared, &honest, simulation.plan(), &slices)?;
        save_json(&path.join(SETUP), &setup)?;
        records = begun;
        folder = Some(opened);
    }
    let judge =
        Judge { homes: &honest, held_out: &prepared.held_out, learner: &learner, federation };
    let progress = Progress::count("rounds", federation.rounds);
    progress.advance(records.len() as u64);
    let metrics = output.map(|path| path.join(METRICS));
    let control = Arc::new(Control::default());
    if let Some(path) = output {
        stop_when_asked(path.join(STOP), &control);
    }
    let ended = run_rounds(
        &mut *simulation,
        federation.rounds,
        &control,
        folder.as_mut(),
        |simulation, round| {
            let record = judge.record(simulation, round, &personal)?;
            if let Some(path) = &metrics {
                add_line(path, &record)?;
            }
            records.push(record);
            progress.advance(1);
            Ok::<(), Failure>(())
        },
    )?;
    progress.finish();
    // A run that ended early is held against as many rounds.
    let baselines = judge.baselines(records.len() as u64)?;
    let outcome = Outcome { trees: None, records, ended, baselines };
    output::out(&show::rounds(&outcome))?;
    output::out(&show::closing(&outcome))?;
    if let Some(path) = output {
        let values = simulation.parameters();
        output::save(&path.join(SUMMARY), &summary(&outcome))?;
        let report = told::report(federation, &prepared, simulation.plan(), &outcome);
        output::save(&path.join(REPORT), &report.to_html())?;
        let network = Estimator::Network(Box::new(learner.with(&values)));
        let model = model(federation, &prepared, &honest, network, &outcome)?;
        let file = path.join("model.fgm");
        model.save(&file)?;
        output::note(&format!(
            "report: {} (model {})",
            path.join(REPORT).display(),
            &digest(&values)[..12]
        ));
    }
    Ok(())
}

/// Writes something as a file for people and programs.
pub fn save_json(path: &Path, what: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(what).expect("plain fields");
    output::save(path, &(text + "\n"))
}

/// Has a run end after its round once a file is there.
fn stop_when_asked(file: PathBuf, control: &Arc<Control>) {
    // One that is there from before was for the run before.
    let _ = std::fs::remove_file(&file);
    let control = Arc::downgrade(control);
    std::thread::spawn(move || {
        while let Some(control) = control.upgrade() {
            if file.exists() {
                control.wish(Wish::Stop);
                return;
            }
            drop(control);
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    });
}

/// An error of what a person wrote.
pub fn usage(error: flowgait_federate::Error) -> Failure {
    Failure::usage(sentence(&error.to_string()))
}

/// Who lies; their rows are changed.
fn liars(federation: &Federation, prepared: &mut Prepared) -> Result<Option<Liars>, Failure> {
    let Some(plan) = &federation.attack else { return Ok(None) };
    let columns = prepared.homes.columns.len();
    let attack = plan.kind.clone().check(prepared.homes.classes, columns).map_err(usage)?;
    let liars = Liars::new(attack, plan.share, prepared.clients.len(), federation.seed);
    liars.spoil(&mut prepared.homes, federation.seed)?;
    Ok(Some(liars))
}

fn learner<'a>(federation: &Federation, homes: &'a Homes) -> Result<NetLearner<'a>, Failure> {
    let learning = &federation.learning;
    let (effort, stepping) = (learning.effort, learning.stepping);
    let params = federation.network();
    Ok(NetLearner::new(homes, &params, effort, stepping, learning.rate, federation.seed)?)
}

/// Opens a run's folder and takes up where it was.
fn open(
    path: &Path,
    federation: &Federation,
    simulation: &mut dyn Rounds,
) -> Result<(Folder, Vec<Record>), Failure> {
    let (locked, text) = take(path, federation)?;
    let (folder, state) = Folder::opened(locked)?;
    output::save(&path.join(CONFIGURATION), &text)?;
    let mut records = Vec::new();
    if let Some(state) = state {
        let round = state.round;
        let past = folder.past();
        simulation.resume(&past, state)?;
        records = read_metrics(&path.join(METRICS), round)?;
        output::note(&format!("going on after round {round}"));
    } else {
        // Lines of a run that was killed before its first round was kept.
        let _ = std::fs::remove_file(path.join(METRICS));
    }
    Ok((folder, records))
}

/// Takes a run's folder for this process alone, if it holds this federation's run or none; and the configuration's text, to be saved there.
pub fn take(path: &Path, federation: &Federation) -> Result<(Locked, String), Failure> {
    let locked = Locked::take(path)?;
    let text = toml::to_string(federation).expect("a federation has plain fields");
    if let Ok(before) = std::fs::read_to_string(path.join(CONFIGURATION))
        && before != text
    {
        return Err(Failure::usage(format!(
            "{} holds the run of another federation",
            path.display()
        ))
        .help("Name another folder by -o, or the same federation to go on with it."));
    }
    Ok((locked, text))
}

/// The lines of rounds that were kept; others, which a killed run wrote, are taken away.
fn read_metrics(path: &PathBuf, round: u64) -> Result<Vec<Record>, Failure> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let records: Vec<Record> =
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let records: Vec<Record> = records.into_iter().filter(|record| record.round <= round).collect();
    if records.len() as u64 != round || records.iter().zip(1..).any(|(of, at)| of.round != at) {
        return Err(Failure::work(format!(
            "{} tells of {} of the {round} rounds that the ledger has",
            path.display(),
            records.len()
        ))
        .help("Put the file back as it was, or name another folder by -o."));
    }
    let lines: String = records.iter().map(line).collect();
    output::save(path, &lines)?;
    Ok(records)
}

/// A round's line, with its line feed.
pub fn line(record: &Record) -> String {
    serde_json::to_string(record).expect("a record has plain fields") + "\n"
}

fn add_line(path: &Path, record: &Record) -> Result<(), Failure> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(line(record).as_bytes()))
        .map_err(|error| Failure::work(format!("Cannot write {}", path.display())).because(error))
}

/// Judges on rows as they are, whatever liars made of theirs.
struct Judge<'a> {
    homes: &'a Homes,
    held_out: &'a HeldOut,
    learner: &'a NetLearner<'a>,
    federation: &'a Federation,
}

impl Judge<'_> {
    fn record(
        &self,
        simulation: &dyn Rounds,
        round: &flowgait_federate::simulation::Round,
        personal: &Personal,
    ) -> Result<Record, Failure> {
        let values = simulation.parameters();
        let measured = measure::common(self.homes, self.held_out, self.learner, &values)?;
        let memories = simulation.memories();
        let (homes, held_out, learner) = (self.homes, self.held_out, self.learner);
        let own = measure::personal(homes, held_out, learner, &values, personal, memories)?;
        let backdoor = self.backdoor(&values)?;
        Ok(Record { backdoor, ..Record::of(round, measured, own) })
    }

    /// How often rows with the trigger are answered as the liars want.
    fn backdoor(&self, values: &[f32]) -> Result<Option<f64>, Failure> {
        let Some(kind) = self.federation.attack.as_ref().map(|liars| &liars.kind) else {
            return Ok(None);
        };
        let &Attack::Backdoor { target, .. } = kind else { return Ok(None) };
        let rows = self.held_out.rows();
        let pick = |column: &Vec<f32>| rows.iter().map(|&row| column[row as usize]).collect();
        let mut columns: Vec<Vec<f32>> = self.homes.columns.iter().map(pick).collect();
        let all: Vec<u32> = (0..rows.len() as u32).collect();
        kind.clone().check(self.homes.classes, columns.len())?.stamp(&mut columns, &all)?;
        let said = self.learner.with(values).predict_proba(&columns, &all)?;
        let answers: Vec<u32> = (0..rows.len()).map(|row| said.best(row)).collect();
        let truth: Vec<u32> = rows.iter().map(|&row| self.homes.codes[row as usize]).collect();
        Ok(success_rate(&truth, &answers, target)?)
    }

    fn baselines(&self, rounds: u64) -> Result<Baselines, Failure> {
        let wanted = self.federation.baselines;
        let seed = self.federation.seed;
        let majority = baseline::majority(self.homes, self.held_out)?;
        let mut found = Baselines { majority, ..Baselines::default() };
        if wanted.central {
            let all = Homes { rows: vec![self.homes.all_rows()], ..self.homes.clone() };
            let learner = learner(self.federation, &all)?;
            found.central = Some(baseline::central(&all, self.held_out, &learner, rounds, seed)?);
        }
        if wanted.local {
            let learner = learner(self.federation, self.homes)?;
            found.local = baseline::local(self.homes, self.held_out, &learner, rounds, seed)?;
        }
        Ok(found)
    }
}

/// What a run came to, as JSON.
pub fn summary(outcome: &Outcome) -> String {
    let spread = |clients: &[Option<f64>]| {
        measure::spread(clients).map(|[worst, median, best]| {
            serde_json::json!({ "worst": worst, "median": median, "best": best })
        })
    };
    let last = outcome.records.last();
    let sum = |of: fn(&Record) -> u64| outcome.records.iter().map(of).sum::<u64>();
    let measured = |measured: &Measured| {
        serde_json::json!({
            "accuracy": measured.scores.map(|scores| scores.accuracy),
            "f1_macro": measured.scores.map(|scores| scores.f1_macro),
            "log_loss": measured.scores.map(|scores| scores.log_loss),
            "clients": spread(&measured.clients),
        })
    };
    let central = outcome.baselines.central.as_ref().map(measured);
    let majority = outcome.baselines.majority.as_ref().map(measured);
    let local = outcome.baselines.local.as_ref().map(|local| {
        serde_json::json!({
            "accuracy": local.accuracy,
            "f1_macro": local.f1_macro,
            "log_loss": local.log_loss,
            "clients": spread(&local.clients),
        })
    });
    let text = serde_json::to_string_pretty(&serde_json::json!({
        "rounds": outcome.records.len(),
        "ended": match &outcome.ended {
            Ended::Done => "done",
            Ended::Stopped => "stopped",
            Ended::BudgetSpent(_) => "budget spent",
        },
        "epsilon": last.and_then(|last| last.epsilon),
        "octets_down": sum(|record| record.octets_down),
        "octets_up": sum(|record| record.octets_up),
        "federated": last.map(|last| serde_json::json!({
            "accuracy": last.accuracy,
            "f1_macro": last.f1_macro,
            "log_loss": last.log_loss,
            "clients": spread(&last.clients),
            "own": last.own.as_deref().and_then(spread),
            "backdoor": last.backdoor,
        })),
        "central": central,
        "local": local,
        "majority": majority,
    }));
    text.expect("a summary has plain fields") + "\n"
}

/// The common model with its card.
pub fn model(
    federation: &Federation,
    prepared: &Prepared,
    homes: &Homes,
    estimator: Estimator,
    outcome: &Outcome,
) -> Result<Model, Failure> {
    let rows = homes.all_rows();
    let training: Training<'_> = homes.training(&rows);
    let dataset = flowgait_features::Dataset {
        schema: homes.schema.clone(),
        columns: training.columns.to_vec(),
        rows: homes.codes.len(),
        ..flowgait_features::Dataset::default()
    };
    let last = outcome.records.last();
    let scores = last.map(|last| {
        let named = [("accuracy", last.accuracy), ("f1_macro", last.f1_macro)];
        named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    });
    let how = match federation.forest {
        None => {
            format!("in {} rounds with {}", outcome.records.len(), federation.strategy.name())
        }
        Some(forest) => show::forest_way(federation, forest).to_owned(),
    };
    let mut notes = vec![format!(
        "Learnt by a simulated federation of {} clients, {how}; scores are of the rows held out.",
        prepared.clients.len(),
    )];
    if let (Some(privacy), Some(epsilon)) = (federation.privacy, last.and_then(|last| last.epsilon))
    {
        let scale = match federation.forest {
            None => "the scale of the columns is not part of it",
            Some(_) => "columns are cut at values that were fixed beforehand",
        };
        notes.push(format!(
            "Client-level differential privacy: epsilon {epsilon:.3} at delta {:e} (accounted by Rényi divergence); {scale}.",
            privacy.delta
        ));
    }
    let card = Card {
        made_by: concat!("flowgait ", env!("CARGO_PKG_VERSION")).to_owned(),
        label: prepared.label.clone(),
        tables: prepared.tables.clone(),
        rows: rows.len() as u64,
        fingerprint: fingerprint(&dataset),
        origin: prepared.origin,
        scores: scores.unwrap_or_default(),
        estimator: match &estimator {
            Estimator::Network(_) => "network by federation",
            _ => "forest by federation",
        }
        .to_owned(),
        parameters: serde_json::to_value(federation).expect("a federation has plain fields"),
        seed: Some(federation.seed),
        notes,
        ..Card::default()
    };
    Ok(Model::new(homes.schema.clone(), prepared.classes.clone(), estimator, card)?)
}
