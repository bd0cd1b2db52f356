// "Why am I seeing this": one sentence, and the strongest reasons as bars.
import { call } from "reelm/api.js";
import { openSheet } from "reelm/sheet.js";

const LEAST = 0.01; // what counted for less is not worth a bar

let turn = 0;

export async function showWhy(video, query) {
  const sheet = openSheet("why-sheet");
  const sentence = sheet.querySelector("[data-sentence]");
  const source = sheet.querySelector("[data-source]");
  const list = sheet.querySelector("[data-reasons]");
  const mine = (turn += 1);
  sentence.textContent = "Looking it up…";
  source.textContent = "";
  list.replaceChildren();
  try {
    const why = await call("GET", `/api/videos/${video.id}/why?${query}`);
    if (mine !== turn) return;
    sentence.textContent = why.sentence;
    source.textContent = why.source_words ? `Found by: ${why.source_words}` : "";
    list.replaceChildren(...why.reasons.filter(({ share }) => Math.abs(share) >= LEAST).map(bar));
  } catch (error) {
    if (mine === turn) sentence.textContent = error.message;
  }
}

/** A share below nothing spoke against the video. */
function bar({ words, share }) {
  const item = document.createElement("li");
  const label = document.createElement("label");
  const name = document.createElement("span");
  name.textContent = words;
  const number = document.createElement("span");
  number.className = "quiet small";
  number.textContent = `${Math.round(Math.abs(share) * 100)} % ${share < 0 ? "against" : "for"} it`;
  const meter = document.createElement("meter");
  meter.max = 1;
  meter.value = Math.abs(share);
  meter.classList.toggle("against", share < 0);
  label.append(name, number, meter);
  item.append(label);
  return item;
}
