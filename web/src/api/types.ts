// What the API says, by hand for now; the OpenAPI document is the authority.

export type State = 'queued' | 'running' | 'paused' | 'succeeded' | 'failed' | 'cancelled' | 'dead';

export interface Input {
  name: string;
  octets: number;
  /** As far as they were counted when it was sent; of a capture 0. */
  rows?: number;
  content: 'csv' | 'jsonl' | 'parquet' | 'arff' | 'capture';
  /** A sample of this program's own making. */
  made?: boolean;
}

export interface Progress {
  stage?: string;
  done?: number;
  total?: number | null;
  unit?: string;
  rate?: number | null;
  seconds_left?: number | null;
}

export type Format = 'csv' | 'jsonl' | 'parquet';

export interface PredictResult {
  classes: Record<string, number>;
  confidence: number[];
  empty?: number;
  format: Format;
  model: string;
  notes: string[];
  octets: number;
  rows: number;
  unknown: number;
}

export interface Job {
  id: string;
  kind: 'predict' | 'fit' | 'simulate';
  state: State;
  attempt: number;
  created: string;
  started?: string | null;
  ended?: string | null;
  input?: Input | null;
  model?: string | null;
  /** Until it ends. */
  progress?: Progress;
  /** What somebody asked of it that it has not done yet. */
  asked?: 'pause' | 'stop';
  /** What was asked for. */
  answers?: Record<string, unknown> | null;
  /** Who holds a part of it now. */
  workers?: string[];
  /** Who had its last part. */
  worker?: string | null;
  reason?: { kind: string; detail: string } | null;
  result?: Record<string, unknown> | null;
  links: { job: string; result?: string | null; rounds?: string | null; report?: string | null };
  revision: number;
}

export interface JobPage {
  jobs: Job[];
  next?: string | null;
}

export interface Model {
  name: string;
  version: number;
  aliases: string[];
  classes: string[];
  estimator: string;
  rows: number;
  scores: Record<string, number>;
  imported: string;
  octets: number;
  schema: string;
  sha256: string;
  origin: Origin;
  calibrated: boolean;
  /** How many columns it looks at. */
  features: number;
  is_evaluated: boolean;
}

export type Origin = 'recorded' | 'made';

export interface ModelList {
  models: Model[];
}

/** RFC 9457. */
export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  detail?: string | null;
  retry_after?: number | null;
}

/** What a column, or a list of columns, did to an answer. */
export interface Contribution {
  feature: string;
  /** Empty where nobody says. */
  unit: string;
  columns: number;
  /** The row's, and what is usual; null for lists, and where it is missing. */
  value: number | null;
  usual: number | null;
  share: number;
}

/** One row of a predict job with its reasons: `GET /v1/jobs/{id}/rows/{n}`, n from 1. */
export interface RowDetail {
  row: number;
  cells: Record<string, string>;
  prediction: string;
  probabilities: { class: string; probability: number }[];
  /** The class that is explained: the likeliest, also where the answer is withheld. */
  class: string;
  /** A probability before it is made true, or what boosting sums up. */
  measure: 'probability' | 'margin';
  base: number;
  /** The base, all contributions and the others, added. */
  value: number;
  contributions: Contribution[];
  others: { count: number; share: number };
  against: { rows: number };
}

export interface About {
  version: string;
  /** Reached by loopback only. */
  is_local: boolean;
  /** The most that a file may have. */
  upload_octets: number;
  /** `NAME@VERSION` of what answers where no model is named. */
  model: string | null;
}

export interface Sample {
  name: string;
  title: string;
  says: string;
  flows: number;
}

export interface Worker {
  name: string;
  job: string;
  /** When the job was begun. */
  since: string;
}

export interface Preview {
  columns: string[];
  rows: string[][];
}

/** A version of a model with all that is known of it. */
export interface ModelDetail extends Model {
  card: Card;
  columns: Column[];
}

/** An input of a model; where it lay in what was learnt from (1 %, 50 % and 99 % of the rows below). */
export interface Column {
  name: string;
  unit: string;
  low: number | null;
  usual: number | null;
  high: number | null;
  /** How much it matters, as a share of 1. */
  importance?: number | null;
}

export interface Card {
  /** Seconds since 1970. */
  created: number | null;
  made_by: string;
  label: string;
  tables: { name: string; rows: number }[];
  rows: number;
  fingerprint: string;
  origin: Origin;
  split: Split | null;
  scores: Record<string, number>;
  estimator: string;
  parameters: unknown;
  seed: number | null;
  kept_columns: string[];
  dropped_columns: string[];
  notes: string[];
}

export interface Promoted {
  alias: string;
  model: Model;
  /** What the alias stood for before. */
  before?: number | null;
}

export type Split =
  | { kind: 'given' | 'random' }
  | { kind: 'grouped' | 'time' | 'time_in_class'; by: string }
  | { kind: 'blocks'; count: number };

/** Over trials; `sd` is none for one trial. */
export interface Spread {
  mean: number;
  sd: number | null;
  low: number;
  high: number;
  trials: number;
}

export interface Scores extends Record<string, number | null> {
  rows: number;
  accuracy: number;
  f1_macro: number;
}

export interface ClassScore {
  support: number;
  predicted: number;
  precision: number;
  recall: number;
  f1: number;
  recall_low: number;
  recall_high: number;
}

export interface PairedTest {
  difference: number;
  low: number;
  high: number;
  p_value: number;
}

export interface Baseline {
  kind: 'majority' | 'nearest' | 'address' | 'other';
  name: string;
  what: string;
  accuracy: Spread;
  f1_macro: Spread;
  lead: PairedTest | null;
}

export interface Importance {
  name: string;
  unit: string;
  value: number;
  within: number | null;
}

/** `flowgait-evaluation/1`. What is not a number in it is null. */
export interface Evaluation {
  format: string;
  title: string;
  data: {
    source: string;
    origin: Origin;
    features: number;
    groups: { by: string; count: number } | null;
  };
  split: Split;
  model: { name: string; value: string }[];
  classes: { name: string; kind: string }[];
  scores: Scores;
  spreads: Record<string, Spread>;
  per_class: ClassScore[];
  /** Rows are true classes. */
  confusion: { classes: number; counts: number[] };
  calibration: {
    ece: number;
    bins: {
      rows: number;
      confidence_low: number;
      confidence: number;
      confidence_high: number;
      right: number;
      right_low: number;
      right_high: number;
    }[];
    histogram: number[];
  };
  confidence: 'raw' | 'calibrated';
  risk_coverage: { area: number; points: { threshold: number; coverage: number; accuracy: number }[] };
  unknown: {
    left_out: string[];
    score: {
      threshold: number;
      false_alarms: number;
      found: number;
      auroc: number;
      known_rows: number;
      unknown_rows: number;
      points: { false_alarms: number; found: number }[];
    };
  } | null;
  baselines: Baseline[];
  other_splits: { split: Split; accuracy: Spread; f1_macro: Spread }[];
  after_packets: { packets: number; accuracy: Spread; f1_macro: Spread }[];
  importances: { measure: string; within: string | null; features: Importance[] } | null;
  trials: { seed: number; fold: number; train_rows: number; scores: Scores }[];
  notes: string[];
}
