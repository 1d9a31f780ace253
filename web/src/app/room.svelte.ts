// How much room there is, in the four steps of the layout.

export type Room = 'phone' | 'narrow' | 'medium' | 'wide';

const steps: [Room, MediaQueryList][] = [
  ['wide', matchMedia('(min-width: 1440px)')],
  ['medium', matchMedia('(min-width: 1024px)')],
  ['narrow', matchMedia('(min-width: 640px)')],
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
