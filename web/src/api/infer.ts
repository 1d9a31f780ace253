// Answers of a model to rows of numbers, each with the probability of every class: Open Inference Protocol,
// the rows as octets behind the JSON, so that a missing value is one.

import { ask } from './client';

export interface Inferred {
  /** What it says of each row; `unknown` where the model withholds its answer. */
  labels: string[];
  /** Of each row, of each class. */
  probabilities: number[][];
}

interface Answer {
  outputs: { name: string; shape: number[]; data: (number | string)[] }[];
}

export async function infer(
  { name, version }: { name: string; version: number },
  rows: readonly Float32Array[],
  signal: AbortSignal,
): Promise<Inferred> {
  const columns = rows[0]?.length ?? 0;
  const values = new Float32Array(rows.length * columns);
  rows.forEach((row, i) => values.set(row, i * columns));
  const head = new TextEncoder().encode(
    JSON.stringify({
      inputs: [
        {
          name: 'input',
          shape: [rows.length, columns],
          datatype: 'FP32',
          parameters: { binary_data_size: values.byteLength },
        },
      ],
      outputs: [{ name: 'label' }, { name: 'probabilities' }],
    }),
  );
  const path = `/v2/models/${encodeURIComponent(name)}/versions/${version}/infer`;
  const answer = await ask(path, {
    method: 'POST',
    headers: {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(head.length),
    },
    body: new Blob([head, values]),
    signal,
  });
  const { outputs } = (await answer.json()) as Answer;
  const of = (wanted: string) => outputs.find((output) => output.name === wanted)!;
  const { shape, data } = of('probabilities');
  const classes = shape[1]!;
  return {
    labels: of('label').data as string[],
    probabilities: rows.map((_, i) => data.slice(i * classes, (i + 1) * classes) as number[]),
  };
}
