// Values to the `d` of a line. With more points than pixels, of each pixel the first, lowest, highest and last are
// drawn: the picture is the same, and a run of thousands of rounds costs no more than one of hundreds.

/** A tenth of a pixel is enough, and `toFixed` would cost more than all the rest. */
const near = (v: number) => Math.round(v * 10) / 10;

export function path(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  px: (x: number) => number,
  py: (y: number) => number,
  /** Goes on over holes: what is between was not measured. */
  bridges = false,
): string {
  const n = Math.min(x.length, y.length);
  if (!n) return '';
  let d = '';
  let on = false;
  const to = (i: number) => {
    const v = y[i]!;
    if (Number.isFinite(v)) d += `${on ? 'L' : 'M'}${near(px(x[i]!))} ${near(py(v))}`;
    on = Number.isFinite(v) || (on && bridges);
  };
  if (n <= 2 * (px(x[n - 1]!) - px(x[0]!))) {
    for (let i = 0; i < n; i++) to(i);
    return d;
  }
  for (let from = 0; from < n;) {
    const pixel = Math.floor(px(x[from]!));
    let [low, high, end] = [from, from, from];
    for (; end + 1 < n && Math.floor(px(x[end + 1]!)) === pixel; end++) {
      if (!(y[low]! <= y[end + 1]!)) low = end + 1;
      if (!(y[high]! >= y[end + 1]!)) high = end + 1;
    }
    for (const i of [...new Set([from, low, high, end])].sort((a, b) => a - b)) to(i);
    from = end + 1;
  }
  return d;
}

/** Where a line ends: the place of its last value. */
export function last(values: ArrayLike<number>): number | undefined {
  for (let i = values.length - 1; i >= 0; i--) if (Number.isFinite(values[i]!)) return i;
  return undefined;
}
