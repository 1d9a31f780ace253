// What stories read, made once for all of them: a capture, its flows as a table with labels, and a model.

import type { TestProject } from 'vitest/node';
import { Place } from './place';

export interface Made {
  capture: string;
  table: string;
  /** Knows the kinds of use of the table. */
  model: string;
  /** How good models of its recipe are. */
  evaluation: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    made: Made;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const place = await Place.make();
  const [capture, table] = [place.path('traffic.pcap'), place.path('flows.csv')];
  const [model, evaluation] = [place.path('kinds.fgm'), place.path('kinds.json')];
  for (const out of [capture, table])
    await place.run('synth', 'demo', '--flows', '600', '--seed', '7', '-o', out);
  const recipe = ['--label', 'category', '--drop', 'application', '--estimator', 'forest', '--trees', '20'];
  // It learns from other flows than it is asked about.
  const others = place.path('others.csv');
  await place.run('synth', 'demo', '--flows', '600', '--seed', '8', '-o', others);
  await place.run('fit', others, ...recipe, '-o', model);
  await place.run('evaluate', others, ...recipe, '-o', evaluation);
  project.provide('made', { capture, table, model, evaluation });
  return () => place.end();
}
