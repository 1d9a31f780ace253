// Keys of the page. Components say what a key does while they are there; the list behind `?` shows the same.

import { untrack } from 'svelte';

export interface Key {
  /** As `event.key` says it; `mod+k` with Ctrl or ⌘. */
  keys: string[];
  says: string;
  does: (event: KeyboardEvent) => void;
}

function remembered(): boolean {
  try {
    return localStorage.getItem('keys') !== 'off';
  } catch {
    return true;
  }
}

class Keys {
  /** Whether single letters do anything; people who dictate turn them off (WCAG 2.1.4). */
  letters = $state(remembered());
  all = $state.raw<Key[]>([]);

  /** Holds as long as the effect that says it. */
  while(...keys: Key[]): () => void {
    // An effect that says its keys must not run again because somebody said theirs.
    untrack(() => (this.all = [...this.all, ...keys]));
    return () => (this.all = this.all.filter((key) => !keys.includes(key)));
  }

  turn(on: boolean) {
    this.letters = on;
    try {
      localStorage.setItem('keys', on ? 'on' : 'off');
    } catch {
      // It then holds for this page only.
    }
  }

  handle(event: KeyboardEvent) {
    if (event.defaultPrevented || event.altKey) return;
    const mod = event.ctrlKey || event.metaKey;
    const target = event.target as HTMLElement;
    const writing = target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
    // Inside a dialogue only its own keys count.
    const name = (mod ? 'mod+' : '') + (event.key.length === 1 ? event.key.toLowerCase() : event.key);
    const single = event.key.length === 1 && !mod;
    if (single && (writing || !this.letters)) return;
    if (!mod && writing && event.key !== 'Escape') return;
    if (document.querySelector('dialog[open]') && !mod) return;
    // The latest speaks first: a pane over the page closes before the page does.
    const key = this.all.findLast((k) => k.keys.includes(name));
    if (!key) return;
    // A button or link that has the focus does itself what Enter and Space mean.
    if ((event.key === 'Enter' || event.key === ' ') && target.closest('button, a, summary')) return;
    event.preventDefault();
    key.does(event);
  }
}

export const keys = new Keys();
