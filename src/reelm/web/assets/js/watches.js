// What was watched, and for how long: measured per video, sent as soon as it is over, and on leaving.
const AGAIN_MS = 10_000;
const URL = "/api/watches";
const TIMEOUT_MS = 8000; // the next videos wait for it

export class Watches {
  constructor() {
    this.waiting = [];
    this.now = null;
    this.sending = Promise.resolve();
    setInterval(() => this.waiting.length && this.flush(), AGAIN_MS);
    addEventListener("pagehide", () => this.leave());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") this.leave();
      else if (this.now) this.now.since = null;
    });
  }

  /** A video became the current one; the one before it is finished. */
  begin(player) {
    this.finish();
    this.now = { player, id: player.video.id, watchedMs: 0, loops: 0, completed: false, since: null, last: 0, muted: true };
  }

  /** Called on each timeupdate and state change of the current player. */
  tick() {
    const { now } = this;
    if (!now) return;
    const { element } = now.player;
    const moment = performance.now();
    const isRunning = now.player.video?.id === now.id && !element.paused && element.readyState > 2 && !element.seeking;
    // Time is added only between two moments that both played, so pauses and stalls count nothing.
    if (isRunning && now.since !== null) now.watchedMs += Math.min(moment - now.since, 1500);
    now.since = isRunning ? moment : null;
    if (!isRunning) return;
    const durationMs = now.player.durationMs;
    const atMs = element.currentTime * 1000;
    if (atMs + durationMs * 0.5 < now.last && !now.scrubbed) now.loops += 1;
    if (atMs >= durationMs - Math.min(600, durationMs * 0.1)) now.completed = true;
    if (now.loops > 0) now.completed = true;
    now.scrubbed = false;
    now.last = atMs;
    now.muted = element.muted;
  }

  scrubbed() {
    if (this.now) this.now.scrubbed = true;
  }

  finish() {
    if (!this.now) return;
    this.tick();
    const { now } = this;
    this.now = null;
    // The rest of a watch that was already sent on leaving counts only if there was one.
    if (now.isRest && now.watchedMs === 0) return;
    this.waiting.push(this.report(now));
    // A skip after a fifth of a second says as much as a long look.
    this.flush();
  }

  /** Resolves once the server has taken what waits: what is asked of it then follows from it. */
  flush() {
    this.sending = this.sending.then(() => this.send());
    return this.sending;
  }

  report(watch) {
    return {
      video_id: watch.id,
      watched_ms: Math.round(watch.watchedMs),
      duration_ms: Math.round(watch.player.video?.id === watch.id ? watch.player.durationMs : watch.last),
      loops: watch.loops,
      completed: watch.completed,
      muted: watch.muted,
    };
  }

  async send() {
    if (!this.waiting.length) return;
    const batch = this.waiting.splice(0, 50);
    try {
      const response = await fetch(URL, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ watches: batch }),
        keepalive: true,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      // A batch that the server calls wrong would be wrong again; anything else is tried later.
      if (response.status >= 500 || response.status === 429) this.waiting.unshift(...batch);
    } catch {
      this.waiting.unshift(...batch);
    }
  }

  /** The page goes away: the running watch is sent as it stands, and goes on from nothing if we return. */
  leave() {
    if (this.now) {
      const { now } = this;
      this.finish();
      this.now = { ...now, watchedMs: 0, loops: 0, completed: false, since: null, isRest: true };
    }
    const batch = this.waiting.filter((watch) => watch.watched_ms > 0 || watch.loops > 0);
    this.waiting = [];
    if (batch.length) navigator.sendBeacon(URL, JSON.stringify({ watches: batch.slice(-50) }));
  }
}
