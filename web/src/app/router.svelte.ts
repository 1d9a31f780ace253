// Where the person is: the path, and the state of the page in the query. Small on purpose.

/** The values that a pattern such as `/classify/:job/flows/:row` takes from a path, or nothing. */
export function match(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/').filter(Boolean);
  const parts = path.split('/').filter(Boolean);
  if (wanted.length !== parts.length) return undefined;
  const found: Record<string, string> = {};
  for (const [i, want] of wanted.entries()) {
    const part = parts[i]!;
    if (!want.startsWith(':')) {
      if (want !== part) return undefined;
      continue;
    }
    try {
      found[want.slice(1)] = decodeURIComponent(part);
    } catch {
      return undefined;
    }
  }
  return found;
}

/** The query with some values changed; an absent or empty one is left out. */
export function changed(query: string, values: Record<string, string | undefined>): string {
  const params = new URLSearchParams(query);
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === '') params.delete(name);
    else params.set(name, value);
  }
  const said = params.toString();
  return said && `?${said}`;
}

class Router {
  path = $state(location.pathname);
  query = $state(location.search);
  params = $derived(new URLSearchParams(this.query));

  constructor() {
    addEventListener('popstate', () => this.#read());
    // Links are plain; a click that the browser would follow in this tab stays on this page.
    addEventListener('click', (event) => {
      if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
      const link = (event.target as Element | null)?.closest?.('a');
      if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
      if (link.pathname.startsWith('/v1/') || link.pathname === '/docs') return;
      event.preventDefault();
      this.go(link.pathname + link.search);
    });
  }

  #read() {
    this.path = location.pathname;
    this.query = location.search;
  }

  /** To another page. */
  go(to: string) {
    if (to === this.path + this.query) return;
    history.pushState(null, '', to);
    this.#read();
    scrollTo(0, 0);
  }

  /** To another address of the same thing, without a step back. */
  replace(to: string) {
    if (to === this.path + this.query) return;
    history.replaceState(null, '', to);
    this.#read();
  }

  /** The same page in another state. Every state is an address; few are worth a step back. */
  set(values: Record<string, string | undefined>, step = false) {
    const to = this.path + changed(this.query, values);
    if (to === this.path + this.query) return;
    history[step ? 'pushState' : 'replaceState'](null, '', to);
    this.#read();
  }
}

export const router = typeof location === 'undefined' ? (undefined as unknown as Router) : new Router();
