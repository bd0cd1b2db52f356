// The progress line of the current card: shows the time, and is dragged or moved by arrow keys.
import { clock } from "reelm/text.js";

export class Scrubber {
  constructor({ onScrub }) {
    this.onScrub = onScrub;
    this.player = null;
    this.root = null;
    this.wired = new WeakSet();
    this.frame = 0;
  }

  follow(player) {
    this.player = player;
    this.root = player.card.querySelector(".scrubber");
    this.input = this.root.querySelector("input");
    if (!this.wired.has(this.root)) this.wire(this.root, this.input);
    cancelAnimationFrame(this.frame);
    this.draw();
  }

  wire(root, input) {
    this.wired.add(root);
    const output = root.querySelector("output");
    input.addEventListener("input", () => {
      if (this.input !== input || !this.player?.video) return;
      this.player.element.currentTime = Number(input.value) / 1000;
      output.textContent = `${clock(input.value)} / ${clock(input.max)}`;
      this.paint();
      this.onScrub();
    });
    input.addEventListener("pointerdown", () => root.classList.add("dragging"));
    for (const name of ["pointerup", "pointercancel", "blur"]) input.addEventListener(name, () => root.classList.remove("dragging"));
  }

  /** Runs with the screen's own frames while a video is on it. */
  draw() {
    const { player, input } = this;
    if (!player?.video || !input.isConnected) return;
    const durationMs = Math.round(player.durationMs);
    if (durationMs && input.max !== String(durationMs)) input.max = durationMs;
    if (!this.root.classList.contains("dragging")) {
      input.value = Math.round(player.element.currentTime * 1000);
      this.paint();
    }
    this.frame = requestAnimationFrame(() => this.draw());
  }

  paint() {
    const { input } = this;
    const done = Number(input.max) > 0 ? (Number(input.value) / Number(input.max)) * 100 : 0;
    this.root.style.setProperty("--done", `${done.toFixed(2)}%`);
    const words = `${clock(input.value)} of ${clock(input.max)}`;
    if (input.getAttribute("aria-valuetext") !== words) input.setAttribute("aria-valuetext", words);
  }
}
