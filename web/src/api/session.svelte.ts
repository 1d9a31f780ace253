// Whether the server wants a key, and showing it one. The key goes into a cookie that no script can read: it is not kept here.

import { onRefused, Problem, problemOf, unreachable } from './client';

class Session {
  /** An answer was refused for want of a key. */
  wanted = $state(false);

  /** Shows a key; what was refused is asked again by loading the page anew. */
  async begin(key: string): Promise<void> {
    let answer: Response;
    try {
      answer = await fetch('/v1/session', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ key }),
      });
    } catch {
      throw unreachable();
    }
    if (answer.ok) return location.reload();
    const problem = problemOf(answer.status, await answer.text(), answer.headers.get('x-request-id'));
    throw answer.status === 401
      ? new Problem(
          'This key is not known',
          'It may have been revoked. An operator makes one by: flowgait keys add NAME',
          401,
        )
      : problem;
  }
}

export const session = new Session();
onRefused(() => (session.wanted = true));
