// Keeps the DOM small: only articles near the current one exist, a spacer stands for those above.
import { makeCard } from "reelm/card.js";

const ABOVE = 6;
const BELOW = 8;

export class FeedWindow {
  constructor(feed, videos) {
    this.feed = feed;
    this.videos = videos;
    this.start = 0; // index of the first article in the DOM
    this.cards = [...feed.querySelectorAll(":scope > .card")];
    this.spacer = document.createElement("div");
    this.spacer.setAttribute("role", "presentation");
    feed.prepend(this.spacer);
  }

  get height() {
    return this.feed.clientHeight || innerHeight;
  }

  cardAt(index) {
    return this.cards[index - this.start] ?? null;
  }

  indexInView() {
    return Math.round(this.feed.scrollTop / this.height);
  }

  /** Makes the articles around `index`, drops the far ones; the scroll position stays where it is. */
  show(index, dropped = () => {}) {
    const first = Math.max(0, index - ABOVE);
    const last = Math.min(this.videos.length - 1, index + BELOW);
    while (this.cards.length && this.start < first) {
      this.drop(this.cards.shift(), dropped);
      this.start += 1;
    }
    while (this.cards.length && this.start + this.cards.length - 1 > last) this.drop(this.cards.pop(), dropped);
    if (!this.cards.length) this.start = first;
    while (this.start > first) {
      this.start -= 1;
      const card = makeCard(this.videos[this.start], this.start + 1);
      this.spacer.after(card);
      this.cards.unshift(card);
    }
    for (let next = this.start + this.cards.length; next <= last; next += 1) {
      const card = makeCard(this.videos[next], next + 1);
      (this.cards.at(-1) ?? this.spacer).after(card);
      this.cards.push(card);
    }
    this.spacer.style.height = `calc(${this.start} * var(--tall))`;
  }

  drop(card, dropped) {
    dropped(card);
    card.remove();
  }

  scrollTo(index, smooth) {
    this.feed.scrollTo({ top: index * this.height, behavior: smooth ? "smooth" : "instant" });
  }

  /** After a video was deleted, every article is made anew from its place on. */
  remake(index) {
    for (const card of this.cards.splice(0)) card.remove();
    this.start = Math.max(0, index - ABOVE);
    this.show(index);
    this.scrollTo(index, false);
  }
}
