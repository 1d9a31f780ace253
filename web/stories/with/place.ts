// A folder of a story's own, the binary in it, and processes of the binary that stay.

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const program = resolve(process.env['FLOWGAIT_BIN'] ?? '../target/debug/flowgait');

export type Settings = Record<string, string>;

/** Longer than anything here takes on a busy machine. */
export const PATIENCE = 200_000;

/** Looks again and again until something is there. */
export async function until<T>(
  what: string | (() => string),
  look: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  const begun = Date.now();
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() - begun > PATIENCE)
      throw new Error(`${typeof what === 'string' ? what : what()} never came`);
    await new Promise((go) => setTimeout(go, 10));
  }
}

export class Place {
  #started: Running[] = [];
  private constructor(readonly folder: string) {}

  static async make(): Promise<Place> {
    return new Place(await mkdtemp(join(tmpdir(), 'flowgait-story-')));
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Nothing of the tester's own set-up changes what the binary does. */
  #options(settings: Settings) {
    const env = { PATH: process.env['PATH'] ?? '', HOME: this.folder, TZ: 'UTC', ...settings };
    return { cwd: this.folder, env };
  }

  /** Runs the binary to its end; what it says on standard output. */
  run(...words: string[]): Promise<string> {
    return new Promise((good, bad) =>
      execFile(program, words, this.#options({}), (error, out, said) =>
        error ? bad(new Error(`flowgait ${words.join(' ')}: ${error.message}\n${said}`)) : good(out),
      ),
    );
  }

  /** Starts a program that stays, and waits until it says that it is ready. */
  async start(file: string, words: string[], ready: string, settings: Settings = {}): Promise<Running> {
    const running = new Running(spawn(file, words, { ...this.#options(settings), stdio: 'pipe' }), file);
    this.#started.push(running);
    await running.says(ready);
    return running;
  }

  /** Ends what was started here, and takes the folder away. */
  async end(): Promise<void> {
    await Promise.all(this.#started.map((running) => running.kill()));
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** A process; what it says is kept. */
export class Running {
  log = '';
  #ended: Promise<void>;
  #isOver = false;
  constructor(
    readonly child: ChildProcess,
    readonly name: string,
  ) {
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.log += text));
    this.#ended = new Promise((over) => {
      const end = () => ((this.#isOver = true), over());
      child.on('exit', end);
      child.on('error', (error) => ((this.log += error.message), end()));
    });
  }

  /** Waits for words in its log. */
  async says(words: string): Promise<void> {
    const look = () => {
      if (this.log.includes(words)) return true;
      if (this.#isOver) throw new Error(`${this.name} ended before it said "${words}":\n${this.log}`);
      return undefined;
    };
    await until(`"${words}"`, look);
  }

  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void {
    this.child.kill(name);
  }

  /** Asks it to end, and waits until it has. */
  async stop(): Promise<void> {
    this.signal('SIGTERM');
    await this.#ended;
  }

  /** As a power switch would. */
  async kill(): Promise<void> {
    if (!this.#isOver) this.child.kill('SIGKILL');
    await this.#ended;
  }
}
