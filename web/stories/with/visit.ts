// A page in a browser, and everything about it that a person would not see but should not be.

import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { chromium, type Browser, type BrowserContextOptions, type Page, type Request } from 'playwright-core';
import { until } from './place';

export interface Eyes {
  width?: number;
  height?: number;
  theme?: 'dark' | 'light';
  forced?: boolean;
  /** Without it nothing moves, so that no story looks at a page in mid-movement. */
  motion?: boolean;
}

/** The built page of a folder in place of that in the binary, for who changes it: no Rust is built then. */
const DIST = process.env['FLOWGAIT_DIST'];

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['FLOWGAIT_CHROMIUM'] ?? '/usr/bin/chromium',
    // In a container its sandbox cannot be had, and it sees nothing but our own page.
    chromiumSandbox: false,
  });
}

export function contextOf(eyes: Eyes): BrowserContextOptions {
  return {
    viewport: { width: eyes.width ?? 1440, height: eyes.height ?? 900 },
    colorScheme: eyes.theme ?? 'light',
    forcedColors: eyes.forced ? 'active' : 'none',
    reducedMotion: eyes.motion ? 'no-preference' : 'reduce',
    locale: 'en-GB',
    timezoneId: 'UTC',
    // A person's own use of the page is tested, not what a worker of it would keep.
    serviceWorkers: 'block',
  };
}

export class Visit {
  #found: string[] = [];
  #allowed: RegExp[] = [];
  #open = new Set<Request>();
  #busy = Date.now();
  #origin: string;

  private constructor(
    readonly page: Page,
    readonly base: string,
  ) {
    this.#origin = new URL(base).origin;
    // From the first one on choosers are told and not shown; a key opens one sooner than that can be asked for.
    page.on('filechooser', () => {});
    page.on('console', (message) => {
      const kind = message.type();
      if (kind === 'error' || kind === 'warning')
        this.#found.push(`console ${kind}: ${message.text()} (${message.location().url})`);
    });
    page.on('pageerror', (error) => this.#found.push(`uncaught: ${error.message}`));
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      if (origin !== this.#origin && protocol !== 'blob:')
        this.#found.push(`request to another origin: ${request.url()}`);
      // The stream of changes never ends.
      if (!request.url().includes('/v1/events')) this.#open.add(request);
      this.#busy = Date.now();
    });
    const over = (request: Request) => (this.#open.delete(request), (this.#busy = Date.now()));
    page.on('requestfinished', over);
    page.on('requestfailed', (request) => {
      over(request);
      const why = request.failure()?.errorText ?? '';
      // Nobody waits for an answer that the page itself took back, or for what a page that is left had asked.
      if (why !== 'net::ERR_ABORTED') this.#found.push(`request failed: ${request.url()} (${why})`);
    });
    page.on('response', (response) => {
      if (response.status() >= 400) this.#found.push(`answer ${response.status()}: ${response.url()}`);
    });
  }

  static async begin(page: Page, base: string): Promise<Visit> {
    const visit = new Visit(page, base);
    await page.exposeBinding('policyViolated', (_, what: string) => visit.#found.push(`policy: ${what}`));
    await page.addInitScript(() => {
      const { policyViolated } = globalThis as unknown as { policyViolated: (what: string) => void };
      addEventListener('securitypolicyviolation', (event) =>
        policyViolated(`${event.effectiveDirective} refused ${event.blockedURI || 'inline'}`),
      );
    });
    if (DIST) await visit.#replacePage(DIST);
    return visit;
  }

  async #replacePage(folder: string): Promise<void> {
    const isPage = (url: URL) => url.origin === this.#origin && !/^\/(v1|v2|docs)\b/.test(url.pathname);
    await this.page.route(isPage, async (route) => {
      const { pathname } = new URL(route.request().url());
      const name = extname(pathname) ? pathname : 'index.html';
      // The policy is the binary's, all else the folder's.
      const policy = name === 'index.html' && (await route.fetch()).headers()['content-security-policy'];
      const types: Record<string, string> = { '.js': 'text/javascript', '.css': 'text/css' };
      const type = types[extname(name)] ?? (name.endsWith('.svg') ? 'image/svg+xml' : 'text/html');
      const headers = { 'content-type': type, ...(policy && { 'content-security-policy': policy }) };
      await route.fulfill({ status: 200, headers, body: await readFile(join(folder, name)) });
    });
  }

  /** From now on this is no finding: what it says is meant to happen here. */
  allow(...patterns: RegExp[]): void {
    this.#allowed.push(...patterns);
  }

  /** What is told by a service that is away. */
  allowAbsence(): void {
    this.allow(/net::ERR_(CONNECTION|INCOMPLETE|EMPTY|SOCKET)/);
  }

  /** All that was found, what is allowed, too. */
  all(): string[] {
    return this.#found;
  }

  findings(): string[] {
    return this.#found.filter((found) => !this.#allowed.some((pattern) => pattern.test(found)));
  }

  /** Notes what a story itself has found, so that it looks on and tells all at its end. */
  note(...findings: string[]): void {
    this.#found.push(...findings.map((finding) => `${new URL(this.page.url()).pathname}: ${finding}`));
  }

  async go(path: string): Promise<void> {
    await this.page.goto(this.base + path, { waitUntil: 'load' });
    await this.settled();
  }

  /** Waits until everything that was asked for is shown. */
  async settled(): Promise<void> {
    const isShown = () => {
      const main = document.getElementById('page');
      const loading = document.querySelector('[role=status][aria-label=Loading]');
      return !!main?.childElementCount && !loading;
    };
    const what = () =>
      `the end of loading of ${this.page.url()}, unanswered: [${[...this.#open].map((asked) => asked.url())}],`;
    await until(what, async () => {
      // Whatever answers lead to is drawn, and asked for, within the next frames.
      const quiet = this.#open.size === 0 && Date.now() - this.#busy > 250;
      return quiet && (await this.page.evaluate(isShown)) ? true : undefined;
    });
    await this.page.evaluate(() => document.fonts.ready.then(() => undefined));
    await this.frames();
  }

  /** What is drawn is drawn by then. */
  async frames(): Promise<void> {
    await this.page.evaluate(
      () => new Promise<void>((go) => requestAnimationFrame(() => requestAnimationFrame(() => go()))),
    );
  }

  /** Waits until the header says this of the line to the service. */
  async line(says: RegExp): Promise<void> {
    await this.page.locator('header [role=status]', { hasText: says }).waitFor();
  }

  /** What makes the page scroll sideways, and how far: nothing should. */
  tooWide(): Promise<string[]> {
    return this.page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      if (scrollWidth <= clientWidth) return [];
      // A box, or what does not fit into it and is seen all the same.
      const sticksOut = (element: Element) => {
        const { left, right } = element.getBoundingClientRect();
        const seen = getComputedStyle(element).overflowX === 'visible' ? left + element.scrollWidth : right;
        return Math.max(right, seen) > clientWidth + 0.5;
      };
      const isClipped = (element: Element | null): boolean =>
        !!element && (getComputedStyle(element).overflowX !== 'visible' || isClipped(element.parentElement));
      const all = [...document.querySelectorAll('body *')].filter(sticksOut);
      const last = all.filter((element) => ![...element.children].some(sticksOut) && !isClipped(element));
      const named = last.map((element) => `${element.tagName}.${element.getAttribute('class')}`);
      const names = [...new Set(named)].slice(0, 3).join(', ');
      return [`it is ${scrollWidth - clientWidth} px wider than a window of ${clientWidth} px: ${names}`];
    });
  }
}
