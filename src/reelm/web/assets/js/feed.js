// <reelm-feed>: the page people come for. Ties source, window, players, keys and gestures together.
import { letCaptionOpen } from "reelm/card.js";
import { FeedActs } from "reelm/feed-acts.js";
import { FeedSource } from "reelm/feed-source.js";
import { FeedWindow } from "reelm/feed-window.js";
import { wireKeys } from "reelm/feed-keys.js";
import { clearTrouble, endCard, showNotice, showTrouble, showUnready, soundPill, wireNotice } from "reelm/feed-notices.js";
import { wireGestures, wireWheel } from "reelm/gestures.js";
import { setIcon } from "reelm/icons.js";
import { Players } from "reelm/players.js";
import { calmMotion, preferences } from "reelm/preferences.js";
import { like } from "reelm/reactions.js";
import { Scrubber } from "reelm/scrubber.js";
import { showSubtitles } from "reelm/subtitles.js";
import { Watches } from "reelm/watches.js";

// One waits ready to play; what comes after it is asked for late, so that it follows from this one.
const FETCH_WHEN_LEFT = 1;
const FETCH_WHEN_LEFT_SLOW = 3;
const OFFER_TOPICS_AT = 2;

class Feed extends HTMLElement {
  connectedCallback() {
    if (this.source) return;
    const videos = JSON.parse(document.getElementById("videos").textContent);
    this.watches = new Watches();
    const { tab, topic, language, cursor } = this.dataset;
    this.source = new FeedSource(videos, { tab, topic, language, cursor, before: () => this.watches.flush(), onPage: showNotice });
    this.window = new FeedWindow(this, this.source.videos);
    const served = this.querySelector("video.player");
    this.players = new Players(served);
    if (served) this.players.all[0].adopt(videos[0], this.window.cards[0]);
    this.scrubber = new Scrubber({ onScrub: () => this.watches.scrubbed() });
    this.index = -1;
    this.wire();
    wireNotice();
    this.scrollTop = 0;
    this.setCurrent(0);
  }

  wire() {
    this.addEventListener("scroll", () => this.onScroll(), { passive: true });
    this.acts = new FeedActs(this);
    new ResizeObserver(() => this.index >= 0 && this.window.scrollTo(this.index, false)).observe(this);
    for (const player of this.players.all) {
      for (const name of ["timeupdate", "pause", "waiting", "playing"]) {
        player.addEventListener(name, () => player === this.players.current && this.watches.tick());
      }
      player.addEventListener("playing", () => clearTrouble(player.card));
    }
    this.players.addEventListener("current", (event) => this.onCurrent(event.detail));
    this.players.addEventListener("sound", () => this.showSound());
    this.players.addEventListener("broken", ({ detail }) => this.onBroken(detail.player, detail.status));
    wireGestures(this, {
      onTap: () => this.toggle(),
      onDoubleTap: (x, y) => this.acts.doubleTap(x, y),
      onHold: () => this.acts.setSpeed(2),
      onRelease: () => this.acts.setSpeed(1),
    });
    wireWheel(this, (by) => this.step(by));
    wireKeys(this, {
      step: (by, focus) => this.step(by, focus),
      first: () => this.go(0),
      toggle: () => this.toggle(),
      mute: () => this.players.setMuted(!this.players.isMuted),
      like: () => this.video && like(this.video, this.card),
      comments: () => this.acts.openComments(),
      seek: (seconds) => this.seek(seconds),
    });
    for (const arrow of document.querySelectorAll("[data-step]")) arrow.addEventListener("click", () => this.step(Number(arrow.dataset.step)));
    document.addEventListener("visibilitychange", () => this.onVisibility());
    addEventListener("online", () => this.onOnline());
  }

  get video() {
    return this.source.videos[this.index] ?? null;
  }

  get card() {
    return this.window.cardAt(this.index);
  }

  place(index) {
    const card = this.window.cardAt(index);
    return card ? { video: this.source.videos[index], card } : null;
  }

