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
  /** What the model that comes of it is to be called. */
  name?: string | null;
  /** Until it ends. */
  progress?: Progress;
  /** What somebody asked of it that it has not done yet. */
  asked?: 'pause' | 'stop' | null;
  /** What was asked for. */
  answers?: Record<string, unknown> | null;
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

/** What a federation begins with: `setup.json` of its run. */
export interface Setup {
  title: string;
  /** The rows are made, and nobody's traffic. */
  made: boolean;
  label: string;
  rounds: number;
  clients: string[];
  samples: number[];
  classes: string[];
  /** `[client][class]`, in rows. */
  mix: number[][];
  skew: number;
  held_out: { rows: number; common: boolean; clients: number[] };
  network: { kind: 'mlp' | 'cnn'; parameters: number; layers: number[] } | null;
  strategy: string;
  /** Places of clients that lie. */
  liars: number[];
  /** A server would see sums only. */
  masked: boolean;
  masks: { neighbours: number; suffice: number } | null;
  privacy: {
    epsilon: number;
    delta: number;
    noise_multiplier: number;
    clip_norm: number;
    accountant: string;
    costs: [round: number, epsilon: number][];
    last: number | null;
  } | null;
  configuration: Configuration;
}

/** A configuration, as federation.toml has it; a choice with a number is an object of one key. */
export interface Configuration {
  seed: number;
  rounds: number;
  survivors_least: number;
  clip_norm?: number;
  adaptive_clipping?: { quantile: number };
  compression?: { top_k?: number; bits?: number };
  cohort: Choice;
  data: { held_out: number; rows: number };
  clients: { count: number; column?: string; partition: Choice };
  model: { estimator: string; hidden: number[]; dropout: number };
  forest?: { way: string; trees: number; depth?: number };
  learning: { effort: Choice; batch: number; rate: number; stepping: string };
  strategy: { name: string; [parameter: string]: string | number };
  robust?: Choice;
  personal?: { name: string; lambda?: number; parts?: string[] };
  secure?: { corrupt_share: number; lost_share: number };
  privacy?: { mechanism: string };
  faults: Record<string, number>;
  attack?: { share: number; kind: Choice };
  baselines: { central: boolean; local: boolean };
}
export type Choice = string | Record<string, unknown>;

export type Came = 'answered' | 'refused' | 'late' | 'lost' | 'absent';

/** A round of a federation: a line of its metrics. */
export interface Round {
  round: number;
  is_done: boolean;
  cohort: number;
  survivors: number;
  accuracy: number | null;
  f1_macro: number | null;
  log_loss: number | null;
  loss: number | null;
  clients: (number | null)[];
  own?: (number | null)[];
  backdoor?: number;
  short?: number;
  clip_norm?: number;
  epsilon?: number;
  staleness?: number;
  time?: number;
  octets_down: number;
  octets_up: number;
  refused?: [client: number, why: string][];
  asked?: {
    client: number[];
    came: Came[];
    loss: (number | null)[];
    norm: (number | null)[];
    octets: number[];
  };
  /** `[client][class]`, in whole percent. */
  recalls?: (number | null)[][];
}

export interface Scored {
  accuracy: number | null;
  f1_macro: number | null;
  log_loss: number | null;
}

/** What a federation came to, beside what it is held against. */
export interface Summary {
  rounds: number;
  ended: 'done' | 'stopped' | 'budget spent';
  epsilon: number | null;
  octets_down: number;
  octets_up: number;
  federated: (Scored & { clients: { worst: number; median: number; best: number } | null }) | null;
  central: Scored | null;
  local: Scored | null;
  majority: Scored | null;
}

export interface Entry {
  round: number;
  cohort: number;
  survivors: number | null;
  epsilon: number | null;
  model: string;
}
