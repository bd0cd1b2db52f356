// <reelm-upload>: choose, check, send while the caption is written, post, wait until it plays.
import { call, viewer } from "reelm/api.js";
import { bytes } from "reelm/text.js";
import { toast } from "reelm/toast.js";
import { checkFile } from "reelm/upload-check.js";
import { forgetDraft, readDraft, saveDraft } from "reelm/upload-draft.js";
import { Transfer } from "reelm/upload-transfer.js";

const POLL_MS = 700;

class UploadPage extends HTMLElement {
  connectedCallback() {
    this.limits = { maxBytes: Number(this.dataset.maxBytes), maxSeconds: Number(this.dataset.maxSeconds) };
    this.form = this.querySelector("form");
    this.bar = this.querySelector(".sending progress");
    this.draft = null;
    this.wantsPost = false;
    this.wire();
    this.resumeDraft();
  }

  part(name) {
    return this.querySelector(`[data-${name}]`);
  }

  wire() {
    for (const input of this.querySelectorAll("input[type=file]")) {
      const chosen = () => input.files[0] && this.choose(input.files[0]);
      input.addEventListener("change", chosen);
      chosen(); // on a slow line a file may be picked before this script has arrived
    }
    const drop = this.querySelector(".drop");
    for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, (event) => this.onDrag(event, true));
    for (const name of ["dragleave", "drop"]) drop.addEventListener(name, (event) => this.onDrag(event, false));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.post();
    });
    this.form.addEventListener("input", () => this.remember());
    this.form.elements.caption.addEventListener("input", () => this.countCaption());
    this.part("pause").addEventListener("click", () => this.togglePause());
    this.part("cancel").addEventListener("click", () => this.discard());
    addEventListener("beforeunload", (event) => {
      // The draft survives a reload; only an upload that cannot must be confirmed.
      if (this.transfer && !this.transfer.isDone && !this.draft?.uploadUrl) event.preventDefault();
    });
  }

  onDrag(event, over) {
    event.preventDefault();
    event.currentTarget.classList.toggle("over", over);
    if (event.type === "drop" && event.dataTransfer.files[0]) this.choose(event.dataTransfer.files[0]);
  }

  async resumeDraft() {
    const draft = await readDraft();
    if (!draft || this.draft) return;
    if (draft.owner !== viewer.id) return forgetDraft();
    this.fillForm(draft);
    toast(`Going on with ${draft.file.name}`);
    this.begin(draft);
  }

  async choose(file) {
    this.say("");
    const { problem } = await checkFile(file, this.limits);
    if (problem) return this.say(problem);
    this.begin({ file, owner: viewer.id, uploadUrl: null, videoId: null, ...this.values() });
  }

  begin(draft) {
    this.draft = draft;
    this.show("compose");
    const preview = this.part("preview");
    preview.src = URL.createObjectURL(draft.file);
    preview.play().catch(() => {});
    saveDraft(draft);
    if (draft.videoId) return this.onDone(draft.videoId);
    const metadata = { filename: draft.file.name, filetype: draft.file.type, audience: "private", caption: "", language: draft.language ?? "" };
    this.transfer = new Transfer(draft.file, { uploadUrl: draft.uploadUrl, metadata });
    this.transfer.addEventListener("address", ({ detail }) => {
      this.draft.uploadUrl = detail;
      saveDraft(this.draft);
    });
    this.transfer.addEventListener("progress", ({ detail }) => this.onProgress(detail));
    this.transfer.addEventListener("waiting", () => this.status("Connection lost. Trying again…"));
    this.transfer.addEventListener("trouble", ({ detail }) => this.onTrouble(detail));
    this.transfer.addEventListener("done", ({ detail }) => this.onDone(detail));
    this.status(draft.uploadUrl ? "Going on…" : "Uploading…");
    this.transfer.start();
  }

  onProgress({ sent, total }) {
    this.bar.value = (sent / total) * 100;
    this.part("numbers").textContent = `${bytes(sent)} of ${bytes(total)}`;
    if (!this.transfer.isPaused) this.status(sent < total ? `Uploading, ${Math.floor((sent / total) * 100)} %` : "Checking…");
  }

  onTrouble({ sentence, status, isGone }) {
    if (isGone && this.draft.uploadUrl) {
      // The server let the unfinished upload expire: begin again with the file we still hold.
      this.begin({ ...this.draft, uploadUrl: null });
      return;
    }
    this.status("Stopped");
    this.say(sentence);
    this.pauseButton(true);
    this.transfer.isPaused = true;
    if (status >= 400 && status < 500) this.part("pause").hidden = true;
  }

  onDone(videoId) {
    if (!videoId) return this.say("The file arrived, but the server did not name a video. Look under Your videos.");
    this.draft.videoId = videoId;
    saveDraft(this.draft);
    this.bar.value = 100;
    this.status("Uploaded. Only you can see it until you post.");
    this.part("pause").hidden = true;
    this.part("post-hint").textContent = "Ready to post.";
    if (this.wantsPost) this.post();
  }

  values() {
    const { caption, audience, language } = this.form.elements;
    return { caption: caption.value.trim(), audience: audience.value, language: language.value };
  }

  fillForm({ caption, audience, language }) {
    this.form.elements.caption.value = caption ?? "";
    this.form.elements.audience.value = audience ?? "public";
    this.form.elements.language.value = language ?? "";
    this.countCaption();
  }

  remember() {
    if (!this.draft) return;
    Object.assign(this.draft, this.values());
    clearTimeout(this.saving);
    this.saving = setTimeout(() => saveDraft(this.draft), 500);
  }

  countCaption() {
    const { caption } = this.form.elements;
    this.part("left").textContent = caption.maxLength - caption.value.length;
  }

  async togglePause() {
    if (this.transfer.isPaused) {
      this.say("");
      this.transfer.start();
      this.status("Going on…");
    } else {
      await this.transfer.pause();
      this.status("Paused");
    }
    this.pauseButton(this.transfer.isPaused);
  }

  pauseButton(paused) {
    const button = this.part("pause");
    button.querySelector("span").textContent = paused ? "Go on" : "Pause";
    button.querySelector("use").setAttribute("href", paused ? "#i-play" : "#i-pause");
  }

  async discard() {
    await this.transfer?.discard();
    if (this.draft?.videoId) await call("DELETE", `/api/videos/${this.draft.videoId}`).catch(() => {});
    await forgetDraft();
    location.assign("/upload");
  }

  async post() {
    const button = this.part("post");
    if (!this.draft?.videoId) {
      this.wantsPost = true;
      button.textContent = "Posts when the file has arrived";
      button.disabled = true;
      return;
    }
    button.disabled = true;
    this.say("");
    const { caption, audience, language } = this.values();
    try {
      await call("PATCH", `/api/videos/${this.draft.videoId}`, { caption, audience, ...(language ? { language } : {}) });
    } catch (error) {
      this.wantsPost = false;
      button.disabled = false;
      button.textContent = "Post";
      return this.say(error.message);
    }
    clearTimeout(this.saving);
    await forgetDraft();
    this.show("posted");
    this.waitUntilReady(this.draft.videoId);
  }

  async waitUntilReady(id) {
    this.part("posted-text").textContent = "It is being made ready. You can leave, it goes on without you.";
    for (;;) {
      const video = await call("GET", `/api/videos/${id}`).catch(() => null);
      if (video && video.state !== "processing") return this.finish(video);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  finish(video) {
    const isReady = video.state === "ready";
    this.part("processing").hidden = true;
    this.part("posted-title").textContent = isReady ? "It is live" : "That did not work";
    this.part("posted-text").textContent = isReady ? "Your video plays now." : video.reason || "The video could not be made ready. Your videos say why.";
    const watch = this.part("watch");
    watch.href = isReady ? video.page_url : "/me/videos";
    watch.textContent = isReady ? "Watch it" : "Your videos";
    watch.hidden = false;
    watch.focus();
  }

  show(step) {
    for (const section of this.querySelectorAll("[data-step]")) section.hidden = section.dataset.step !== step;
    if (step !== "compose") this.part("preview").pause();
  }

  status(text) {
    const place = this.part("status");
    if (place.textContent !== text) place.textContent = text;
  }

  say(problem) {
    const place = this.part("error");
    place.textContent = problem;
    place.hidden = !problem;
    if (problem) place.scrollIntoView({ block: "nearest" });
  }
}

customElements.define("reelm-upload", UploadPage);
