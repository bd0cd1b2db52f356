// What one does to a video on the feed: like, follow, comment, share, hide, edit, delete, speed.
import { viewer } from "reelm/api.js";
import { fillWords, showCounts } from "reelm/card.js";
import { preferences } from "reelm/preferences.js";
import { burst, follow, like } from "reelm/reactions.js";
import { leavingFrom, tell } from "reelm/signals.js";
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
    if (video && event.target.closest("a")?.pathname === `/@${video.creator.handle}`) leavingFrom(video);
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
    tell("comment_opened", { videoId: video.id });
    const { showComments } = await import("reelm/comments.js");
    showComments(video, () => {
      const card = this.feed.querySelector(`#v${video.id}`);
      if (card) showCounts(card, video);
    });
  }

  async openMore(video, card) {
    const { showMore } = await import("reelm/more-sheet.js");
    showMore(video, {
      onEdited: () => fillWords(card, video),
      onDeleted: () => this.onDeleted(video),
      onHide: (hiding) => this.hide(hiding, video),
      onWhy: () => this.explain(video),
    });
  }

  async hide(hiding, video) {
    const { hide } = await import("reelm/feed-hide.js");
    hide(this.feed, this, hiding, video);
  }

  async explain(video) {
    const { showWhy } = await import("reelm/why-sheet.js");
    const query = this.feed.source.choice(new URLSearchParams({ tab: this.feed.source.tab }));
    if (["popular", "new", "rest"].includes(video.source)) query.set("source", video.source);
    showWhy(video, query);
  }

  async offerTopics(card) {
    if (this.feed.source.tab !== "for_you" || "followsUrl" in this.feed.dataset || preferences.wasAskedTopics()) return;
    const { offerTopics } = await import("reelm/topic-offer.js");
    offerTopics(card);
  }

  onDeleted(video) {
    if ("followsUrl" in this.feed.dataset && this.feed.source.videos.length === 1) return location.assign("/");
    this.feed.watches.now = null;
    this.remake(this.feed.source.remove(video.id));
  }

  /** After videos went or came back, the feed stands at `index` of what there is now. */
  remake(index) {
    const { players, source, window: around } = this.feed;
    players.current?.pause();
    players.current = null;
    around.remake(Math.max(0, Math.min(index, source.videos.length - 1)));
    // What is loaded stays loaded: the video that moves up plays at once.
    for (const player of players.all) {
      const card = around.cards.find((one) => one.dataset.id === player.video?.id);
      if (card) player.moveTo(card);
      else player.release();
    }
    this.feed.setCurrent(around.indexInView());
  }
}
