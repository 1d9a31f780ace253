// Flows in groups: by class, by server, by protocol.

import type { View } from '../api/view';
import { labelOf } from '../classify/reading';
import type { Filter } from '../classify/filter';

export const groupings = ['class', 'server', 'protocol'] as const;
export type By = (typeof groupings)[number];

export interface Group {
  /** As the filter calls it; nothing for rows without one. */
  key: string | undefined;
  rows: number[];
}

/** The largest first. */
export function groupsOf(view: View, rows: ArrayLike<number>, by: By, reject: number): Group[] {
  const column = by === 'class' ? undefined : view[by];
  const nameOf = (row: number): string | undefined => {
    if (by !== 'class') return column?.names[column.place[row]!];
    const place = labelOf(view, row, reject);
    return place < 0 ? 'unknown' : view.classes[place];
  };
  const found = new Map<string | undefined, number[]>();
  for (let k = 0; k < rows.length; k++) {
    const key = nameOf(rows[k]!);
    const group = found.get(key);
    if (group) group.push(rows[k]!);
    else found.set(key, [rows[k]!]);
  }
  return [...found]
    .map(([key, of]) => ({ key, rows: of }))
    .sort((a, b) => b.rows.length - a.rows.length || (a.key ?? '').localeCompare(b.key ?? ''));
}

/** The filter that a group's flows pass. */
export function within(filter: Filter, by: By, key: string): Filter {
  return by === 'class' ? { ...filter, classes: [key] } : { ...filter, [by]: key };
}

/** Rows per class of a group; the last place counts the unknown. */
export function mixOf(view: View, rows: number[], reject: number): Uint32Array {
  const counts = new Uint32Array(view.classes.length + 1);
  for (const row of rows) {
    const place = labelOf(view, row, reject);
    counts[place < 0 ? view.classes.length : place]!++;
  }
  return counts;
}
