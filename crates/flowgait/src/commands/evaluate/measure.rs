//! Everything that is measured when a learner is judged on folds.

pub mod importance;
mod leak;
mod unknown;

use flowgait_features::Dataset;
use flowgait_features::extract::prefix;
use flowgait_features::layout::Layout;
use flowgait_features::table::spelling;
use flowgait_model::baseline::{AddressLookup, Majority, NearestParams};
use flowgait_model::recipe::Recipe;
use flowgait_model::report::{Baseline, BaselineKind, Class, Confidence, Evaluation, Fact};
use flowgait_model::validation::{CrossValidation, PacketPoint, Repeat, after_packets};

use super::recipe_facts;
use crate::commands::judging::{
    Candidates, Judged, Learner, judge, judge_after, judge_columns, trials,
};
use crate::commands::learning::Labelled;
use crate::failure::Failure;
use crate::units;

/// Packets of the raw nearest neighbour.
const NEAREST_PACKETS: usize = 10;
/// Where the curve over the first packets is measured.
const CURVE_PACKETS: [u32; 9] = [1, 2, 3, 4, 6, 8, 12, 20, 30];
/// Trees of each point of the curve.
const CURVE_TREES: usize = 50;

/// Everything that is measured when a learner is judged on folds.
pub struct Measuring<'a> {
    /// The rows as the model sees them.
    pub labelled: &'a Labelled,
    /// The same rows with all columns.
    pub whole: &'a Dataset,
    /// What learns.
    pub learner: Learner<'a>,
    /// On what.
    pub repeats: &'a [Repeat],
    /// Whether scores and baselines are all that is wanted.
    pub brief: bool,
}

impl Measuring<'_> {
    /// The scores, what must be beaten, the curve over packets, and how much a random split would flatter; and what learnt in each trial.
    pub fn evaluation(&self, title: &str) -> Result<(Evaluation, Judged), Failure> {
        let (dataset, labels) = (&self.labelled.dataset, self.labelled.labels());
        let judged = judge("evaluate", self.labelled, &self.learner, self.repeats)?;
        let classes = labels.values.iter().map(|name| Class::named(name)).collect();
        let mut evaluation = Evaluation::of(title, classes, &judged.scores)?;
        let (recipe, in_trials) = judged.usual();
        evaluation.split = self.learner.split.named();
        evaluation.confidence = Confidence::Calibrated;
        evaluation.model = recipe_facts(recipe);
        if matches!(self.learner.candidates, Candidates::Best(_)) {
            let trials = judged.recipes.len();
            evaluation.model.push(Fact::new(
                "Chosen",
                format!("on folds of each trial's own training rows; this one in {in_trials} of {trials} trials"),
            ));
        }
        evaluation.baselines = self.baselines(&judged.scores)?;
        if evaluation.baselines.iter().all(|of| of.kind != BaselineKind::Nearest) {
            evaluation.notes.push(format!(
                "No nearest neighbour stands beside it: the table does not list the sizes of the first {NEAREST_PACKETS} packets in their order."
            ));
        }
        if self.brief {
            return Ok((evaluation, judged));
        }
        evaluation.other_splits = leak::other_splits(self, recipe)?;
        evaluation.after_packets = self.curve(recipe)?;
        if !evaluation.after_packets.is_empty() {
            evaluation.notes.push(if recipe.early {
                "Accuracy after k packets is that of one model, asked again as packets arrive.".to_owned()
            } else {
                format!(
                "Accuracy after k packets is that of models ({}) that see nothing but those packets; the totals, histograms and silences of whole flows are not among their columns, so the curve may end below the accuracy above.",
                recipe.at_most(CURVE_TREES).words()
            )
            });
        }
        evaluation.unknown = unknown::unknown(self, recipe)?;
        evaluation.importances = Some(importance::permuted(self, &dataset.schema, recipe)?);
        Ok((evaluation, judged))
    }

    fn baselines(&self, model: &CrossValidation) -> Result<Vec<Baseline>, Failure> {
        let columns = &self.whole.columns;
        let labels = self.labelled.labels();
        let majority = trials(columns, labels, self.repeats, |training, trial| {
            Ok(Majority::fit(training)?.probabilities(trial.test.len()))
        })?;
        let what = "the most frequent class, always";
        let mut found =
            vec![Baseline::new(BaselineKind::Majority, "majority", what, &majority, model)?];
        if let Some(nearest) = self.first_sizes() {
            let params = NearestParams::new(nearest);
            let judged = trials(columns, labels, self.repeats, |training, trial| {
                Ok(params.fit(training)?.probabilities(columns, trial.test)?)
            })?;
            let what = "the training flow whose first ten packets have the nearest sizes";
            found.push(Baseline::new(
                BaselineKind::Nearest,
                "nearest neighbour",
                what,
                &judged,
                model,
            )?);
        }
        let far = self.whole.groups.iter().find(|g| spelling::is_far_address(&g.name));
        if let Some(addresses) = far {
            let judged = trials(columns, labels, self.repeats, |training, trial| {
                Ok(AddressLookup::fit(training, addresses)?.probabilities(addresses, trial.test)?)
            })?;
            let what = "what most training flows to the same far address were";
            found.push(Baseline::new(BaselineKind::Address, "far address", what, &judged, model)?);
        }
        Ok(found)
    }

    /// The columns with the sizes of the first packets: those of our flow table, else a list that shows itself to be one.
    fn first_sizes(&self) -> Option<Vec<usize>> {
        let own: Option<Vec<usize>> = (0..NEAREST_PACKETS)
            .map(|k| self.whole.schema.position(&format!("packet_octets_{k}")))
            .collect();
        own.or_else(|| {
            let rows: Vec<u32> = (0..self.whole.rows as u32).collect();
            let sizes = Layout::of(&self.whole.schema, &self.whole.columns, &rows).sizes?;
            sizes.columns.get(..NEAREST_PACKETS).map(<[usize]>::to_vec)
        })
    }

    /// Accuracy after the first packets, where the table has their sequences: fitted for each length on the folds of the first repeat.
    fn curve(&self, recipe: Recipe) -> Result<Vec<PacketPoint>, Failure> {
        if prefix(self.whole, 1).is_err() {
            return Ok(Vec::new());
        }
        let recipe = recipe.at_most(CURVE_TREES);
        if recipe.early {
            return self.curve_of_one(recipe);
        }
        after_packets(&CURVE_PACKETS, |packets| {
            let known = prefix(self.whole, packets as usize)?;
            let what = units::counted(u64::from(packets), "packet");
            judge_columns(&what, &known, self.labelled.labels(), recipe, &self.repeats[..1])
        })
    }

    /// The same of a recipe whose model answers at any time: fitted once on each fold, and asked for each length.
    fn curve_of_one(&self, recipe: Recipe) -> Result<Vec<PacketPoint>, Failure> {
        let packets = CURVE_PACKETS.map(|packets| packets as usize);
        let judged = judge_after(recipe, self.labelled, &self.repeats[..1], &packets)?;
        let mut judged = judged.into_iter();
        after_packets(&CURVE_PACKETS, |_| Ok(judged.next().expect("one for each length")))
    }
}
