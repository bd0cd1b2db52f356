// One recycled <video>: holds a video's stream, its state on the card, and what was watched of it.
import { attach } from "reelm/stream.js";

const STALL_MS = 2500; // a progressive start that stalls this long changes to adaptive

export class Player extends EventTarget {
  constructor(element = document.createElement("video")) {
    super();
    this.element = element;
    element.className = "player";
    element.playsInline = true;
    element.loop = true;
    element.preload = "auto";
    element.controls = false;
    element.autoplay = false; // the page's own first one has it, and would play unseen when it is reused
    element.tabIndex = -1;
    element.disableRemotePlayback = true;
    this.video = null;
    this.card = null;
    this.stream = null;
    this.wantsPlay = false;
    for (const name of ["loadeddata", "playing", "pause", "waiting", "error", "progress", "canplaythrough", "timeupdate"]) {
      element.addEventListener(name, () => this.on(name));
    }
  }

  /** Takes over an element that already plays `video`, as the server wrote it into the page. */
  adopt(video, card) {
    this.video = video;
    this.card = card;
    this.stream = { kind: "progressive", ahead() {}, retry: () => this.restart(true), release: () => this.clear() };
    if (this.element.readyState >= 2) this.on("loadeddata");
    if (this.element.error) this.on("error");
  }

  load(video, card, { progressive = false, startS = 0 } = {}) {
    this.release();
    this.video = video;
    this.card = card;
    this.triedBoth = false;
    card.querySelector(".stage").append(this.element);
    this.element.setAttribute("aria-labelledby", `c${video.id}`);
    this.stream = attach(this.element, video, { progressive, startS, onFatal: (status) => this.fail(status) });
  }

  moveTo(card) {
    if (this.card === card) return;
    this.card = card;
    card.querySelector(".stage").append(this.element);
  }

  restart(progressive) {
    const { video, card, wantsPlay } = this;
    this.load(video, card, { progressive, startS: this.element.currentTime });
    this.wantsPlay = wantsPlay;
    if (wantsPlay) this.element.play().catch(() => {});
  }

  release() {
    if (!this.video) return;
    this.setState("");
    clearTimeout(this.stallTimer);
    this.element.classList.remove("has-frame");
    this.stream?.release();
    this.element.querySelectorAll("track").forEach((track) => track.remove());
    this.stream = this.video = this.card = null;
    this.wantsPlay = false;
  }

  clear() {
    this.element.removeAttribute("src");
    this.element.load();
  }

  /** Plays with sound if wanted and allowed; answers whether sound was refused. */
  async play(muted) {
    this.wantsPlay = true;
    this.stream?.ahead(true);
    this.element.muted = muted;
    try {
      await this.element.play();
      return false;
    } catch (refusal) {
      if (refusal.name !== "NotAllowedError" || !this.wantsPlay) return false;
      if (muted) {
        this.setState("paused");
        return false;
      }
      this.element.muted = true;
      await this.element.play().catch(() => this.setState("paused"));
      return true;
    }
  }

  pause({ byHand = false } = {}) {
    this.wantsPlay = false;
    this.element.pause();
    this.stream?.ahead(false);
    this.setState(byHand ? "paused" : "");
  }

  get durationMs() {
    const own = this.element.duration * 1000;
    return Number.isFinite(own) && own > 0 ? own : (this.video?.duration_ms ?? 0);
  }

  /** Enough is here that loading something else cannot hurt: to the end, or four seconds ahead. */
  get isComfortable() {
    const { buffered, currentTime, readyState } = this.element;
    if (readyState < 2) return false;
    for (let i = 0; i < buffered.length; i += 1) {
      if (buffered.start(i) <= currentTime + 0.3 && buffered.end(i) >= currentTime) {
        return buffered.end(i) - currentTime >= Math.min(4, this.durationMs / 1000 - currentTime - 0.25);
      }
    }
    return false;
  }

  on(name) {
    if (!this.video) return;
    if (name === "loadeddata") this.showFrame();
    if (name === "playing") {
      clearTimeout(this.stallTimer);
      this.setState("playing");
    }
    if (name === "waiting" && this.wantsPlay) this.onStall();
    if (name === "error" && this.element.error && this.stream?.kind !== "hls") this.fail(0);
    this.dispatchEvent(new Event(name));
  }

  showFrame() {
    const show = () => this.element.classList.add("has-frame");
    if (this.element.requestVideoFrameCallback && this.wantsPlay) this.element.requestVideoFrameCallback(show);
    show();
  }

  onStall() {
    this.setState("waiting");
    if (this.stream?.kind !== "progressive" || this.video.state !== "ready" || this.triedBoth) return;
    clearTimeout(this.stallTimer);
    this.stallTimer = setTimeout(() => {
      if (!this.wantsPlay || this.element.readyState > 2) return;
      this.restart(false);
      this.triedBoth = true;
    }, STALL_MS);
  }

  /** The other way of streaming is tried once before the card says that something is wrong. */
  fail(status) {
    if (!this.triedBoth && navigator.onLine !== false && ![403, 404, 410, 451].includes(status)) {
      this.restart(this.stream?.kind === "hls");
      this.triedBoth = true;
      return;
    }
    this.setState("broken");
    this.dispatchEvent(new CustomEvent("broken", { detail: { status } }));
  }

  setState(state) {
    if (this.card) this.card.dataset.state = state;
  }
}
