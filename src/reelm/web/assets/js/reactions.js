// Likes and follows: shown at once, taken back if the server says no.
import { call } from "reelm/api.js";
import { showCounts, showFollow } from "reelm/card.js";
import { icon } from "reelm/icons.js";
import { calmMotion } from "reelm/preferences.js";
import { signedInOrAsk } from "reelm/sheet.js";
import { toast } from "reelm/toast.js";

const busy = new Set();

/** What is wished for each video and not sent yet; a wish that comes meanwhile takes its place. */
const wishes = new Map();

/** Likes or unlikes; `want` fixes the direction (a double tap only ever likes). */
export async function like(video, card, want = !video.is_liked) {
  if (!signedInOrAsk("Sign in to like this video.") || want === video.is_liked) return;
  const saved = { is_liked: video.is_liked, likes: video.likes };
  Object.assign(video, { is_liked: want, likes: Math.max(0, video.likes + (want ? 1 : -1)) });
  showCounts(card, video);
  if (want) bounce(card);
  wishes.set(video.id, want);
  const sending = `like ${video.id}`;
  if (busy.has(sending)) return; // it is sent as soon as the one before is answered
  busy.add(sending);
  while (wishes.has(video.id)) {
    const next = wishes.get(video.id);
    wishes.delete(video.id);
    try {
      Object.assign(saved, await call(next ? "POST" : "DELETE", `/api/videos/${video.id}/like`));
    } catch (error) {
      wishes.delete(video.id);
      toast(error.status === 401 ? "Your session ended. Sign in again." : error.message);
    }
  }
  Object.assign(video, saved);
  busy.delete(sending);
  showCounts(card, video);
}

function bounce(card) {
  const button = card.querySelector("[data-act=like]");
  button.classList.add("just");
  setTimeout(() => button.classList.remove("just"), 500);
}

/** The heart that bursts where the finger was. */
export function burst(card, x, y) {
  const heart = document.createElement("div");
  heart.className = "burst";
  heart.append(icon("heart"));
  const box = card.getBoundingClientRect();
  heart.style.left = `${x - box.left}px`;
  heart.style.top = `${y - box.top}px`;
  if (!calmMotion()) heart.style.setProperty("--tilt", `${Math.round(Math.random() * 40 - 20)}deg`);
  heart.addEventListener("animationend", () => heart.remove());
  card.append(heart);
}

/** Follows or unfollows the creator on every video that is loaded. */
export async function follow(video, videos, cards) {
  const { creator } = video;
  if (!signedInOrAsk(`Sign in to follow @${creator.handle}.`) || busy.has(`follow ${creator.handle}`)) return;
  busy.add(`follow ${creator.handle}`);
  const want = !creator.is_followed;
  const show = (on) => {
    for (const one of videos) if (one.creator.handle === creator.handle) one.creator.is_followed = on;
    for (const card of cards()) showFollowOn(card, videos);
  };
  show(want);
  try {
    const answer = await call(want ? "POST" : "DELETE", `/api/accounts/${creator.handle}/follow`);
    if (answer?.state === "requested") toast(`@${creator.handle} has to accept your request.`);
    else if (want) toast(`You follow @${creator.handle}`);
  } catch (error) {
    show(!want);
    toast(error.message);
  }
  busy.delete(`follow ${creator.handle}`);
}

function showFollowOn(card, videos) {
  const video = videos.find((one) => one.id === card.dataset.id);
  if (video) showFollow(card.querySelector(".follow"), video.creator);
}
