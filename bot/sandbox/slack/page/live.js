// Keeps the page up to date without a reload: an event says *that* something changed, one fetch says what.

import { fetchState, openEvents } from "./server.js";

/**
 * Follow what `user` sees until `stop()` is called.
 * `onState(state)` runs after every fetch; `onConnection(boolean)` whenever the server comes or goes.
 */
export class Live {
  constructor(user, { onState, onConnection }) {
    this.user = user;
    this.onState = onState;
    this.onConnection = onConnection;
    this.stopped = false;
    this.events = openEvents(user);
    this.events.addEventListener("open", () => this.connected(true));
    this.events.addEventListener("error", () => this.connected(false));
    this.events.addEventListener("message", () => this.refresh());
  }

  connected(isConnected) {
    if (this.stopped) return;
    this.onConnection(isConnected);
    if (isConnected) this.refresh();
  }

  /** Fetch soon. However many changes arrive during a fetch, exactly one more follows it. */
  async refresh() {
    this.stale = true;
    if (this.fetching) return;
    this.fetching = true;
    while (this.stale && !this.stopped) {
      this.stale = false;
      await this.fetchOnce();
    }
    this.fetching = false;
  }

  async fetchOnce() {
    try {
      const state = await fetchState(this.user);
      if (!this.stopped) this.onState(state);
    } catch (problem) {
      if (!this.stopped) this.onConnection(false);
      console.warn("Could not read the sandbox's state", problem);
    }
  }

  stop() {
    this.stopped = true;
    this.events.close();
  }
}
