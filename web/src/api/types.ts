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
  origin?: 'recorded' | 'made';
  calibrated?: boolean;
  is_evaluated?: boolean;
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
  /** Parts of jobs that it holds now. */
  parts: number;
  since: string;
  job: string;
}

export interface Preview {
  columns: string[];
  rows: string[][];
}
