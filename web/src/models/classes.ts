// How the classes of an evaluation look: an application wears the colour of its kind of use.

import type { Evaluation } from '../api/types';
import { looks, type Look } from '../look/slots';

export function classLooks(e: Evaluation): Look[] {
  return looks(
    e.classes.map((c) => c.name),
    e.per_class.map((c) => c.support),
    (place) => {
      const kind = e.classes[place]!.kind;
      return kind === 'other' ? undefined : kind;
    },
  );
}
