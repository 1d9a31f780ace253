// What stories read, made once for all of them: a capture, its flows as a table with labels, and a model.

import type { TestProject } from 'vitest/node';
import { Place } from './place';

export interface Made {
  capture: string;
  table: string;
  /** Knows the applications of the table. */
  model: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    made: Made;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const place = await Place.make();
  const made = ['traffic.pcap', 'flows.csv', 'kinds.fgm'].map((name) => place.path(name));
  const [capture, table, model] = made as [string, string, string];
  for (const out of [capture, table])
    await place.run('synth', 'demo', '--flows', '600', '--seed', '7', '-o', out);
  const learner = ['--estimator', 'forest', '--trees', '20'];
  await place.run('fit', table, '--label', 'category', '--drop', 'application', ...learner, '-o', model);
  project.provide('made', { capture, table, model });
  return () => place.end();
}
