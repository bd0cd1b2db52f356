// A profile: follow, block, and more tiles as one scrolls.
import { call } from "reelm/api.js";
import { icon } from "reelm/icons.js";
import { signedInOrAsk } from "reelm/sheet.js";
import { tellVisit } from "reelm/signals.js";
import { count } from "reelm/text.js";
import { toast } from "reelm/toast.js";

const NAMES = { accepted: "Following", requested: "Requested", none: "Follow" };

const { creator } = document.querySelector("[data-creator]")?.dataset ?? {};
if (creator) tellVisit(creator);

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-follow], [data-block]");
  if (!button) return;
  if ("follow" in button.dataset) follow(button);
  else block(button);
});

async function follow(button) {
  const handle = button.dataset.follow;
  if (!signedInOrAsk(`Sign in to follow @${handle}.`) || button.disabled) return;
  const before = button.dataset.state;
  const want = before === "none";
  show(button, want ? "accepted" : "none");
  button.disabled = true;
  try {
    const answer = await call(want ? "POST" : "DELETE", `/api/accounts/${handle}/follow`);
    show(button, answer?.state ?? (want ? "accepted" : "none"));
  } catch (error) {
    show(button, before);
    toast(error.message);
  }
  button.disabled = false;
}

function show(button, state) {
  button.dataset.state = state;
  button.textContent = NAMES[state];
  button.classList.toggle("main", state === "none");
}

async function block(button) {
  const handle = button.dataset.block;
  const blocked = button.dataset.blocked === "true";
  if (!signedInOrAsk(`Sign in to block @${handle}.`)) return;
  if (!blocked && !confirm(`Block @${handle}? Neither of you will see the other.`)) return;
  try {
    await call(blocked ? "DELETE" : "POST", `/api/accounts/${handle}/block`);
    button.dataset.blocked = String(!blocked);
    button.textContent = blocked ? "Block" : "Unblock";
    toast(blocked ? `@${handle} is no longer blocked` : `@${handle} is blocked`);
  } catch (error) {
    toast(error.message);
  }
}

class Grid extends HTMLElement {
  connectedCallback() {
    this.cursor = this.dataset.cursor;
    if (!this.cursor) return;
    const end = document.createElement("div");
    this.append(end);
    this.watcher = new IntersectionObserver(([entry]) => entry.isIntersecting && this.more(), { rootMargin: "600px" });
    this.watcher.observe(end);
  }

  async more() {
    if (this.busy || !this.cursor) return;
    this.busy = true;
    try {
      const page = await call("GET", `${this.dataset.url}?cursor=${encodeURIComponent(this.cursor)}`);
      this.cursor = page.cursor;
      this.querySelector(".grid").append(...page.videos.map(tile));
      if (!this.cursor) this.watcher.disconnect();
    } catch (error) {
      toast(error.message, { name: "Try again", do: () => this.more() });
    }
    this.busy = false;
  }
}

/** The same markup as the tile macro of the templates. */
function tile(video) {
  const link = document.createElement("a");
  link.className = "tile";
  link.href = video.page_url;
  const image = document.createElement("img");
  image.src = video.poster_url;
  image.loading = "lazy";
  image.alt = video.caption.slice(0, 80) || "Video without a caption";
  const views = document.createElement("span");
  views.className = "views";
  const label = document.createElement("span");
  label.className = "unseen";
  label.textContent = "Views: ";
  views.append(icon("play", "solid"), label, count(video.views));
  link.append(image, views);
  if (video.audience !== "public") {
    const badge = document.createElement("span");
    badge.className = "badge";
    badge.append(icon(video.state === "ready" ? "lock" : "clock"));
    link.append(badge);
  }
  return link;
}

customElements.define("reelm-grid", Grid);
