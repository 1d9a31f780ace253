import { expect, test } from 'vitest';
import type { Came, Round } from '../api/types';
import { clientsAfter, columns, cutWhereLost, until } from './columns';

const round = (at: number, clients: (number | null)[], came: Came[], more: Partial<Round> = {}): Round => ({
  round: at,
  is_done: true,
  cohort: came.length,
  survivors: came.filter((c) => c === 'answered').length,
  accuracy: 0.5,
  f1_macro: 0.5,
  log_loss: 1,
  loss: 1,
  clients,
  octets_down: 0,
  octets_up: 0,
  asked: {
    client: came.map((_, i) => i),
    came,
    loss: came.map((c, i) => (c === 'answered' ? 1 + i : null)),
    norm: came.map((c) => (c === 'answered' ? at : null)),
    octets: came.map((c) => (c === 'answered' ? 100 : 0)),
  },
  ...more,
});
const rounds = [
  round(1, [0.1, 0.2, null], ['answered', 'answered', 'answered']),
  round(2, [0.3, 0.6, 0.5], ['answered', 'lost', 'answered'], { epsilon: 2 }),
  round(3, [0.4, 0.7, 0.9], ['refused', 'lost'], { accuracy: null }),
];

test('rounds as columns; what is not there is NaN', () => {
  const found = columns(rounds, 3);
  expect([...found.x]).toEqual([1, 2, 3]);
  expect([...found.accuracy]).toEqual([0.5, 0.5, NaN]);
  expect([...found.epsilon]).toEqual([NaN, 2, NaN]);
  expect([...found.clients[2]!]).toEqual([NaN, 0.5, 0.9]);
  expect([...found.losses[1]!]).toEqual([2, NaN, NaN]);
  expect([...found.accuracies.low]).toEqual([0.1, 0.3, 0.4]);
  expect([...found.accuracies.middle].map((v) => v.toFixed(2))).toEqual(['0.15', '0.50', '0.70']);
  expect([...found.accuracies.high]).toEqual([0.2, 0.6, 0.9]);
  expect(until(found, 2).accuracies.high.length).toBe(2);
  expect(columns([], 2).clients.length).toBe(2);
});

test('what came of each client by a round', () => {
  const [first, second, third] = clientsAfter(rounds, 3, 3);
  expect(first).toEqual({ came: 'refused', asked: 3, seen: 2, norm: 2, octets: 200, accuracy: 0.4 });
  expect(second).toMatchObject({ came: 'lost', asked: 3, seen: 1, octets: 100 });
  expect(third).toMatchObject({ came: 'answered', asked: 2, seen: 2, norm: 2 });
  expect(clientsAfter(rounds, 1, 3)[1]).toMatchObject({ came: 'answered', seen: 1 });
  expect(clientsAfter(rounds, 0, 3)[0]).toMatchObject({ came: undefined, seen: 0, norm: NaN });
});

test('the line of a lost client ends where it was last seen', () => {
  const found = columns(rounds, 3);
  const [first, second] = clientsAfter(rounds, 3, 3);
  expect([...cutWhereLost(found.clients[1]!, found.x, second!)]).toEqual([0.2, NaN, NaN]);
  expect(cutWhereLost(found.clients[0]!, found.x, first!)).toBe(found.clients[0]);
});
