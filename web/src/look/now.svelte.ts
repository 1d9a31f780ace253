// The time, in steps that "2 min ago" needs.

class Now {
  seconds = $state(Date.now() / 1000);
  constructor() {
    setInterval(() => (this.seconds = Date.now() / 1000), 15_000);
  }
}

export const now = new Now();
