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
