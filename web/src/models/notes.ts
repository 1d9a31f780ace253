// What a reader must know before quoting a number, in the words of the program's own report.

import type { Baseline, Evaluation, Split } from '../api/types';
import { count, plural } from '../look/words';
import { accuracyOf, flattery, wilson } from './reading';
import { gain, list, score } from './words';

export interface Note {
  text: string;
  /** Who quotes a number without it misleads. */
  warns: boolean;
}

/** Fewer rows of a class than this, and its scores are guesses. */
const CLASS_ROWS_MIN = 10;
const warn = (text: string): Note => ({ text, warns: true });
const plain = (text: string): Note => ({ text, warns: false });

export function notes(e: Evaluation): Note[] {
  const flat = flattery(e);
  return [
    e.data.origin === 'made' &&
      warn('Made traffic: it shows that the parts work together, not how well they do on a real network.'),
    ofSplit(e.split),
    flat &&
      warn(
        `A random split would flatter this model by ${plural(flat.points, 'point')}. Quote ${score(flat.ours)}, not ${score(flat.random)}.`,
      ),
    fewRows(e),
    ...e.baselines.map((baseline) => beaten(e, baseline)),
    folds(e),
    neverSaid(e),
    tellsWhere(e),
    confidence(e),
    ...e.notes.map(plain),
  ].filter((note) => !!note);
}

function ofSplit(split: Split): Note {
  switch (split.kind) {
    case 'given':
      return plain(
        'Judged on a table of its own. Whether it shares captures, clients or sessions with what the model learnt from is not known here.',
      );
    case 'random':
      return warn(
        'Random split: flows of one session lie on both sides, which flatters every model. Split by group or by time before quoting these numbers.',
      );
    case 'grouped':
      return plain(
        `Grouped by ${split.by}: none has rows on both sides, so this is what to expect where the ${split.by} was never seen.`,
      );
    case 'time':
      return plain(`Learnt from earlier rows and judged on later ones, by ${split.by}.`);
    case 'time_in_class':
      return warn(
        `Learnt from the earlier rows of each class and judged on its later ones, by ${split.by}: where classes were recorded on different days, the day gives the class away, and the scores flatter.`,
      );
    case 'blocks':
      return plain(
        `Split into ${split.count} runs of neighbouring rows; only rows at the edge of a run have neighbours on the other side.`,
      );
  }
}

function fewRows(e: Evaluation): Note | undefined {
  const { rows, accuracy } = e.scores;
  const occurring = e.per_class.filter((c) => c.support > 0);
  const few = occurring.filter((c) => c.support < CLASS_ROWS_MIN).length;
  const said: string[] = [];
  if (rows < 200) {
    const [low, high] = wilson(accuracy * rows, rows);
    said.push(
      `Only ${plural(rows, 'row was', 'rows were')} judged: the 95 % interval of the accuracy is ${score(low)} to ${score(high)}, and wider where rows belong together.`,
    );
  }
  if (few)
    said.push(
      `${count(few)} of ${count(occurring.length)} classes ${few === 1 ? 'has' : 'have'} fewer than ${CLASS_ROWS_MIN} rows; read their scores as guesses.`,
    );
  return said.length ? warn(said.join(' ')) : undefined;
}

function beaten(e: Evaluation, { kind, name, accuracy, lead }: Baseline): Note | undefined {
  const [ours, theirs] = [accuracyOf(e), accuracy.mean];
  if (kind === 'address') {
    // What the most frequent class gives as well is no knowledge of addresses.
    const majority = e.baselines.find((b) => b.kind === 'majority')?.accuracy.mean;
    const more = majority === undefined || theirs > majority + 0.02;
    if (!more || theirs < ours - 0.05) return undefined;
    return warn(
      `${name} gives ${score(theirs)} without looking at any packet. Where the same servers come back, a model could learn who instead of what.`,
    );
  }
  if (theirs >= ours)
    return warn(
      `${name} does as well or better (${score(theirs)} against ${score(ours)}): the model is not worth its cost on this data.`,
    );
  if (lead && lead.p_value > 0.05)
    return warn(
      `The lead over ${name} may be chance: ${gain(lead.low)} to ${gain(lead.high)} (corrected resampled t-test, p = ${score(lead.p_value)}).`,
    );
  return undefined;
}

function folds(e: Evaluation): Note | undefined {
  const spread = e.spreads['accuracy'];
  if (!spread || spread.high - spread.low < 0.2) return undefined;
  return warn(
    `Folds differ much: accuracy from ${score(spread.low)} to ${score(spread.high)}. Quote the range with the mean.`,
  );
}

function neverSaid(e: Evaluation): Note | undefined {
  const names = e.classes
    .filter((_, i) => e.per_class[i]!.support > 0 && e.per_class[i]!.predicted === 0)
    .map((c) => c.name);
  return names.length
    ? plain(`Never predicted ${names.length === 1 ? 'is' : 'are'} ${list(names)}.`)
    : undefined;
}

/** Columns that matter among all rows and hardly within groups. */
function tellsWhere(e: Evaluation): Note | undefined {
  const by = e.importances?.within;
  if (!by) return undefined;
  const names = e
    .importances!.features.filter((f) => f.value >= 0.02 && f.within !== null && f.within < f.value * 0.2)
    .sort((a, b) => b.value - a.value)
    .slice(0, 4)
    .map((f) => f.name);
  if (!names.length) return undefined;
  const [verb, pronoun] = names.length === 1 ? ['matters', 'it tells'] : ['matter', 'they tell'];
  return warn(
    `${list(names)} ${verb} among all rows and hardly within one ${by}: ${pronoun} which ${by} a row is from rather than what it is. Leave out by --drop what will not be the same elsewhere.`,
  );
}

function confidence(e: Evaluation): Note | undefined {
  const { bins } = e.calibration;
  const rows = bins.reduce((n, bin) => n + bin.rows, 0);
  const off = bins.reduce((n, bin) => n + bin.rows * (bin.confidence - bin.right), 0) / rows;
  if (!Number.isFinite(off) || Math.abs(off) < 0.05) return undefined;
  const what =
    e.confidence === 'raw'
      ? 'calibrate it before setting a threshold.'
      : 'it was calibrated on rows that these are unlike, or on too few. Set no threshold by it.';
  return plain(
    `Its confidence is too ${off > 0 ? 'high' : 'low'} by ${score(Math.abs(off))} on average; ${what}`,
  );
}
