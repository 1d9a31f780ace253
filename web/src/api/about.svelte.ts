// What this server is, asked once a page.

import { api, asProblem, type Problem } from './client';
import type { About } from './types';

class Server {
  about = $state.raw<About>();
  problem = $state.raw<Problem>();
  #asking = false;

  load() {
    if (this.about || this.#asking) return;
    this.#asking = true;
    api.about().then(
      (about) => ([this.about, this.problem] = [about, undefined]),
      (error: unknown) => (this.problem = asProblem(error)),
    );
    // Whoever asks again after a failure is served again.
    setTimeout(() => (this.#asking = false), 1000);
  }
}

export const server = new Server();
