// The popular tab's topic and language: chosen at once, remembered in this browser and nowhere else.
import { preferences } from "reelm/preferences.js";

const form = document.querySelector(".feed-choice");

function query() {
  const chosen = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
  return chosen.size > 1 ? `?${chosen}` : ""; // the tab alone is no choice
}

if (form) {
  preferences.setPopularChoice(query());
  form.addEventListener("change", () => form.requestSubmit());
} else if (preferences.popularChoice()) {
  for (const link of document.querySelectorAll("[data-popular]")) link.href = `/${preferences.popularChoice()}`;
}
