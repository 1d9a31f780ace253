// How much room there is, in the four steps of the layout.

export type Room = 'phone' | 'narrow' | 'medium' | 'wide';

const steps: [Room, MediaQueryList][] = [
  ['wide', matchMedia('(width >= 90em)')],
  ['medium', matchMedia('(width >= 64em)')],
  ['narrow', matchMedia('(width >= 40em)')],
];
const now = (): Room => steps.find(([, query]) => query.matches)?.[0] ?? 'phone';

class Window {
  room = $state(now());
  /** Panes side by side, each scrolling by itself; else the page scrolls. */
  panes = $derived(this.room === 'wide' || this.room === 'medium');
  constructor() {
    for (const [, query] of steps) query.addEventListener('change', () => (this.room = now()));
  }
}

export const room = new Window();
