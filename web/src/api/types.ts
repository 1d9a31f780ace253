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
  /** What the model that comes of it is to be called. */
  name?: string | null;
  progress: Progress;
  /** What somebody asked of it that it has not done yet. */
  asked?: 'pause' | 'stop' | null;
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
}

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
