// One article of the feed: made from the page's <template>, filled from a Video, or adopted as served.
import { setIcon } from "reelm/icons.js";
import { captionNodes, count, when } from "reelm/text.js";

const AUDIENCES = { private: "Only you", followers: "Followers", unlisted: "Unlisted", public: "" };

export function makeCard(video, position) {
  const card = document.getElementById("card").content.firstElementChild.cloneNode(true);
  card.id = `v${video.id}`;
  card.dataset.id = video.id;
  card.dataset.fit = video.height >= video.width * 1.5 ? "cover" : "contain";
  const name = card.querySelector(".name");
  const caption = card.querySelector(".caption");
  name.id = `n${video.id}`;
  caption.id = `c${video.id}`;
  card.setAttribute("aria-labelledby", `${name.id} ${caption.id}`);
  card.setAttribute("aria-posinset", position);
  fillWords(card, video);
  fillCreator(card, video.creator, video.is_mine);
  fillPictures(card, video);
  card.querySelector("[data-act=captions]").hidden = !video.captions?.length;
  card.querySelector(".scrubber input").max = video.duration_ms;
  showCounts(card, video);
  return card;
}

export function fillWords(card, video) {
  card.querySelector(".caption").replaceChildren(...captionNodes(video.caption ?? ""));
  card.querySelector("[data-badge]").textContent = AUDIENCES[video.audience] ?? "";
  const time = card.querySelector("time");
  time.dateTime = video.created_at;
  time.textContent = when(video.created_at);
}

function fillCreator(card, creator, isMine) {
  const link = card.querySelector(".name a");
  link.href = `/@${creator.handle}`;
  link.textContent = `@${creator.handle}`;
  const old = card.querySelector(".who > a");
  old.replaceWith(avatarOf(creator));
  const follow = card.querySelector(".follow");
  follow.hidden = isMine;
  showFollow(follow, creator);
}

/** The same markup as the avatar macro of the templates. */
export function avatarOf(account, size = "") {
  const link = document.createElement("a");
  link.href = `/@${account.handle}`;
  link.setAttribute("aria-label", `@${account.handle}`);
  if (account.avatar_url) {
    link.className = "avatar-link";
    const image = document.createElement("img");
    image.className = `avatar ${size}`.trim();
    image.src = account.avatar_url;
    image.alt = "";
    link.append(image);
  } else {
    link.className = `avatar ${size}`.trim();
    link.textContent = [...(account.display_name || account.handle)][0];
  }
  return link;
}

export function showFollow(button, creator) {
  const on = Boolean(creator.is_followed);
  button.setAttribute("aria-pressed", String(on));
  button.setAttribute("aria-label", `${on ? "Unfollow" : "Follow"} @${creator.handle}`);
  setIcon(button, on ? "check" : "plus");
}

function fillPictures(card, video) {
  const placeholder = card.querySelector(".placeholder");
  if (video.placeholder?.startsWith("data:image/")) placeholder.src = video.placeholder;
  else placeholder.remove();
  card.querySelector(".poster").dataset.src = video.poster_url;
}

/** Posters of later videos wait until the current one plays, so that they never compete with it. */
export function loadPoster(card) {
  const poster = card?.querySelector(".poster");
  if (!poster?.dataset.src) return;
  poster.src = poster.dataset.src;
  delete poster.dataset.src;
}

export function showCounts(card, video) {
  const like = card.querySelector("[data-act=like]");
  like.setAttribute("aria-pressed", String(video.is_liked));
  like.setAttribute("aria-label", `${video.is_liked ? "Unlike" : "Like"}, ${video.likes} likes`);
  card.querySelector("[data-likes]").textContent = count(video.likes);
  card.querySelector("[data-act=comments]").setAttribute("aria-label", `Comments, ${video.comments}`);
  card.querySelector("[data-comments]").textContent = count(video.comments);
}

/** A long caption is clamped to two lines; a tap opens it. */
export function letCaptionOpen(card) {
  const caption = card.querySelector(".caption");
  if (card.querySelector(".wordy") || caption.scrollHeight <= caption.clientHeight + 2) return;
  const more = document.createElement("button");
  more.type = "button";
  more.className = "wordy";
  more.textContent = "more";
  more.setAttribute("aria-expanded", "false");
  more.addEventListener("click", () => {
    const open = caption.classList.toggle("open");
    more.textContent = open ? "less" : "more";
    more.setAttribute("aria-expanded", String(open));
  });
  caption.after(more);
}
