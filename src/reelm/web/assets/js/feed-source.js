// Where videos come from: the page's own first ones, then /api/feed, each video at most once.
import { call } from "reelm/api.js";

// Few at a time: each page follows from what was watched until it is asked for.
const PAGE = 3;

export class FeedSource {
  /** `before` is awaited before each page is asked for; `onPage` sees what came with it. */
  constructor(videos, { tab, topic = "", language = "", cursor, before, onPage }) {
    this.videos = [...videos];
    Object.assign(this, { tab, topic, language, before, onPage });
    this.cursor = cursor;
    this.isDone = false;
    this.whyNone = ""; // what an empty page said
    this.known = new Set(videos.map((video) => video.id));
    this.hidden = new Set(); // tests of what was hidden since: a page under way may still hold some
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
    await this.before();
    // A page of nothing but known videos is skipped, but not for ever.
    for (let tries = 0; tries < 3 && !this.isDone; tries += 1) {
      const page = await call("GET", `/api/feed?${this.query()}`);
      this.cursor = page.cursor ?? "";
      this.onPage(page);
      const fresh = page.videos.filter((video) => !this.known.has(video.id) && ![...this.hidden].some((isHidden) => isHidden(video)));
      for (const video of page.videos) this.known.add(video.id);
      this.videos.push(...fresh);
      // For you has no end: without a cursor it begins anew, as while the server is starting.
      if (page.videos.length === 0) this.whyNone = page.notice ?? "";
      if (page.videos.length === 0 || (!this.cursor && this.tab !== "for_you")) this.isDone = true;
      if (fresh.length > 0) return fresh;
    }
    this.isDone = true;
    return [];
  }

  query() {
    const query = new URLSearchParams({ limit: String(PAGE), tab: this.tab });
    if (this.cursor) query.set("cursor", this.cursor);
    else this.choice(query);
    return query;
  }

  /** The popular tab's topic and language: the cursor carries them from page to page. */
  choice(query) {
    if (this.topic) query.set("topic", this.topic);
    if (this.language) query.set("language", this.language);
    return query;
  }

  /** Takes out what was hidden; answers how many of it stood before `index`. */
  takeOut(isHidden, index) {
    this.hidden.add(isHidden);
    const above = this.videos.slice(0, index).filter(isHidden).length;
    const left = this.videos.filter((video) => !isHidden(video));
    this.videos.splice(0, this.videos.length, ...left);
    return above;
  }

  /** Puts back what `before` held, in its order; what came since stays at the end. */
  putBack(isHidden, before) {
    this.hidden.delete(isHidden);
    const known = new Set(before.map((video) => video.id));
    this.videos.splice(0, this.videos.length, ...before, ...this.videos.filter((video) => !known.has(video.id)));
  }

  remove(id) {
    const index = this.videos.findIndex((video) => video.id === id);
    if (index >= 0) this.videos.splice(index, 1);
    return index;
  }
}
