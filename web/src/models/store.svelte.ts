// The list of models, which all panes of the page look at.

import { api, asProblem, type Problem } from '../api/client';
import type { Model } from '../api/types';

class Models {
  all = $state.raw<Model[]>();
  problem = $state.raw<Problem>();

  async load() {
    try {
      this.all = (await api.models()).models;
      this.problem = undefined;
    } catch (error) {
      // An old list is better than none; the line in the header tells that the server is away.
      if (!this.all) this.problem = asProblem(error);
    }
  }

  of(name: string): Model[] {
    return (this.all ?? []).filter((m) => m.name === name).sort((a, b) => b.version - a.version);
  }

  find(name: string, version: number): Model | undefined {
    return this.all?.find((m) => m.name === name && m.version === version);
  }
}

export const models = new Models();
