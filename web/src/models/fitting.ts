// The form of a fit, and what a table's first line says about it.

export interface Field {
  name: string;
  label: string;
  says: string;
}

export const ESTIMATORS: [value: string, says: string][] = [
  ['auto', 'whichever does best on folds'],
  ['forest', 'a random forest'],
  ['extra-trees', 'extremely randomised trees'],
  ['boost', 'gradient boosting'],
  ['linear', 'a linear classifier on packet sizes'],
  ['voting', 'boosting, forest and extra-trees by their mean'],
  ['stack', 'forest, extra-trees and linear under a judge'],
  ['mlp', 'a network of connected layers'],
  ['cnn', 'a network of convolutions'],
];

const WORDS = /^(label|class|category|application|app|kind|type|service)$/i;
const GROUPS = /^(capture|client|session|initiator_address|source|src_ip|day)$/i;

/** The columns that a table in text begins with, where it does; quotes as in RFC 4180. */
export function columnsOf(text: string): string[] {
  const line = text.split(/\r?\n/, 1)[0] ?? '';
  const cells = line.match(/("([^"]|"")*"|[^,]*)(,|$)/g) ?? [];
  return cells
    .map((cell) => cell.replace(/,$/, '').replace(/^"|"$/g, '').replaceAll('""', '"').trim())
    .filter((name, i, all) => name && all.indexOf(name) === i);
}

/** What of the columns looks like labels, and like what rows belong together by. */
export function guess(columns: readonly string[]): { label: string; group: string } {
  return {
    label: columns.find((c) => WORDS.test(c)) ?? '',
    group:
      columns.find((c) => GROUPS.test(c) && c !== 'capture') ?? columns.find((c) => GROUPS.test(c)) ?? '',
  };
}
