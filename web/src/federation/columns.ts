// Rounds as columns: what the charts draw, and what came of each client by some round.

import type { Came, Round } from '../api/types';

export interface Columns {
  x: Float64Array;
  accuracy: Float64Array;
  /** Log loss on the rows held out. */
  loss: Float64Array;
  epsilon: Float64Array;
  /** `[client]`, by round: accuracy of the common model on the client's own rows; its loss while it learnt. */
  clients: Float64Array[];
  losses: Float64Array[];
  /** Worst and best client, by round. */
  accuracies: Band;
  lossBand: Band;
}
export interface Band {
  low: Float64Array;
  middle: Float64Array;
  high: Float64Array;
}

const number = (value: number | null | undefined) => value ?? NaN;

export function columns(rounds: readonly Round[], clients: number): Columns {
  const n = rounds.length;
  const own = () => Array.from({ length: clients }, () => new Float64Array(n).fill(NaN));
  const [accuracies, losses] = [own(), own()];
  rounds.forEach((round, at) => {
    round.clients.forEach((value, client) => {
      if (accuracies[client]) accuracies[client][at] = number(value);
    });
    round.asked?.client.forEach((client, i) => {
      if (losses[client]) losses[client][at] = number(round.asked!.loss[i]);
    });
  });
  const of = (pick: (round: Round) => number | null | undefined) =>
    Float64Array.from(rounds, (round) => number(pick(round)));
  return {
    x: of((round) => round.round),
    accuracy: of((round) => round.accuracy),
    loss: of((round) => round.log_loss),
    epsilon: of((round) => round.epsilon),
    clients: accuracies,
    losses,
    accuracies: band(accuracies, n),
    lossBand: band(losses, n),
  };
}

function band(values: readonly Float64Array[], n: number): Band {
  const found = { low: new Float64Array(n), middle: new Float64Array(n), high: new Float64Array(n) };
  for (let at = 0; at < n; at++) {
    const there = values.map((of) => of[at]!).filter(Number.isFinite);
    there.sort((a, b) => a - b);
    found.low[at] = there[0] ?? NaN;
    found.high[at] = there.at(-1) ?? NaN;
    const { length } = there;
    found.middle[at] = length ? (there[(length - 1) >> 1]! + there[length >> 1]!) / 2 : NaN;
  }
  return found;
}

/** The first so many of all columns, without a copy. */
export function until(of: Columns, n: number): Columns {
  const cut = (values: Float64Array) => values.subarray(0, n);
  const cutBand = (band: Band) => ({ low: cut(band.low), middle: cut(band.middle), high: cut(band.high) });
  return {
    x: cut(of.x),
    accuracy: cut(of.accuracy),
    loss: cut(of.loss),
    epsilon: cut(of.epsilon),
    clients: of.clients.map(cut),
    losses: of.losses.map(cut),
    accuracies: cutBand(of.accuracies),
    lossBand: cutBand(of.lossBand),
  };
}

/** A client as it is after some round. */
export interface Client {
  /** What came of it when it was last asked; nothing where it never was, or where nobody tells. */
  came: Came | undefined;
  /** The round of that. */
  asked: number;
  /** The last round in which it answered; 0 for never. */
  seen: number;
  /** How long its last update was. */
  norm: number;
  /** Octets sent so far. */
  octets: number;
  accuracy: number;
}

/** All clients after the first `n` rounds. */
export function clientsAfter(rounds: readonly Round[], n: number, clients: number): Client[] {
  const all = Array.from({ length: clients }, (): Client => ({
    came: undefined,
    asked: 0,
    seen: 0,
    norm: NaN,
    octets: 0,
    accuracy: NaN,
  }));
  for (let at = 0; at < n; at++) {
    const { asked, round } = rounds[at]!;
    asked?.client.forEach((place, i) => {
      const client = all[place];
      if (!client) return;
      client.came = asked.came[i]!;
      client.asked = round;
      client.octets += asked.octets[i]!;
      if (client.came === 'answered') client.seen = round;
      if (asked.norm[i] != null) client.norm = asked.norm[i];
    });
  }
  rounds[n - 1]?.clients.forEach((value, place) => {
    if (all[place]) all[place].accuracy = number(value);
  });
  return all;
}

/** Nothing was heard of it when it was last asked. */
export const isLost = (client: Client) => client.came === 'lost' || client.came === 'absent';

/** A line that ends with the last round in which its client answered, if it is lost. */
export function cutWhereLost(values: Float64Array, x: Float64Array, client: Client): Float64Array {
  if (!isLost(client)) return values;
  return values.map((value, at) => (x[at]! <= client.seen ? value : NaN));
}
