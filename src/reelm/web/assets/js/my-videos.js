// One's own videos: edit in a sheet; videos that are still being made ready become playable by themselves.
import { call } from "reelm/api.js";
import { editVideo } from "reelm/edit-video.js";

const POLL_MS = 2500;
const AUDIENCES = { public: "Everyone", followers: "Followers", unlisted: "With the link", private: "Only you" };
const block = document.getElementById("videos");
const videos = new Map((block ? JSON.parse(block.textContent) : []).map((video) => [video.id, video]));

document.addEventListener("click", (event) => {
  const row = event.target.closest("[data-edit]")?.closest("li");
  if (row) editVideo(videos.get(row.dataset.id), (video) => show(row, video));
});

function show(row, video) {
  row.querySelector("[data-caption]").textContent = video.caption || "No caption";
  row.querySelector("[data-audience]").textContent = AUDIENCES[video.audience];
}

async function follow(id) {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    const video = document.hidden ? null : await call("GET", `/api/videos/${id}`).catch(() => null);
    if (video && video.state !== "processing") return location.reload();
  }
}

const waiting = [...videos.values()].find((video) => video.state === "processing");
if (waiting) follow(waiting.id);
