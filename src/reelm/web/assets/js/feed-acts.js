// What one does to a video on the feed: like, follow, comment, share, edit, delete, speed.
import { viewer } from "reelm/api.js";
import { fillWords, showCounts } from "reelm/card.js";
import { preferences } from "reelm/preferences.js";
import { burst, follow, like } from "reelm/reactions.js";
import { showSubtitles } from "reelm/subtitles.js";

export class FeedActs {
  constructor(feed) {
    this.feed = feed;
    feed.addEventListener("click", (event) => this.onClick(event));
  }

  setSpeed(rate) {
    if (!this.feed.players.current) return;
    this.feed.players.current.element.playbackRate = rate;
    this.feed.card?.querySelector(".faster")?.remove();
    if (rate === 1 || !this.feed.card) return;
    const badge = document.createElement("div");
    badge.className = "faster";
    badge.textContent = "2×";
    this.feed.card.append(badge);
  }

  doubleTap(x, y) {
    if (!this.feed.video) return;
    if (viewer.isSignedIn) burst(this.feed.card, x, y);
    like(this.feed.video, this.feed.card, true);
  }

  onClick(event) {
    const act = event.target.closest("[data-act]")?.dataset.act;
    const card = event.target.closest(".card");
    const video = card && this.feed.source.videos.find((one) => one.id === card.dataset.id);
    if (!act || !video) return;
    if (act === "like") like(video, card);
    if (act === "follow") follow(video, this.feed.source.videos, () => this.feed.window.cards);
    if (act === "mute") this.feed.players.setMuted(!this.feed.players.isMuted);
    if (act === "captions") this.toggleCaptions();
    if (act === "comments") this.openComments();
    if (act === "share") import("reelm/share.js").then(({ share }) => share(video));
    if (act === "more") this.openMore(video, card);
  }

  toggleCaptions() {
    preferences.setCaptions(!preferences.wantsCaptions());
    if (this.feed.players.current) showSubtitles(this.feed.players.current);
  }

  async openComments() {
    const { video } = this.feed;
    if (!video) return;
    const { showComments } = await import("reelm/comments.js");
    showComments(video, () => {
      const card = this.feed.querySelector(`#v${video.id}`);
      if (card) showCounts(card, video);
    });
  }

  async openMore(video, card) {
    const { showMore } = await import("reelm/more-sheet.js");
    showMore(video, { onEdited: () => fillWords(card, video), onDeleted: () => this.onDeleted(video) });
  }

  onDeleted(video) {
    if ("followsUrl" in this.feed.dataset && this.feed.source.videos.length === 1) return location.assign("/");
    const index = this.feed.source.remove(video.id);
    for (const card of this.feed.window.cards) this.feed.players.forget(card);
    this.feed.players.current = null;
    this.feed.watches.now = null;
    this.feed.window.remake(Math.min(index, this.feed.source.videos.length - 1));
    this.feed.setCurrent(this.feed.window.indexInView());
  }
}
