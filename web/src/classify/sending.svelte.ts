// The upload of this tab. It goes on while other pages are looked at.

import { asProblem, type Problem } from '../api/client';
import { upload, type Upload } from '../api/upload';

class Sending {
  file = $state<File>();
  sent = $state(0);
  total = $state(1);
  begun = $state(0);
  problem = $state<Problem>();
  #upload: Upload | undefined;

  /** Resolves to the job's id, or to nothing where it was taken back or refused. */
  async send(file: File, fields: Record<string, string>): Promise<string | undefined> {
    this.#upload?.abort();
    this.problem = undefined;
    this.file = file;
    [this.sent, this.total, this.begun] = [0, Math.max(1, file.size), performance.now()];
    const stays = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener('beforeunload', stays);
    const own = upload(fields, file, (sent, total) => ([this.sent, this.total] = [sent, total]));
    this.#upload = own;
    try {
      return (await own.job).id;
    } catch (error) {
      const takenBack = error instanceof DOMException && error.name === 'AbortError';
      if (!takenBack) this.problem = asProblem(error);
      return undefined;
    } finally {
      removeEventListener('beforeunload', stays);
      if (this.#upload === own) this.file = undefined;
    }
  }

  stop() {
    this.#upload?.abort();
  }
}

export const sending = new Sending();