  onScroll() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      const index = this.window.indexInView();
      if (index !== this.index) this.setCurrent(index);
    });
  }

  setCurrent(index) {
    this.index = index;
    this.watches.tick(); // while the old video still plays: a short watch has no other moment
    this.window.show(Math.min(index, this.source.videos.length - 1), (card) => this.players.forget(card));
    this.keepEndLast();
    const place = this.place(index);
    if (!place) {
      // The end card: nothing plays there.
      this.watches.finish();
      if (this.players.current) this.players.current.pause();
    } else if (place.video.state === "processing" || place.video.state === "failed") {
      this.watches.finish();
      this.players.current?.pause();
      showUnready(place.card, place.video.state);
    } else {
      this.players.show(place, this.place(index + 1), this.place(index - 1));
    }
    this.showArrows();
    const least = preferences.isSaving() ? FETCH_WHEN_LEFT_SLOW : FETCH_WHEN_LEFT;
    if (this.source.videos.length - 1 - index <= least) this.more();
    if (index === OFFER_TOPICS_AT && place) this.acts.offerTopics(place.card);
    if ("followsUrl" in this.dataset && place) history.replaceState(null, "", place.video.page_url);
  }

  onCurrent(player) {
    this.watches.begin(player);
    this.scrubber.follow(player);
    showSubtitles(player);
    letCaptionOpen(player.card);
    this.showSound();
  }

  /** Asks for the next page; after a failure the end card stays under the thumb until it is there. */
  async more({ again = false } = {}) {
    if (this.source.isDone || (this.ended && !again)) return;
    this.setAttribute("aria-busy", "true");
    try {
      const fresh = await this.source.more();
      const left = this.place(this.index);
      this.window.show(Math.min(this.index, this.source.videos.length - 1), (card) => this.players.forget(card));
      this.ended?.remove();
      this.ended = null;
      if (left) this.players.around = { next: this.place(this.index + 1), previous: this.place(this.index - 1) };
      if (fresh.length && !left) this.setCurrent(this.index);
      if (this.source.isDone) this.endOfAll();
      this.players.prepareNext();
    } catch (error) {
      this.end("The next videos did not come", error.message, "Try again", () => this.more({ again: true }));
    }
    this.setAttribute("aria-busy", "false");
    this.showArrows();
  }

  endOfAll() {
    const { whyNone } = this.source;
    if (whyNone && this.dataset.tab === "for_you") this.end("Nothing left to show", whyNone, "What is hidden", () => location.assign("/settings/feed#hidden"));
    else this.end("That was everything", "You have seen every video there is for now. The ones that you saw longest ago come next.", "Start again", () => location.reload());
  }

  end(title, text, name, deed) {
    this.ended?.remove();
    this.ended = endCard({ title, text, name, deed });
    this.keepEndLast();
  }

  /** The end stands after the last video only while that one is in the DOM. */
  keepEndLast() {
    if (!this.ended) return;
    const isNear = this.window.start + this.window.cards.length === this.source.videos.length;
    if (isNear && this.lastElementChild !== this.ended) this.append(this.ended);
    if (!isNear) this.ended.remove();
  }

  step(by, focus = false) {
    this.go(this.index + by, focus);
  }

  go(index, focus = false) {
    const last = this.source.videos.length - (this.ended ? 0 : 1);
    const goal = Math.max(0, Math.min(index, last));
    if (goal === this.index) return;
    // Far jumps need their articles first.
    this.window.show(Math.min(goal, this.source.videos.length - 1), (card) => this.players.forget(card));
    this.window.scrollTo(goal, !calmMotion() && Math.abs(goal - this.index) === 1);
    if (focus || this.contains(document.activeElement)) this.window.cardAt(goal)?.focus({ preventScroll: true });
  }

  toggle() {
    const player = this.players.current;
    if (!player?.video || player.card !== this.card) return;
    if (player.wantsPlay && !player.element.paused) player.pause({ byHand: true });
    else player.play(this.players.isMuted).then((refused) => refused && this.players.refuseSound());
  }

  seek(seconds) {
    const element = this.players.current?.element;
    if (!element?.duration) return;
    element.currentTime = Math.max(0, Math.min(element.duration - 0.05, element.currentTime + seconds));
    this.watches.scrubbed();
  }

  onBroken(player, status) {
    const { card } = player;
    if (player !== this.players.current) return player.release();
    showTrouble(card, status, { onRetry: () => this.retry(player), onSkip: () => this.step(1) });
  }

  retry(player) {
    clearTrouble(player.card);
    player.triedBoth = false;
    player.restart(false);
    player.play(this.players.isMuted);
  }

  onOnline() {
    const { current } = this.players;
    if (current?.card?.dataset.state === "broken") this.retry(current);
    if (this.ended && !this.source.isDone) this.more({ again: true });
  }

  onVisibility() {
    const { current } = this.players;
    if (!current?.video || current.card?.dataset.state === "paused") return;
    if (document.hidden) {
      this.resumes = current.wantsPlay;
      current.element.pause();
    } else if (this.resumes) {
      current.play(this.players.isMuted);
    }
  }

  showSound() {
    const muted = this.players.isMuted;
    const button = this.card?.querySelector("[data-act=mute]");
    if (button) {
      setIcon(button, muted ? "muted" : "sound");
      button.setAttribute("aria-pressed", String(muted));
      button.setAttribute("aria-label", muted ? "Turn sound on" : "Mute");
    }
    this.pill?.remove();
    this.pill = null;
    if (this.players.soundRefused && this.card) {
      this.pill = soundPill(() => this.players.setMuted(false));
      this.card.append(this.pill);
    }
  }

  showArrows() {
    const [up, down] = document.querySelectorAll("[data-step]");
    if (!up) return;
    up.disabled = this.index <= 0;
    down.disabled = this.index >= this.source.videos.length - (this.ended ? 0 : 1);
  }
}

customElements.define("reelm-feed", Feed);
