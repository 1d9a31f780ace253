// An address for every page of the frame, with things of a service where a pattern has a name of one.

import type { JobPage, ModelList } from '../../src/api/types';
import { pages } from '../../src/app/pages';
import type { Service } from './service';
import { until } from './place';

/** The jobs that a service has, when all of them have ended well: what is there then stays as it is. */
function endedJobs(service: Service): Promise<JobPage['jobs']> {
  return until('the end of the first jobs', async () => {
    const { jobs } = await service.json<JobPage>('/v1/jobs?limit=50');
    return jobs.length >= 3 && jobs.every((job) => job.state === 'succeeded') ? jobs : undefined;
  });
}

/** Of a service that is furnished: patterns, and what they become. */
export async function addresses(service: Service): Promise<Map<string, string>> {
  const jobs = await endedJobs(service);
  const { models } = await service.json<ModelList>('/v1/models');
  const model = models.find((model) => model.name === 'demo') ?? models[0];
  const of = (kind: string) => jobs.find((job) => job.kind === kind)?.id;
  const runs = jobs.filter((job) => job.kind === 'simulate').map((job) => job.id);
  // What some pages are told after the question mark.
  const more: Record<string, string> = {
    '/federation/compare': `?runs=${runs.join(',')}`,
    '/models/compare': '?a=starter@0&b=demo@1',
  };
  const value = (pattern: string, name: string): string => {
    const known: Record<string, string | undefined> = {
      job: of(pattern.startsWith('/federation') ? 'simulate' : 'predict'),
      id: runs[0],
      flow: '1',
      name: model?.name,
      version: model && String(model.version),
    };
    const found = known[name];
    if (found === undefined)
      throw new Error(`say in stories/with/addresses.ts what :${name} of ${pattern} may be`);
    return encodeURIComponent(found);
  };
  // The page of parts is there only while the page is developed.
  const patterns = pages.flatMap((page) => page.patterns).filter((pattern) => pattern !== '/parts');
  const addressOf = (pattern: string) =>
    pattern.replace(/:(\w+)/g, (_, name: string) => value(pattern, name)) + (more[pattern] ?? '');
  return new Map(patterns.map((pattern) => [pattern, addressOf(pattern)]));
}

/** Those that a service that nothing was done with has, too. */
export const plain = pages
  .flatMap((page) => page.patterns)
  .filter((pattern) => pattern !== '/parts' && !pattern.includes(':'));
