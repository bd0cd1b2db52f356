// The "more" sheet of a video: why it is here, less of it, copy link, report; edit and delete one's own.
import { call } from "reelm/api.js";
import { editVideo } from "reelm/edit-video.js";
import { icon } from "reelm/icons.js";
import { copyLink } from "reelm/share.js";
import { openSheet } from "reelm/sheet.js";
import { toast } from "reelm/toast.js";

let open = null; // {video, onEdited, onDeleted, onHide, onWhy}

export function showMore(video, does) {
  const sheet = openSheet("more-sheet");
  open = { video, ...does };
  for (const item of sheet.querySelectorAll("[data-mine]")) item.hidden = !video.is_mine;
  for (const item of sheet.querySelectorAll("[data-others]")) item.hidden = video.is_mine;
  sheet.querySelector("[data-do=report]").href = `/report?kind=video&id=${video.id}`;
  sheet.querySelector("[data-do=open]").href = video.page_url;
  offerHiding(sheet, video);
  if (sheet.dataset.ready) return;
  sheet.dataset.ready = "1";
  sheet.addEventListener("click", (event) => {
    const deed = event.target.closest("button[data-do]")?.dataset;
    if (!deed) return;
    sheet.close();
    if (deed.do === "why") open.onWhy();
    if (deed.do === "hide") open.onHide({ kind: deed.kind, subject: deed.subject, done: deed.done });
    if (deed.do === "copy") copyLink(open.video);
    if (deed.do === "edit") editVideo(open.video, open.onEdited);
    if (deed.do === "delete") remove(open);
  });
}

/** One entry for the creator, one for each hashtag, one for the sound. */
function offerHiding(sheet, video) {
  for (const old of sheet.querySelectorAll("[data-hiding]")) old.remove();
  if (video.is_mine) return;
  const { creator, hashtags, sound_id: soundId } = video;
  const entries = [
    entry("eye-off", "Not interested", { kind: "video", subject: video.id, done: "You will see less like this." }),
    entry("block", `Hide @${creator.handle}`, { kind: "creator", subject: creator.id, done: `@${creator.handle} is hidden from your feed.` }),
    ...hashtags.map((tag) => entry("hash", `Hide #${tag}`, { kind: "hashtag", subject: tag, done: `#${tag} is hidden from your feed.` })),
  ];
  if (soundId) entries.push(entry("muted", "Hide this sound", { kind: "sound", subject: soundId, done: "This sound is hidden from your feed." }));
  sheet.querySelector("[data-do=why]").parentElement.after(...entries);
}

function entry(glyph, name, { kind, subject, done }) {
  const item = document.createElement("li");
  item.dataset.hiding = kind;
  const button = document.createElement("button");
  button.type = "button";
  Object.assign(button.dataset, { do: "hide", kind, subject, done });
  button.append(icon(glyph), name);
  item.append(button);
  return item;
}

async function remove({ video, onDeleted }) {
  if (!confirm("Delete this video for good?")) return;
  try {
    await call("DELETE", `/api/videos/${video.id}`);
    toast("Video deleted");
    onDeleted(video);
  } catch (error) {
    toast(error.message);
  }
}
