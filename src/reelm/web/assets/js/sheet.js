// Sheets are native dialogs; this opens them, and closes them by button, backdrop and Back.
import { viewer } from "reelm/api.js";

export function openSheet(id) {
  const sheet = document.getElementById(id);
  if (!sheet || sheet.open) return sheet;
  if (!sheet.dataset.wired) wire(sheet);
  sheet.showModal();
  return sheet;
}

function wire(sheet) {
  sheet.dataset.wired = "1";
  sheet.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]") || event.target === sheet && isOutside(sheet, event)) sheet.close();
  });
}

function isOutside(sheet, event) {
  const box = sheet.getBoundingClientRect();
  return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
}

/** True when someone is signed in; otherwise asks, and says why. */
export function signedInOrAsk(why) {
  if (viewer.isSignedIn) return true;
  document.querySelectorAll("dialog[open]").forEach((open) => open.close());
  const sheet = openSheet("sign-in-sheet");
  if (sheet) {
    sheet.querySelector("[data-why]").textContent = why;
    sheet.querySelector("[data-sign-in]").href = `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`;
  }
  return false;
}
