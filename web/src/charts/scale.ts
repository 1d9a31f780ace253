// Numbers to places: round ticks, labels that keep apart.

/** 1, 2, 2.5 or 5 times a power of ten: the largest that is no more than `n`. */
export function round(n: number): number {
  const power = 10 ** Math.floor(Math.log10(n));
  // A hair of tolerance: 0.3 / 0.1 is not 3.
  const lead = n / power + 1e-9;
  return (lead >= 5 ? 5 : lead >= 2.5 ? 2.5 : lead >= 2 ? 2 : 1) * power;
}

/** Four or five round ticks from `from` to `to`, both included where they are round. */
export function ticks(from: number, to: number, wanted = 5): number[] {
  if (!(to > from)) return [from];
  let step = round((to - from) / (wanted - 1));
  if (Math.floor((to - from) / step + 1e-9) + 1 > wanted + 1) step = round(step * 2.1);
  const found: number[] = [];
  for (let i = Math.ceil(from / step - 1e-9); i * step <= to + step * 1e-9; i++)
    found.push(Number((i * step).toPrecision(12)));
  return found;
}

/** Ticks of a √ scale: apart at the foot, where linear ones would crowd. */
export function rootTicks(most: number): number[] {
  if (most < 1) return [];
  const top = round(most);
  return [...new Set([0.1, 0.4, 1].map((share) => Math.round(top * share)))].filter((tick) => tick > 0);
}

/** Moves labels so that each is at least `apart` from its neighbours, as little as possible, within `room`. */
export function push(wanted: readonly number[], apart: number, room: readonly [number, number]): number[] {
  const by = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]! || a - b);
  // Labels that touch form a block that stands around the mean of what its labels want.
  const blocks: { places: number[]; at: number }[] = [];
  const rest = (places: number[]) =>
    places.reduce((sum, place, k) => sum + wanted[place]! - k * apart, 0) / places.length;
  const clamp = (at: number, n: number) => Math.max(room[0], Math.min(at, room[1] - (n - 1) * apart));
  for (const place of by) {
    let block = { places: [place], at: clamp(wanted[place]!, 1) };
    for (let last = blocks.at(-1); last; last = blocks.at(-1)) {
      if (last.at + last.places.length * apart <= block.at) break;
      blocks.pop();
      const places: number[] = [...last.places, ...block.places];
      block = { places, at: clamp(rest(places), places.length) };
    }
    blocks.push(block);
  }
  const found = [...wanted];
  for (const { places, at } of blocks) places.forEach((place, k) => (found[place] = at + k * apart));
  return found;
}
