// Captions drawn by the page, above the words, because the browser would draw them underneath.
import { preferences } from "reelm/preferences.js";

export function showSubtitles(player) {
  const { element, video, card } = player;
  element.querySelectorAll("track").forEach((track) => track.remove());
  const line = card.querySelector(".subtitle span");
  line.textContent = "";
  const button = card.querySelector("[data-act=captions]");
  button.setAttribute("aria-pressed", String(preferences.wantsCaptions()));
  if (!preferences.wantsCaptions() || !video.captions?.length) return;
  const chosen = choose(video.captions);
  const track = document.createElement("track");
  track.kind = "captions";
  track.label = chosen.label;
  track.srclang = chosen.language;
  track.src = chosen.url;
  element.append(track);
  track.track.mode = "hidden";
  track.track.addEventListener("cuechange", () => {
    if (player.card !== card) return;
    line.textContent = [...(track.track.activeCues ?? [])].map((cue) => plain(cue)).join("\n");
  });
}

function choose(captions) {
  const wanted = [document.documentElement.lang, ...navigator.languages].map((tag) => tag.split("-")[0]);
  for (const language of wanted) {
    const found = captions.find((caption) => caption.language.split("-")[0] === language);
    if (found) return found;
  }
  return captions[0];
}

const plain = (cue) => cue.getCueAsHTML?.().textContent ?? cue.text;
