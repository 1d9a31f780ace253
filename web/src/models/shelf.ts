// What the registry shows: of each name what stands for something and what is newest, the rest on request.

import type { Model } from '../api/types';
import { isLive } from './words';

export interface Shelf {
  name: string;
  shown: Model[];
  earlier: Model[];
}

/** By name, newest first; the model that ships with the program last. */
export function shelves(models: readonly Model[]): Shelf[] {
  const names = [...new Set(models.map((m) => m.name))].sort((a, b) => {
    const [x, y] = [a, b].map((name) => models.some((m) => m.name === name && m.version > 0));
    return Number(y) - Number(x) || a.localeCompare(b);
  });
  return names.map((name) => {
    const all = models.filter((m) => m.name === name).sort((a, b) => b.version - a.version);
    const live = all.find(isLive)?.version ?? all[0]!.version;
    const kept = (m: Model) => m.version >= live || m.aliases.length > 0;
    return { name, shown: all.filter(kept), earlier: all.filter((m) => !kept(m)) };
  });
}

export const f1Of = (model: Model): number | undefined => model.scores['f1_macro'];

/** Macro-F1 of the versions of a name up to one of them, oldest first; NaN where none was measured. */
export function history(models: readonly Model[], model: Model): number[] {
  return models
    .filter((m) => m.name === model.name && m.version <= model.version)
    .sort((a, b) => a.version - b.version)
    .map((m) => f1Of(m) ?? NaN);
}

/** One scale for all sparks of the list. */
export function scaleOf(models: readonly Model[]): { from: number; to: number } {
  const scores = models.map(f1Of).filter((f1) => f1 !== undefined);
  const low = scores.length ? Math.min(...scores) : 0;
  return { from: Math.min(0.9, Math.floor(low * 10 + 1e-9) / 10), to: 1 };
}

/** The version to open where none was said: what somebody made and lets stand, else the newest. */
export function first(models: readonly Model[]): Model | undefined {
  const own = shelves(models).flatMap((shelf) => shelf.shown);
  return own.find((m) => isLive(m) && m.version > 0) ?? own[0];
}

/** The version that a roll back of this one would let live. */
export function before(models: readonly Model[], model: Model): Model | undefined {
  return models
    .filter((m) => m.name === model.name && m.version < model.version)
    .sort((a, b) => b.version - a.version)[0];
}

/** A name that the registry takes, from a file's. */
export const nameFrom = (file: string) =>
  file
    .replace(/\.[^.]*$/, '')
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
    .slice(0, 64);
