// How a job's states are shown: tone, glyph, word.

import type { State } from '../api/types';

export const shown: Record<State, readonly ['plain' | 'accent' | 'ok' | 'bad', string, string]> = {
  queued: ['plain', '○', 'Queued'],
  running: ['accent', '●', 'Running'],
  paused: ['plain', '❙❙', 'Paused'],
  succeeded: ['ok', '✓', 'Succeeded'],
  failed: ['bad', '✕', 'Failed'],
  cancelled: ['plain', '■', 'Stopped'],
  dead: ['bad', '✕', 'Dead'],
};
