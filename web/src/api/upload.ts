// A file to the server with its progress, which fetch cannot tell.

import { problemOf, unreachable } from './client';
import type { Job } from './types';

export interface Upload {
  /** Ends it; the promise then never settles to anything but an abort. */
  abort: () => void;
  job: Promise<Job>;
}

/**
 * Begins a job from a form.
 *
 * The key makes sending it again safe, where the answer to the first try was lost on its way.
 */
export function upload(
  fields: Record<string, string>,
  file: File,
  told: (sent: number, total: number) => void,
): Upload {
  const request = new XMLHttpRequest();
  const form = new FormData();
  // Fields first: the server then knows what the file is for before it reads it.
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', file);
  const job = new Promise<Job>((resolve, reject) => {
    request.upload.onprogress = (event) => told(event.loaded, event.total || file.size);
    request.onerror = () => reject(unreachable());
    request.onabort = () => reject(new DOMException('taken back', 'AbortError'));
    request.onload = () => {
      if (request.status < 300) resolve(JSON.parse(request.responseText) as Job);
      else reject(problemOf(request.status, request.responseText, request.getResponseHeader('x-request-id')));
    };
  });
  request.open('POST', '/v1/jobs');
  request.setRequestHeader('idempotency-key', crypto.getRandomValues(new Uint32Array(4)).join('-'));
  request.send(form);
  return { abort: () => request.abort(), job };
}
