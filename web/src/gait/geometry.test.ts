import { describe, expect, test } from 'vitest';
import { gait, labels, places, rise, strips, type Strip } from './geometry';

const strip: Strip = { width: 100, height: 30, a: 3, b: 2.5, bar: 2, axis: 0.5 };

describe('height', () => {
  test('a full packet fills its side, a quarter of it half of that', () => {
    expect(rise(1500, 14)).toBe(14);
    expect(rise(375, 14)).toBe(7);
  });
  test('what is joined is no higher, what is tiny can be seen', () => {
    expect(rise(64_000, 14)).toBe(14);
    expect(rise(1, 14)).toBe(1.5);
    expect(rise(0, 14)).toBe(1.5);
  });
  test('up stands on the axis, down hangs from it', () => {
    const { bars, axis } = gait({ size: [1500, -1500], time: [0, 0] }, strip);
    expect(axis).toBe(15);
    expect(bars[0]).toMatchObject({ up: true, y: 1, height: 14 });
    expect(bars[1]).toMatchObject({ up: false, y: 15, height: 14 });
  });
  test("the detail's axis stands high, and each side has its own room", () => {
    const { bars, axis } = gait({ size: [1500, -1500], time: [0, 0] }, { ...strips.detail });
    expect(axis).toBe(55);
    expect(bars[0]!.height).toBeCloseTo(54.44);
    expect(bars[1]!.height).toBeCloseTo(75.56);
  });
});

describe('stride', () => {
  test('without a gap it is one step, with one of 9 ms a decade more', () => {
    expect([...places([0, 0, 0.009], strip, 'stride')]).toEqual([0, 3, 8.5]);
  });
  test('a clock that goes back makes no step back', () => {
    expect([...places([0, 1, 0.5], strip, 'stride')].at(-1)).toBeCloseTo(3 + 2.5 * Math.log10(1001) + 3);
  });
  test('bars never overlap, whatever the screen', () => {
    for (const ratio of [1, 1.25, 1.5, 2, 3])
      for (const s of Object.values(strips)) {
        const time = Array.from({ length: 40 }, (_, i) => i * i * 1e-5);
        const { bars } = gait({ size: time.map(() => -9), time }, s, 'stride', ratio);
        for (const [i, bar] of bars.entries())
          if (i) expect(bar.x - bars[i - 1]!.x).toBeGreaterThanOrEqual(s.bar - 1 / ratio);
      }
  });
});

test('positions are on whole pixels of the screen', () => {
  const time = [0, 0.0013, 0.0047, 0.1];
  for (const { x } of gait({ size: [1, 1, 1, 1], time }, strip, 'stride', 2).bars)
    expect(x * 2).toBe(Math.round(x * 2));
});

test('log time is absolute, index only counts', () => {
  expect(places([0, 20], strip, 'log')[1]).toBeCloseTo(100);
  expect([...places([0, 5, 6], strip, 'index')]).toEqual([0, 3, 6]);
});

describe('end', () => {
  const flow = (n: number) => ({ size: Array<number>(n).fill(-100), time: Array<number>(n).fill(0) });
  test('what fits to the last pixel is not cut', () => {
    const { bars, cut } = gait(flow(33), { ...strip, width: 98 });
    expect([bars.length, cut]).toEqual([33, false]);
  });
  test('what does not is', () => {
    const { bars, cut } = gait(flow(33), { ...strip, width: 97.9 });
    expect([bars.length, cut]).toEqual([32, true]);
  });
  test('no packet, no bar', () => {
    expect(gait(flow(0), strip)).toEqual({ bars: [], axis: 15, cut: false });
  });
});

test('time labels stand where time first passes, and apart', () => {
  const time = [0, 0.02, 0.2, 1.5, 5];
  expect(labels(time, [0, 40, 60, 90, 200], 150)).toEqual([
    { x: 40, seconds: 0.01 },
    { x: 90, seconds: 1 },
  ]);
});
