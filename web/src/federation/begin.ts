// A federation is begun: with a table by an upload that tells its progress, without one by a plain request.

import { ask } from '../api/client';
import type { Job } from '../api/types';
import { upload } from '../api/upload';

export function begin(
  fields: Record<string, string>,
  file: File | undefined,
  told: (share: number) => void,
): Promise<Job> {
  if (file) {
    return upload({ kind: 'simulate', ...fields }, file, (sent, total) => told(sent / total)).job;
  }
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  const key = crypto.getRandomValues(new Uint32Array(4)).join('-');
  return ask('/v1/federations', { method: 'POST', body, headers: { 'idempotency-key': key } }).then(
    (answer) => answer.json(),
  );
}
