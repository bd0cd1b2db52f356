// The pool: three players for the previous, current and next video. The current one comes first, always.
import { loadPoster } from "reelm/card.js";
import { Player } from "reelm/player.js";
import { preferences } from "reelm/preferences.js";
import { loadHls } from "reelm/stream.js";

export class Players extends EventTarget {
  constructor(first) {
    super();
    this.all = [first ? new Player(first) : new Player(), new Player(), new Player()];
    this.current = null;
    this.around = { next: null, previous: null };
    this.leftAt = new Map(); // video id -> seconds, for scrolling back
    this.soundRefused = false;
    for (const player of this.all) {
      for (const name of ["progress", "canplaythrough", "playing"]) {
        player.addEventListener(name, () => player === this.current && this.prepareNext());
      }
      player.addEventListener("broken", (event) => this.dispatchEvent(new CustomEvent("broken", { detail: { player, ...event.detail } })));
    }
  }

  holding(id) {
    return this.all.find((player) => player.video?.id === id) ?? null;
  }

  get isMuted() {
    return preferences.isMuted() || this.soundRefused;
  }

  /** Shows one place of the feed: {video, card}; next and previous may be null. */
  async show(place, next, previous) {
    this.around = { next, previous };
    const old = this.current;
    let player = this.holding(place.video.id);
    if (player) player.moveTo(place.card);
    if (old && old !== player) this.leave(old);
    loadPoster(place.card);
    if (!player) {
      player = this.spare([place.video.id, previous?.video.id]);
      this.fill(player, place, { progressive: old === null });
    }
    this.current = player;
    this.dispatchEvent(new CustomEvent("current", { detail: player }));
    const refused = await player.play(this.isMuted);
    if (refused) this.refuseSound();
    if (player === this.current) this.prepareNext();
  }

  /** Loads a video so that it goes on where it was left. */
  fill(player, { video, card }, { progressive = false } = {}) {
    player.load(video, card, { progressive, startS: this.leftAt.get(video.id) ?? 0 });
  }

  leave(player) {
    this.leftAt.set(player.video.id, player.element.currentTime);
    if (this.leftAt.size > 200) this.leftAt.delete(this.leftAt.keys().next().value);
    player.pause();
  }

  spare(kept) {
    return this.all.find((player) => !player.video) ?? this.all.find((player) => player !== this.current && !kept.includes(player.video.id)) ?? this.all.find((player) => player !== this.current);
  }

  /** Only when the current video has enough: the next poster, hls.js, then the next first frame. */
  async prepareNext() {
    const { next, previous } = this.around;
    if (!this.current?.isComfortable || preferences.isSaving()) return;
    loadPoster(next?.card);
    loadPoster(previous?.card);
    await loadHls();
    if (next !== this.around.next || !next || this.holding(next.video.id) || next.video.state === "processing") return;
    this.fill(this.spare([this.current.video?.id, previous?.video.id]), next);
  }

  refuseSound() {
    this.soundRefused = true;
    this.dispatchEvent(new Event("sound"));
  }

  async setMuted(muted) {
    this.soundRefused = false;
    preferences.setMuted(muted);
    const player = this.current;
    if (player) {
      player.element.muted = muted;
      if (player.wantsPlay && player.element.paused && (await player.play(muted))) this.refuseSound();
    }
    this.dispatchEvent(new Event("sound"));
  }

  /** A card left the DOM: its player goes free. */
  forget(card) {
    for (const player of this.all) if (player.card === card) player.release();
  }
}
