// Caption and audience of one's own video, edited in a sheet.
import { call } from "reelm/api.js";
import { openSheet } from "reelm/sheet.js";
import { toast } from "reelm/toast.js";

let current = null;

export function editVideo(video, onEdited) {
  const sheet = openSheet("edit-sheet");
  const form = sheet.querySelector("form");
  current = { video, onEdited, sheet, form };
  form.elements.caption.value = video.caption ?? "";
  form.elements.audience.value = video.audience;
  form.querySelector("[data-error]").hidden = true;
  if (form.dataset.wired) return;
  form.dataset.wired = "1";
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save(current);
  });
}

async function save({ video, onEdited, sheet, form }) {
  const changes = { caption: form.elements.caption.value, audience: form.elements.audience.value };
  try {
    const saved = await call("PATCH", `/api/videos/${video.id}`, changes);
    Object.assign(video, changes, saved ?? {});
    sheet.close();
    toast("Saved");
    onEdited(video);
  } catch (error) {
    const problem = form.querySelector("[data-error]");
    problem.textContent = error.message;
    problem.hidden = false;
  }
}
