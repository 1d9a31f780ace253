// What the API says, from its own description (schema.ts, `npm run types`); said more closely where that only says "a text" or "an object".

import type { Card, Origin } from './formats';
import type { components } from './schema';

export * from './formats';

type Schemas = components['schemas'];
/** Every field is there, null where there is nothing: the description cannot tell that from "left out". */
type Filled<T> = { [Key in keyof T]-?: Exclude<T[Key], undefined> };
/** A schema, with some of its fields said more closely. */
type Closely<Name extends keyof Schemas, Fields> = Omit<Schemas[Name], keyof Fields> & Fields;

export type State = Schemas['State'];
export type Format = Schemas['Format'];
export type Input = Schemas['InputView'];
export type Progress = Partial<Schemas['Progress']>;
export type About = Filled<Schemas['About']>;
export type Sample = Schemas['SampleView'];
export type Column = Filled<Schemas['ColumnView']>;
export type Contribution = Filled<Schemas['Contribution']>;
/** RFC 9457. */
export type ProblemDocument = Schemas['Problem'];
/** One row of a predict job with its reasons, n from 1. */
export type RowDetail = Closely<'RowView', { contributions: Contribution[] }>;

export type Job = Closely<
  'JobView',
  {
    kind: 'predict' | 'fit' | 'simulate';
    /** Until it ends. */
    progress?: Progress | null;
    asked?: 'pause' | 'stop' | null;
    answers?: Record<string, unknown> | null;
    result?: Record<string, unknown> | null;
  }
>;
export type JobPage = Closely<'JobPage', { jobs: Job[] }>;

/** What a predict job came to. */
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

export type Preview = { columns: string[]; rows: string[][] };

export type Model = Closely<'ModelView', { origin: Origin; scores: Record<string, number> }>;
export type ModelList = { models: Model[] };
/** A version of a model with all that is known of it. */
export type ModelDetail = Model & { card: Card; columns: Column[] };
export type Promoted = Closely<'Promoted', { model: Model }>;
