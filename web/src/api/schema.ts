// Made by `npm run types` from the API's description. Not to be changed by hand.

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
  schemas: {
    /** @description What a page has to know of the service. */
    About: {
      /** @description Whether only this machine can ask, so that nothing that is sent leaves it. */
      is_local: boolean;
      /** @description The model that answers where none is named, `NAME@VERSION`; null where there is none. */
      model?: string | null;
      /**
       * Format: int64
       * @description Octets that an upload may have.
       */
      upload_octets: number;
      /**
       * @description The program's version.
       * @example 0.1.0
       */
      version: string;
    };
    /** @description What a row is held against. */
    Against: {
      rows: number;
    };
    /** @description A class and its probability. */
    ClassProbability: {
      class: string;
      /** Format: float */
      probability: number;
    };
    /** @description A column of a model. */
    ColumnView: {
      /**
       * Format: float
       * @description About where 99 % end.
       */
      high?: number | null;
      /**
       * Format: float
       * @description How much it matters to the model, as a share of 1; null where it does not know.
       */
      importance?: number | null;
      /**
       * Format: float
       * @description About where 1 % of the values that it learnt from end; null where it does not know.
       */
      low?: number | null;
      name: string;
      /** @description Its unit; empty where nobody says. */
      unit: string;
      /**
       * Format: float
       * @description About the middle one.
       */
      usual?: number | null;
    };
    /**
     * @description What an upload is.
     * @enum {string}
     */
    Content: 'csv' | 'jsonl' | 'parquet' | 'arff' | 'capture';
    /** @description What a column, or a list of columns, did. */
    Contribution: {
      /** @description How many columns it is. */
      columns: number;
      /** @description The column, or what the names of the list begin with. */
      feature: string;
      /**
       * Format: double
       * @description How much it moved the answer.
       */
      share: number;
      /** @description Its unit; empty where nobody says. */
      unit: string;
      /**
       * Format: float
       * @description What is usual among the rows that it is held against; null likewise.
       */
      usual?: number | null;
      /**
       * Format: float
       * @description The row's value; null for lists, and where it is missing.
       */
      value?: number | null;
    };
    /** @description The form of a federation. */
    FederationForm: {
      /** @description The federation, as in federation.toml; without it the default one, on made rows. */
      configuration?: string | null;
      /**
       * Format: binary
       * @description A table with labels, where it is not to learn from made rows.
       */
      file?: string | null;
      /** @description The name that the common model gets in the registry. */
      name?: string | null;
    };
    /** @description Federations. */
    FederationList: {
      /** @description Newest first. */
      federations: components['schemas']['JobView'][];
    };
    /**
     * @description How answers are written.
     * @enum {string}
     */
    Format: 'csv' | 'jsonl' | 'parquet';
    /** @description Rows as tensors. */
    InferRequest: {
      /** @description Given back as it is. */
      id?: string | null;
      /** @description One tensor with all columns, or one for each. */
      inputs: components['schemas']['InputTensor'][];
      /** @description The tensors to give; without it all. */
      outputs?: components['schemas']['OutputWanted'][] | null;
    };
    /** @description Answers as tensors. */
    InferResponse: {
      id?: string | null;
      model_name: string;
      model_version: string;
      outputs: components['schemas']['OutputTensor'][];
    };
    /** @description How a tensor comes. */
    InputParameters: {
      /**
       * Format: int64
       * @description How many octets behind the JSON are this tensor's, little-endian, in the order of the tensors.
       */
      binary_data_size?: number | null;
    };
    /** @description A tensor of a request. */
    InputTensor: {
      /** @description The values, flat or nested, in row-major order; absent where they follow the JSON as octets. */
      data?: unknown[] | null;
      /** @description BOOL, INT8 to INT64, UINT8 to UINT64, FP32, FP64, or BYTES for text that holds a number. */
      datatype: string;
      name: string;
      parameters?: components['schemas']['InputParameters'] | null;
      shape: number[];
    };
    /** @description What was uploaded. */
    InputView: {
      content: components['schemas']['Content'];
      /** @description Whether it is known to be made traffic: a sample. */
      made: boolean;
      name: string;
      /** Format: int64 */
      octets: number;
      /** Format: int64 */
      rows: number;
    };
    /** @description The fields of a job's form. */
    JobForm: {
      /** @description predict: the answer as after so many packets. */
      after?: number | null;
      /** @description fit: the column with the category of each label. */
      category?: string | null;
      /** @description simulate: the federation, as in federation.toml. */
      configuration?: string | null;
      /**
       * Format: double
       * @description predict: add a set of labels that misses the true one in no more than this share.
       */
      conformal?: number | null;
      /**
       * Format: int32
       * @description fit: how deep they may be.
       */
      depth?: number | null;
      /** @description fit: columns to leave out, with commas between them. */
      drop?: string | null;
      /** @description fit: auto, forest, extra-trees, boost, linear, cnn, mlp and so on. */
      estimator?: string | null;
      /**
       * Format: binary
       * @description CSV, Parquet, JSONL or ARFF, plain, gzip or zstd; or a capture, which is metered first.
       */
      file?: string | null;
      format?: components['schemas']['Format'] | null;
      /** @description fit: the column that says which rows belong together. */
      group?: string | null;
      /** @description fit: identity columns to learn from all the same, with commas between them. */
      keep?: string | null;
      /** @description predict (without saying), fit or simulate. */
      kind?: string | null;
      /** @description fit: the column with the labels. */
      label?: string | null;
      /** @description predict: the model, `NAME[@VERSION|@ALIAS]`; without one the usual one (`/v1/about` says which). */
      model?: string | null;
      /** @description fit, simulate: the name that the model gets in the registry. */
      name?: string | null;
      /** @description predict: few columns instead of all of the input's. */
      only_predictions?: boolean | null;
      /** @description predict: add the confidence and the three likeliest classes. */
      proba?: boolean | null;
      /** @description fit: the alias that is to stand for the model. */
      promote?: string | null;
      /**
       * Format: float
       * @description predict: 'unknown' where the confidence is below this.
       */
      reject?: number | null;
      /** @description predict, fit: instead of a file, the made traffic of `/v1/samples`. */
      sample?: string | null;
      /**
       * Format: int64
       * @description fit: the seed.
       */
      seed?: number | null;
      /**
       * Format: int32
       * @description fit: how many trees.
       */
      trees?: number | null;
      /**
       * Format: double
       * @description predict: 'unknown' where an answer is more doubtful than all but this share.
       */
      unknown?: number | null;
    };
    /** @description A page of jobs. */
    JobPage: {
      /** @description Newest first. */
      jobs: components['schemas']['JobView'][];
      /** @description What to ask for as `before` to see older ones. */
      next?: string | null;
    };
    /** @description A job, as it is shown. */
    JobView: {
      /** @description What is asked of the model, and how the answers are written. */
      answers?: Record<string, never> | null;
      /** @description What somebody asked of it that it has not done yet: to pause, or to stop. */
      asked?: string | null;
      /**
       * Format: int32
       * @description Which delivery it is on, from 1; 0 before the first.
       */
      attempt: number;
      /** @description When it was taken in. */
      created: string;
      /** @description When it ended. */
      ended?: string | null;
      /**
       * @description Its id.
       * @example 019b1e6c-3a0f-7c3e-9d59-0c0f2b0c4f11
       */
      id: string;
      input?: components['schemas']['InputView'] | null;
      /** @description What kind of work: predict, fit, simulate. */
      kind: string;
      /** @description Where to go from here. */
      links: components['schemas']['Links'];
      /** @description The model that answers, `NAME@VERSION`. */
      model?: string | null;
      /** @description What the model that comes of it is to be called. */
      name?: string | null;
      progress?: components['schemas']['Progress'] | null;
      reason?: components['schemas']['Reason'] | null;
      /** @description What it came to. */
      result?: Record<string, never> | null;
      /**
       * Format: int64
       * @description Grows with every change to any job.
       */
      revision: number;
      /** @description When a worker first had it. */
      started?: string | null;
      /** @description Where it is in its life. */
      state: components['schemas']['State'];
      /** @description Who had its last part. */
      worker?: string | null;
    };
    /** @description A class and its probability. */
    Likely: {
      /**
       * Format: float
       * @description Its probability.
       */
      confidence: number;
      /** @description The class. */
      label: string;
    };
    /** @description Where to go from here. */
    Links: {
      /** @description The job. */
      job: string;
      /** @description A federation's report, once it has ended. */
      report?: string | null;
      /** @description What it came to; signed, so that whoever has the link needs no key until it expires. */
      result?: string | null;
      /** @description A federation's rounds. */
      rounds?: string | null;
    };
    /** @description Whether the server lives. */
    Live: {
      live: boolean;
    };
    /**
     * @description What an explanation explains.
     * @enum {string}
     */
    Measure: 'probability' | 'margin';
    /** @description A version of a model, with all that is known of it. */
    ModelDetail: components['schemas']['ModelView'] & {
      /** @description What it was trained on and how it scored. */
      card: Record<string, never>;
      /** @description Its columns, in the order that it expects. */
      columns: components['schemas']['ColumnView'][];
    };
    /** @description Models. */
    ModelList: {
      models: components['schemas']['ModelView'][];
    };
    /** @description What a model takes and gives. */
    ModelMetadata: {
      inputs: components['schemas']['TensorMetadata'][];
      name: string;
      outputs: components['schemas']['TensorMetadata'][];
      parameters: Record<string, never>;
      platform: string;
      versions: string[];
    };
    /** @description A version of a model. */
    ModelView: {
      /** @description The aliases that stand for it; `live` is meant where none is said. */
      aliases: string[];
      /** @description Whether its confidence was made true on rows that it had not learnt from. */
      calibrated: boolean;
      classes: string[];
      estimator: string;
      /**
       * Format: int64
       * @description Number of its columns.
       */
      features: number;
      fingerprint: string;
      imported: string;
      /** @description Whether an evaluation is attached to it. */
      is_evaluated: boolean;
      name: string;
      /** Format: int64 */
      octets: number;
      /**
       * @description Whether a program made them, or they were recorded, as far as anybody said.
       * @example recorded
       */
      origin: string;
      /**
       * Format: int64
       * @description Rows that it learnt from, and their fingerprint.
       */
      rows: number;
      /** @description Its columns' name and hash. */
      schema: string;
      schema_hash: string;
      /** @description Scores on rows that it had not learnt from. */
      scores: Record<string, never>;
      /** @description SHA-256 of its file. */
      sha256: string;
      /**
       * Format: int32
       * @description From 1; 0 is the model that ships with the program.
       */
      version: number;
    };
    /** @description What several columns did together. */
    OtherColumns: {
      /** @description How many columns and lists they are. */
      count: number;
      /**
       * Format: double
       * @description How much they moved the answer.
       */
      share: number;
    };
    /** @description A tensor of an answer. */
    OutputTensor: {
      /** @description Numbers, or labels as text. */
      data: unknown[];
      datatype: string;
      name: string;
      shape: number[];
    };
    /** @description A tensor that is asked for. */
    OutputWanted: {
      name: string;
    };
    /** @description The answer for a row. */
    Prediction: {
      /**
       * Format: float
       * @description The probability of the likeliest class.
       */
      confidence: number;
      /** @description The likeliest class, or 'unknown'. */
      label: string;
      /** @description The likeliest classes. */
      top: components['schemas']['Likely'][];
    };
    /** @description Answers. */
    Predictions: {
      /** @description The model that answered, `NAME@VERSION`. */
      model: string;
      /** @description One for each row, in order. */
      predictions: components['schemas']['Prediction'][];
    };
    /** @description The first rows of the answers. */
    Preview: {
      /** @description The columns; none before the first rows are there. */
      columns: string[];
      /** @description Rows of cells, as they stand in CSV. */
      rows: string[][];
    };
    /** @description A problem document. */
    Problem: {
      /** @description What happened, where, and what to do. */
      detail?: string | null;
      /** @description What happened, once more, where clients of the Open Inference Protocol look for it; only below /v2. */
      error?: string | null;
      /**
       * Format: int64
       * @description Seconds after which another try is worth it.
       */
      retry_after?: number | null;
      /**
       * Format: int32
       * @description The HTTP status.
       * @example 422
       */
      status: number;
      /**
       * @description What kind of problem, for people.
       * @example The input cannot be used
       */
      title: string;
      /**
       * @description What kind of problem: `urn:flowgait:problem:` and a stable word.
       * @example urn:flowgait:problem:bad-input
       */
      type: string;
    };
    /** @description How far a job is. */
    Progress: {
      /**
       * Format: int64
       * @description How much of it is done.
       * @default 0
       */
      done: number;
      /**
       * Format: double
       * @description How many a second.
       * @default null
       */
      rate: number | null;
      /**
       * Format: double
       * @description Seconds that are left at that rate.
       * @default null
       */
      seconds_left: number | null;
      /**
       * @description What is being done, in a word or two.
       * @default
       */
      stage: string;
      /**
       * Format: int64
       * @description How much there is to do; absent where nobody knows yet.
       * @default null
       */
      total: number | null;
      /**
       * @description What `done` and `total` count: rows, octets, rounds, trees.
       * @default
       */
      unit: string;
    };
    /** @description What stands for what now. */
    Promoted: {
      alias: string;
      /**
       * Format: int32
       * @description What the alias stood for before: promote that to roll back.
       */
      before?: number | null;
      model: components['schemas']['ModelView'];
    };
    /** @description What is to stand for what. */
    Promotion: {
      /** @description The alias; without one `live`, which is meant where none is said. */
      alias?: string | null;
      /**
       * Format: int32
       * @description The version; without one the latest alias or version that the name means.
       */
      version?: number | null;
    };
    /** @description Whether something is ready. */
    Ready: {
      name?: string | null;
      ready: boolean;
    };
    /** @description Why a job did not succeed, as a person is told. */
    Reason: {
      /** @description What happened and where, and what to do. */
      detail: string;
      /** @description A stable word, such as `bad-input`. */
      kind: string;
    };
    /** @description Rounds of a federation. */
    Rounds: {
      /** @description In order, at most 1,000: accuracy, loss, clients, octets, epsilon, as `metrics.jsonl` has them. */
      rounds: Record<string, never>[];
    };
    /** @description A row of the answers, and why it got its answer. */
    RowView: {
      /** @description What it is held against: rows of the same answers, evenly spread. */
      against: components['schemas']['Against'];
      /**
       * Format: double
       * @description What the rows that it is held against get on average.
       */
      base: number;
      /** @description Its cells by their column, in the order of the table. */
      cells: {
        [key: string]: string;
      };
      /** @description The class that is explained: the likeliest, also where the answer is withheld. */
      class: string;
      /** @description What moved it most, at most eight, the largest amount first. */
      contributions: components['schemas']['Contribution'][];
      /** @description What is explained: the probability before it is made true, or what boosting sums up. */
      measure: components['schemas']['Measure'];
      /** @description What all other columns did together. */
      others: components['schemas']['OtherColumns'];
      /** @description The answer. */
      prediction: string;
      /** @description The likeliest classes, at most five. */
      probabilities: components['schemas']['ClassProbability'][];
      /**
       * Format: int64
       * @description Its number, from 1.
       */
      row: number;
      /**
       * Format: double
       * @description What the row gets: the base, all contributions and the others, added.
       */
      value: number;
    };
    /** @description Rows as JSON. */
    Rows: {
      /** @description The answer as after so many packets, of a model that was fitted early. */
      after?: number | null;
      /** @description The columns, where rows are lists. */
      columns?: string[] | null;
      /** @description The model: `NAME`, `NAME@VERSION` or `NAME@ALIAS`; without one the starter model. */
      model?: string | null;
      /**
       * Format: float
       * @description 'unknown' where the confidence is below this.
       */
      reject?: number | null;
      /** @description Objects by column, or lists in the order of `columns`; at most 1,000. */
      rows: unknown[];
      /**
       * Format: double
       * @description 'unknown' where an answer is more doubtful than all but this share of answers to what was learnt.
       */
      unknown?: number | null;
    };
    /** @description Samples. */
    SampleList: {
      samples: components['schemas']['SampleView'][];
    };
    /** @description A sample. */
    SampleView: {
      /**
       * Format: int64
       * @description Flows in it.
       */
      flows: number;
      /** @description Always true: its scores measure the generator, and no network. */
      made: boolean;
      /** @description What `POST /v1/jobs` takes as `sample`. */
      name: string;
      /** @description What it is, in a few words. */
      says: string;
      title: string;
    };
    /** @description The server. */
    Server: {
      extensions: string[];
      name: string;
      version: string;
    };
    /** @description Who asks, and what it may do. */
    Session: {
      /** @description The key's name; empty where no key is needed. */
      name: string;
      /** @description predict, jobs, models, admin. */
      scopes: string[];
    };
    /** @description A key, shown once. */
    Shown: {
      key: string;
    };
    /**
     * @description Where a job is in its life.
     * @enum {string}
     */
    State: 'queued' | 'running' | 'paused' | 'succeeded' | 'failed' | 'cancelled' | 'dead';
    /** @description A task that was taken in. */
    Task: {
      task_id: string;
    };
    /** @description How a task stands. */
    TaskResult: {
      /** @description Why it failed; null otherwise. */
      error?: string | null;
      /** @description The model that answered, `NAME@VERSION`. */
      model?: string | null;
      /** @description The labels, in the order of the rows; null before. */
      result?: string[] | null;
      /** @description PENDING, STARTED, SUCCESS, FAILURE or REVOKED. */
      status: string;
      task_id: string;
    };
    /** @description What a tensor is. */
    TensorMetadata: {
      datatype: string;
      name: string;
      shape: number[];
    };
  };
  responses: never;
  parameters: never;
  requestBodies: never;
  headers: never;
  pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
