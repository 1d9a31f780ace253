import { expect, test } from 'vitest';
import { ago, bytes, count, duration, percent, quantity, signed, tenTo, three } from './words';

const flat = (text: string) => text.replaceAll('\u2009', ' ');

test.each([
  [0, '0 B'],
  [1448, '1.45 kB'],
  [999, '999 B'],
  [999_600, '1.00 MB'],
  [67_800_000, '67.8 MB'],
  [359_000, '359 kB'],
])('%d bytes', (n, said) => expect(flat(bytes(n))).toBe(said));

test.each([
  [0, '0 ms'],
  [0.0002, '0 ms'],
  [0.0061, '6.1 ms'],
  [0.061, '61 ms'],
  [4.31, '4.3 s'],
  [393, '6 min 33'],
  [59.97, '1 min 00'],
  [7500, '2 h 05'],
])('%d seconds', (s, said) => expect(flat(duration(s))).toBe(said));

test('counts, shares and signs', () => {
  expect(count(18204)).toBe('18,204');
  expect(flat(percent(0.071))).toBe('7.1 %');
  expect(signed(-0.02)).toBe('−0.02');
});

test.each([
  [1448, 'octets', '1.45 kB'],
  [20_000, 'micros', '20 ms'],
  [0.019, 'share', '1.9 %'],
  [1, 'yes or no', 'yes'],
  [4, 'packets', '4 packets'],
  [0.8333, 'ratio', '0.833'],
  [12_345.6, '', '12,346'],
])('%d %s', (n, unit, said) => expect(flat(quantity(n, unit))).toBe(said));

test.each([
  [-3, 'just now'],
  [59, 'just now'],
  [119, '1 min ago'],
  [7200, '2 h ago'],
  [200_000, '2 d ago'],
  [NaN, '–'],
])('%d seconds ago', (s, said) => expect(flat(ago(s))).toBe(said));

test.each([
  [0.1234, '0.123'],
  [99_900, '99900'],
  [56_300_000, '5.6 · 10⁷'],
  [-123_456, '−1.2 · 10⁵'],
])('three digits of %d', (n, said) => expect(three(n).replace('-', '−')).toBe(said));
test('powers of ten', () => expect([tenTo(-5), tenTo(12)]).toEqual(['10⁻⁵', '10¹²']));
