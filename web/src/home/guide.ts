// The field guide's strips. `tools/guide.js` makes the file.

import type { Packets } from '../gait/geometry';
import { looks, type Look } from '../look/slots';
import written from './guide.json';

interface Written {
  size: number[];
  /** Milliseconds since the packet before. */
  gap: number[];
}

const SAYS: Record<string, string> = {
  video: 'Small asks; full packets in bursts, then nothing.',
  web: 'Small asks, large answers, pauses to read.',
  voice: 'Small and even, one every 20 ms.',
  game: 'A steady patter; sizes drift with the action.',
  chat: 'A greeting, then a word, a pause, a word.',
  transfer: 'One long run of full packets.',
  'cloud-game': 'A burst per frame; input goes up in between.',
};

export function packetsOf({ size, gap }: Written): Packets {
  let at = 0;
  return { size, time: gap.map((ms) => (at += ms / 1000)) };
}

export interface Kind extends Look {
  says: string;
  packets: Packets;
  more: Packets[];
}

const look = looks(written.map((of) => of.kind));
export const guide: Kind[] = written.map((of, i) => ({
  ...look[i]!,
  says: SAYS[of.kind] ?? '',
  packets: packetsOf(of),
  more: of.more.map(packetsOf),
}));
