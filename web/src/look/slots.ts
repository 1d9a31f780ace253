// Which slot (colour, mark, pattern) a class has. Slots belong to kinds of use, fixed and by name, never by
// rank: the same kind looks the same on every page and on every day.

export type Slot = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

interface Kind {
  slot: Slot;
  name: string;
  short: string;
  /** Names by which models and tables call it, in lower case without joints. */
  known: string[];
}

const KINDS: Kind[] = [
  {
    slot: 1,
    name: 'Video on demand',
    short: 'Video',
    known: ['video', 'streaming', 'vod', 'videoondemand', 'videostreaming', 'media'],
  },
  { slot: 2, name: 'Web browsing', short: 'Web', known: ['web', 'browsing', 'webbrowsing', 'http', 'https'] },
  {
    slot: 3,
    name: 'Voice call',
    short: 'Voice',
    known: ['voice', 'voicecall', 'voip', 'call', 'calls', 'audio'],
  },
  { slot: 4, name: 'Game', short: 'Game', known: ['game', 'games', 'gaming', 'onlinegame'] },
  { slot: 5, name: 'Chat', short: 'Chat', known: ['chat', 'messaging', 'im', 'text', 'instantmessaging'] },
  {
    slot: 6,
    name: 'File transfer',
    short: 'File',
    known: ['transfer', 'filetransfer', 'file', 'files', 'download', 'ft', 'ftp'],
  },
  { slot: 7, name: 'Cloud game', short: 'Cloud', known: ['cloudgame', 'cloudgaming', 'cloudgames'] },
];

const KNOWN = new Map(KINDS.flatMap((kind) => kind.known.map((name) => [name, kind] as const)));
const UNKNOWN = new Set(['unknown', 'rejected', 'other', '']);

export interface Look {
  slot: Slot;
  /** As it is shown; a kind of use by its full name, everything else as its model calls it. */
  name: string;
  /** Where there is little room. */
  short: string;
}

export const unknown: Look = { slot: 0, name: 'Unknown', short: 'Unknown' };
export const other: Look = { slot: 0, name: 'Other', short: 'Other' };

const plain = (name: string) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
const capital = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);

/** Only where a model says the kind by our own word may its full name be said instead. */
const RENAMED = new Set(['video', 'web', 'voice', 'game', 'chat', 'transfer', 'cloudgame']);

function known(name: string): Look | undefined {
  if (UNKNOWN.has(plain(name))) return unknown;
  const kind = KNOWN.get(plain(name));
  if (!kind) return undefined;
  if (RENAMED.has(plain(name))) return { slot: kind.slot, name: kind.name, short: kind.short };
  return { slot: kind.slot, name: capital(name), short: capital(name) };
}

/**
 * Looks of a model's classes, in their order.
 *
 * A class takes the slot of its name, or of its category's name. Names that no kind has take the slots that
 * are left, the most frequent first; when none is left they are grey, and their name tells them apart.
 */
export function looks(
  classes: readonly string[],
  counts: readonly number[] = [],
  categoryOf: (place: number) => string | undefined = () => undefined,
): Look[] {
  const found = classes.map((name, place): Look | undefined => {
    const own = known(name);
    if (own) return own;
    const category = categoryOf(place);
    const kind = category === undefined ? undefined : known(category);
    return kind && { slot: kind.slot, name: capital(name), short: capital(name) };
  });
  const taken = new Set(found.map((look) => look?.slot));
  const free = ([1, 2, 3, 4, 5, 6, 7] as Slot[]).filter((slot) => !taken.has(slot));
  const rest = classes.map((_, place) => place).filter((place) => !found[place]);
  // Equal counts keep the model's order, so that a page without counts yet agrees with itself.
  rest.sort((a, b) => (counts[b] ?? 0) - (counts[a] ?? 0) || a - b);
  for (const place of rest) {
    const name = capital(classes[place]!);
    found[place] = { slot: free.shift() ?? 0, name, short: name };
  }
  return found as Look[];
}
