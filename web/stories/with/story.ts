// A story: a name, what it is given, and at its end nothing left running and no finding.

import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, expect, inject, test } from 'vitest';
import type { Made } from './made';
import { PATIENCE, Place } from './place';
import { noRedis, Service } from './service';
import { contextOf, launch, Visit, type Eyes } from './visit';

let browser: Browser | undefined;
afterAll(() => browser?.close());

/** As small as they can be and still show all of a page: one plain, one under noise. */
const FEDERATIONS = [federation(4, 3), federation(6, 8, 0.5)];

/** A federation's file. */
export function federation(rounds: number, count: number, share?: number): string {
  const skew = share ? '{ dirichlet = { alpha = 0.3 } }' : '{ favourite = { share = 0.7 } }';
  const cohort = share ? `cohort = { poisson = { rate = ${share} } }\n` : '';
  const privacy = '\n[privacy]\nepsilon = 8.0\ndelta = 1e-5\nclip_norm = 1.0\n';
  const clients = `\n[clients]\ncount = ${count}\npartition = ${skew}\n`;
  return `seed = 7\nrounds = ${rounds}\n${cohort}${clients}${share ? privacy : ''}`;
}

export class Given {
  readonly made: Made = inject('made');
  #contexts: BrowserContext[] = [];
  #visits: Visit[] = [];
  constructor(readonly place: Place) {}

  /** A service that knows the model of what is made, as `kinds`. */
  async service(...words: string[]): Promise<Service> {
    const registry = ['--registry', 'data/models', '--name', 'kinds'];
    await this.place.run('models', 'import', this.made.model, ...registry);
    return Service.start(this.place, [...Service.inFolder, ...words]);
  }

  /** A service where much was done: answers, a model with its evaluation, two federations. */
  async furnished(federations = FEDERATIONS): Promise<Service> {
    const registry = ['--registry', 'data/models'];
    await this.place.run('models', 'import', this.made.model, ...registry, '--name', 'demo');
    await this.place.run('models', 'attach', 'demo@1', this.made.evaluation, ...registry);
    await this.place.run('models', 'promote', 'demo@1', ...registry);
    const service = await Service.start(this.place);
    await service.submit(this.made.table, { model: 'demo', proba: 'true' });
    for (const configuration of federations)
      await service.submit(undefined, { kind: 'simulate', configuration });
    return service;
  }

  /** A person before a browser of their own. */
  async person(eyes: Eyes = {}): Promise<BrowserContext> {
    browser ??= await launch();
    const context = await browser.newContext(contextOf(eyes));
    context.setDefaultTimeout(PATIENCE);
    this.#contexts.push(context);
    return context;
  }

  /** Looks at an address of the service, as another person or in another tab of one. */
  async look(service: Service, path: string, by: Eyes | BrowserContext = {}): Promise<Visit> {
    const context = 'newPage' in by ? by : await this.person(by);
    const visit = await Visit.begin(await context.newPage(), service.url);
    this.#visits.push(visit);
    await visit.go(path);
    return visit;
  }

  findings(): string[] {
    return this.#visits.flatMap((visit) => visit.findings());
  }

  async end(): Promise<void> {
    await Promise.all(this.#contexts.map((context) => context.close()));
    await this.place.end();
  }
}

/** Told with a folder of its own; fails on any finding of its visits, too. */
export function story(name: string, tell: (given: Given) => Promise<void>, timeout?: number): void {
  const told = async () => {
    const given = new Given(await Place.make());
    try {
      await tell(given);
    } catch (error) {
      const findings = given.findings();
      if (findings.length) console.log(`findings of "${name}":\n  ${findings.join('\n  ')}`);
      throw error;
    } finally {
      await given.end();
    }
    expect(given.findings()).toEqual([]);
  };
  test(name, { ...(timeout && { timeout }) }, told);
}

/** A story that needs a Redis; without one it is left out, and that is said. */
export function storyOverRedis(name: string, tell: (given: Given) => Promise<void>): void {
  const missing = noRedis();
  if (!missing) return story(name, tell);
  console.log(`skipped: ${name}: ${missing}`);
  test.skip(name, () => {});
}
