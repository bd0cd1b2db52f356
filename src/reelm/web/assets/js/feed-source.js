// Where videos come from: the page's own first ones, then /api/feed, each video at most once.
import { call } from "reelm/api.js";

const PAGE = 10;

export class FeedSource {
  constructor(videos, { tab, cursor }) {
    this.videos = [...videos];
    this.tab = tab;
    this.cursor = cursor;
    this.isDone = false;
    this.seenAgain = false;
    this.known = new Set(videos.map((video) => video.id));
    this.loading = null;
  }

  /** Loads the next page once; answers the new videos. Rejects with ApiError. */
  more() {
    if (this.isDone) return Promise.resolve([]);
    this.loading ??= this.fetchPage().finally(() => {
      this.loading = null;
    });
    return this.loading;
  }

  async fetchPage() {
    // A page of nothing but known videos is skipped, but not for ever.
    for (let tries = 0; tries < 3 && !this.isDone; tries += 1) {
      const query = new URLSearchParams({ limit: String(PAGE), tab: this.tab });
      if (this.cursor) query.set("cursor", this.cursor);
      const page = await call("GET", `/api/feed?${query}`);
      this.cursor = page.cursor ?? "";
      this.seenAgain ||= page.seen_again;
      const fresh = page.videos.filter((video) => !this.known.has(video.id));
      for (const video of fresh) this.known.add(video.id);
      this.videos.push(...fresh);
      if (page.videos.length === 0 || !this.cursor) this.isDone = true;
      if (fresh.length > 0) return fresh;
    }
    this.isDone = true;
    return [];
  }

  remove(id) {
    const index = this.videos.findIndex((video) => video.id === id);
    if (index >= 0) this.videos.splice(index, 1);
    return index;
  }
}
