// What files hold that the API passes on as they are: model cards, evaluations, federations. Their Rust structs are the authority.

export type Origin = 'recorded' | 'made';

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
