// Numbers and times as they are written: a thin space before units, separators in counts, three digits at most.

const THIN = '\u2009';
const MINUS = '\u2212';
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

export const count = (n: number) => whole.format(n);
export const plural = (n: number, one: string, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

const RAISED = '⁰¹²³⁴⁵⁶⁷⁸⁹';
/** A power of ten as people write it: 10⁻⁵. */
export const tenTo = (exponent: number): string =>
  `10${[...String(exponent)].map((c) => (c === '-' ? '⁻' : RAISED[Number(c)])).join('')}`;

/** Three significant digits, without an exponent. */
export function three(n: number): string {
  n = Number(n.toPrecision(3));
  if (n === 0) return '0';
  if (Math.abs(n) >= 1e5) {
    const exponent = Math.floor(Math.log10(Math.abs(n)));
    return `${(n / 10 ** exponent).toFixed(1)} · ${tenTo(exponent)}`;
  }
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(n))));
  return n.toFixed(Math.min(digits, 3));
}

const STEPS = ['B', 'kB', 'MB', 'GB', 'TB'];
/** Bytes, in steps of a thousand as the networks count. */
export function bytes(n: number): string {
  if (!Number.isFinite(n)) return '–';
  let step = 0;
  // 999.5 would be written as 1000.
  while (n >= 999.5 && step < STEPS.length - 1) {
    n /= 1000;
    step++;
  }
  return `${step === 0 ? whole.format(n) : three(n)}${THIN}${STEPS[step]}`;
}

/** Seconds as a person says them: 61 ms, 4.3 s, 6 min 33, 2 h 05. */
export function duration(s: number): string {
  if (!Number.isFinite(s)) return '–';
  if (s < 0.0005) return `0${THIN}ms`;
  if (s < 0.9995) return `${s < 0.01 ? (s * 1000).toFixed(1) : (s * 1000).toFixed(0)}${THIN}ms`;
  if (s < 59.95) return `${s.toFixed(1)}${THIN}s`;
  const two = (n: number) => String(n).padStart(2, '0');
  const m = Math.floor(Math.round(s) / 60);
  if (m < 60) return `${m}${THIN}min ${two(Math.round(s) % 60)}`;
  return `${Math.floor(m / 60)}${THIN}h ${two(m % 60)}`;
}

/** A value of a feature, by the unit that its schema says. */
export function quantity(n: number, unit: string): string {
  if (unit === 'octets') return bytes(n);
  if (unit === 'octets per second') return `${bytes(n)}/s`;
  if (unit === 'micros') return duration(n / 1e6);
  if (unit === 'share') return percent(n);
  if (unit === 'yes or no') return n ? 'yes' : 'no';
  const said = Number.isInteger(n) || Math.abs(n) >= 1000 ? count(n) : three(n);
  const bare = unit === '' || ['count', 'number', 'ratio'].includes(unit);
  return bare ? said : `${said}${THIN}${unit === 'packets per second' ? 'packets/s' : unit}`;
}

/** How long ago something was, as a person says it: "2 min ago". */
export function ago(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 60) return 'just now';
  const steps = [
    [60, 'min'],
    [3600, 'h'],
    [86_400, 'd'],
  ] as const;
  const [size, name] = steps.findLast(([size]) => seconds >= size)!;
  return `${count(Math.floor(seconds / size))}${THIN}${name} ago`;
}

export const probability = (p: number) => (Number.isFinite(p) ? p.toFixed(2) : '–');
export const percent = (share: number, digits = 1) =>
  Number.isFinite(share) ? `${(share * 100).toFixed(digits)}${THIN}%` : '–';
export const signed = (x: number) => (x < 0 ? MINUS : '+') + Math.abs(x).toFixed(2);

const two = (n: number) => String(n).padStart(2, '0');
/** Local time of day of seconds since 1970. */
export function clock(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  const d = new Date(seconds * 1000);
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}
