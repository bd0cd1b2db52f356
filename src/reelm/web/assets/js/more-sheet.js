// The "more" sheet of a video: copy link, report; edit and delete one's own.
import { call } from "reelm/api.js";
import { editVideo } from "reelm/edit-video.js";
import { copyLink } from "reelm/share.js";
import { openSheet } from "reelm/sheet.js";
import { toast } from "reelm/toast.js";

let open = null;

export function showMore(video, { onEdited, onDeleted }) {
  const sheet = openSheet("more-sheet");
  open = { video, onEdited, onDeleted };
  for (const item of sheet.querySelectorAll("[data-mine]")) item.hidden = !video.is_mine;
  sheet.querySelector("[data-others]").hidden = video.is_mine;
  sheet.querySelector("[data-do=report]").href = `/report?kind=video&id=${video.id}`;
  sheet.querySelector("[data-do=open]").href = video.page_url;
  if (sheet.dataset.ready) return;
  sheet.dataset.ready = "1";
  sheet.addEventListener("click", (event) => {
    const deed = event.target.closest("button[data-do]")?.dataset.do;
    if (!deed) return;
    sheet.close();
    if (deed === "copy") copyLink(open.video);
    if (deed === "edit") editVideo(open.video, open.onEdited);
    if (deed === "delete") remove(open);
  });
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
