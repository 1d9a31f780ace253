// Where the packets of a flow stand in its strip. Pure: sizes and times in, positions out.

export type Mode = 'stride' | 'log' | 'index';
export const modes: Mode[] = ['stride', 'log', 'index'];

/** The first payload-bearing packets: octets, up positive, down negative; seconds since the first packet. */
export interface Packets {
  size: ArrayLike<number>;
  time: ArrayLike<number>;
}

export interface Strip {
  width: number;
  height: number;
  /** A step from packet to packet, and how much longer a tenfold gap makes it. */
  a: number;
  b: number;
  bar: number;
  /** Where the axis is, as a share of the height. */
  axis: number;
}

export const strips = {
  mini: { width: 112, height: 18, a: 2.2, b: 1.6, bar: 1.5, axis: 0.5 },
  row: { width: 256, height: 30, a: 3, b: 2.5, bar: 2, axis: 0.5 },
  phone: { width: 328, height: 32, a: 4, b: 3.1, bar: 2.8, axis: 0.5 },
  guide: { width: 390, height: 44, a: 5, b: 4, bar: 3, axis: 0.5 },
  // The axis stands high: most flows are answers.
  detail: { width: 344, height: 132, a: 6, b: 3.6, bar: 4, axis: 0.42 },
} satisfies Record<string, Strip>;

/** A full packet; larger ones (segments that a card joined) are as high. */
const FULL = 1500;
const LOG_SECONDS = 20;

/** How high a packet of so many octets stands, of what there is on its side of the axis. */
export const rise = (octets: number, room: number) =>
  Math.max(1.5, Math.sqrt(Math.min(Math.abs(octets), FULL) / FULL) * room);

export interface Bar {
  x: number;
  /** Its top, and its height. */
  y: number;
  height: number;
  up: boolean;
}

export interface Gait {
  bars: Bar[];
  /** The axis, a line of one pixel. */
  axis: number;
  /** Not all packets fit: the strip has a tick at its right edge. */
  cut: boolean;
}

/** Positions of all packets, beyond the strip's end too. */
export function places(time: ArrayLike<number>, strip: Strip, mode: Mode): Float64Array {
  const x = new Float64Array(time.length);
  let gap = 0;
  for (let i = 0; i < x.length; i++) {
    if (mode === 'log')
      x[i] = (Math.log10(1 + time[i]! * 1000) / Math.log10(1 + LOG_SECONDS * 1000)) * strip.width;
    else if (mode === 'index') x[i] = i * strip.a;
    else if (i > 0) {
      gap = Math.max(0, time[i]! - time[i - 1]!) * 1000;
      x[i] = x[i - 1]! + strip.a + strip.b * Math.log10(1 + gap);
    }
  }
  return x;
}

/** The bars of a flow, on the grid of the screen's pixels (`ratio` of them a unit). */
export function gait(packets: Packets, strip: Strip, mode: Mode = 'stride', ratio = 1): Gait {
  const snap = (v: number) => Math.round(v * ratio) / ratio;
  const axis = snap(strip.height * strip.axis);
  const above = strip.height * strip.axis - 1;
  const below = strip.height * (1 - strip.axis) - 1;
  const at = places(packets.time, strip, mode);
  const count = Math.min(at.length, packets.size.length);
  const bars: Bar[] = [];
  for (let i = 0; i < count; i++) {
    // Bars of log time may overlap; the last of the others ends at the edge.
    if (at[i]! + strip.bar > strip.width) return { bars, axis, cut: true };
    const up = packets.size[i]! > 0;
    const height = rise(packets.size[i]!, up ? above : below);
    bars.push({ x: snap(at[i]!), y: up ? axis - height : axis, height, up });
  }
  return { bars, axis, cut: false };
}

/** Gaps that are hatched in the detail. */
export const SILENCE = 0.2;
const LABELLED = [0.01, 0.1, 1, 4, 10];

/** Which packets get a time label: those with which the time first passes a round one, not too close. */
export function labels(time: ArrayLike<number>, x: ArrayLike<number>, width: number, apart = 34) {
  const found: { x: number; seconds: number }[] = [];
  let last = 0;
  for (const seconds of LABELLED) {
    for (let i = 1; i < time.length; i++) {
      if (time[i]! < seconds) continue;
      if (x[i]! - last >= apart && x[i]! <= width) {
        found.push({ x: x[i]!, seconds });
        last = x[i]!;
      }
      break;
    }
  }
  return found;
}
