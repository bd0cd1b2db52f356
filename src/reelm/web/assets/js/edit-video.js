// Caption, audience and caption files of one's own video, edited in a sheet.
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
  form.elements.track.value = "";
  form.querySelector("[data-error]").hidden = true;
  showTracks(current);
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
    await addTrack(video, form);
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

async function addTrack(video, form) {
  const file = form.elements.track.files[0];
  if (!file) return;
  const language = form.elements.language.value;
  if (!language) throw new Error("Choose the language of the captions.");
  const text = new Blob([await file.arrayBuffer()], { type: "text/vtt" });
  await call("PUT", `/api/videos/${video.id}/captions/${language}`, text);
  form.elements.track.value = "";
}

function showTracks({ video, form }) {
  const buttons = (video.captions ?? []).map(({ language, label }) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button bare";
    button.textContent = `Remove ${label}`;
    button.addEventListener("click", () => removeTrack(video, language));
    return button;
  });
  form.querySelector("[data-tracks]").replaceChildren(...buttons);
}

async function removeTrack(video, language) {
  try {
    await call("DELETE", `/api/videos/${video.id}/captions/${language}`);
    video.captions = video.captions.filter((track) => track.language !== language);
    showTracks(current);
    toast("Captions removed");
  } catch (error) {
    toast(error.message);
  }
}
