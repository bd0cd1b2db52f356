// What the feed says when something is not a video: the end, an error with retry, the sound pill.
import { icon } from "reelm/icons.js";

export function endCard({ title, text, name, deed }) {
  const end = document.createElement("div");
  end.className = "feed-end";
  const heading = document.createElement("h2");
  heading.textContent = title;
  const words = document.createElement("p");
  words.textContent = text;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button";
  button.textContent = name;
  button.addEventListener("click", deed);
  end.append(icon("logo", "art"), heading, words, button);
  return end;
}

const SENTENCES = {
  403: "You may not watch this video.",
  404: "This video is no longer here.",
  410: "This video was deleted.",
  451: "This video is withheld for legal reasons.",
};

/** Covers the card with a sentence; retry only where it could help. */
export function showTrouble(card, status, { onRetry, onSkip }) {
  clearTrouble(card);
  const box = document.createElement("div");
  box.className = "trouble";
  box.setAttribute("role", "alert");
  const words = document.createElement("p");
  const isFinal = status in SENTENCES;
  words.textContent = SENTENCES[status] ?? (navigator.onLine === false ? "You are offline. The video goes on when the connection is back." : "This video could not be loaded.");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button";
  button.textContent = isFinal ? "Next video" : "Try again";
  button.addEventListener("click", isFinal ? onSkip : onRetry);
  box.append(icon("alert"), words, button);
  card.append(box);
}

/** Covers the card of a video that is not ready, or never will be. */
export function showUnready(card, state) {
  showTrouble(card, 0, { onRetry: () => location.reload() });
  card.querySelector(".trouble p").textContent = state === "failed" ? "This video could not be made ready." : "This video is being made ready. It takes a moment.";
}

const SEEN_AGAIN = "You have seen everything new. These are the ones you saw longest ago.";
let said = "";

/** The line above the feed: what came with the first page, and what later pages add to it. */
export function wireNotice() {
  const line = document.querySelector(".feed-notice");
  said = line.querySelector("p").textContent.trim();
  line.querySelector("button").addEventListener("click", () => {
    line.hidden = true;
  });
}

export function showNotice({ notice, seen_again: isSeenAgain }) {
  const words = notice || (isSeenAgain ? SEEN_AGAIN : "");
  if (!words || words === said) return;
  said = words;
  const line = document.querySelector(".feed-notice");
  line.querySelector("p").textContent = words;
  line.hidden = false;
}

export function clearTrouble(card) {
  card?.querySelector(".trouble")?.remove();
}

export function soundPill(onTap) {
  const pill = document.createElement("button");
  pill.type = "button";
  pill.className = "loud";
  pill.append(icon("muted"), "Tap for sound");
  pill.addEventListener("click", onTap);
  return pill;
}
