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
