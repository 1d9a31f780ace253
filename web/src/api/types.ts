// What the API says, by hand for now; the OpenAPI document is the authority.

export type State = 'queued' | 'running' | 'paused' | 'succeeded' | 'failed' | 'cancelled' | 'dead';

export interface Input {
  name: string;
  octets: number;
  rows?: number;
  content: 'csv' | 'jsonl' | 'parquet' | 'arff' | 'capture';
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
  progress: Progress;
  reason?: { kind: string; detail: string } | null;
  result?: Record<string, unknown> | null;
  links: { job: string; result?: string | null };
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

/** One row of a predict job with its reasons: `GET /v1/jobs/{id}/rows/{n}`. */
export interface RowDetail {
  row: number;
  cells: Record<string, string>;
  probabilities: [name: string, probability: number][];
  baseline: number;
  contributions: { feature: string; value: string; share: number }[];
  others: { count: number; share: number };
  medoid: { size: number[]; time: number[] } | null;
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
