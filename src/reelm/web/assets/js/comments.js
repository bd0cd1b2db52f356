// The comments of one video in a sheet: read, post, edit and delete one's own, report another's.
import { call } from "reelm/api.js";
import { avatarOf } from "reelm/card.js";
import { openSheet, signedInOrAsk } from "reelm/sheet.js";
import { when } from "reelm/text.js";
import { toast } from "reelm/toast.js";

let open = null; // {video, onCount, cursor, turn}
let turn = 0;

export function showComments(video, onCount) {
  const sheet = openSheet("comments-sheet");
  if (!sheet.dataset.ready) wire(sheet);
  turn += 1;
  open = { video, onCount, cursor: null, turn, sheet };
  sheet.querySelector("ul").replaceChildren();
  title();
  load(open);
}

function wire(sheet) {
  sheet.dataset.ready = "1";
  sheet.querySelector("[data-more]").addEventListener("click", () => load(open));
  const form = sheet.querySelector("form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (signedInOrAsk("Sign in to comment.")) post(form);
  });
  form.elements.body?.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
}

function title() {
  const { sheet, video } = open;
  sheet.querySelector("#comments-title").textContent = video.comments === 1 ? "1 comment" : `${video.comments} comments`;
}

async function load(state) {
  const { sheet, video } = state;
  const loading = sheet.querySelector("[data-loading]");
  const more = sheet.querySelector("[data-more]");
  sheet.querySelector("[data-empty]").hidden = true;
  loading.hidden = false;
  loading.textContent = "Loading…";
  more.hidden = true;
  try {
    const query = state.cursor ? `?cursor=${encodeURIComponent(state.cursor)}` : "";
    const page = await call("GET", `/api/videos/${video.id}/comments${query}`);
    if (state.turn !== turn) return;
    state.cursor = page.cursor;
    sheet.querySelector("ul").append(...page.comments.map(line));
    loading.hidden = true;
    more.hidden = !page.cursor;
    showEmptiness();
  } catch (error) {
    if (state.turn !== turn) return;
    loading.textContent = error.message;
    more.hidden = false;
  }
}

function showEmptiness() {
  open.sheet.querySelector("[data-empty]").hidden = open.sheet.querySelector("ul").children.length > 0;
}

async function post(form) {
  const state = open;
  const field = form.elements.body;
  const body = field.value.trim();
  if (!body || form.dataset.busy) return;
  form.dataset.busy = "1";
  try {
    const comment = await call("POST", `/api/videos/${state.video.id}/comments`, { body });
    field.value = "";
    state.sheet.querySelector("ul").prepend(line(comment));
    changeCount(state, 1);
  } catch (error) {
    toast(error.message);
  }
  delete form.dataset.busy;
}

function changeCount(state, by) {
  state.video.comments = Math.max(0, state.video.comments + by);
  state.onCount(state.video);
  if (state === open) {
    title();
    showEmptiness();
  }
}

function line(comment) {
  const item = document.createElement("li");
  const by = document.createElement("p");
  by.className = "by";
  const name = document.createElement("a");
  name.href = `/@${comment.author.handle}`;
  name.textContent = `@${comment.author.handle}`;
  by.append(name, ` · ${when(comment.created_at)}${comment.edited_at ? " · edited" : ""}`);
  const text = document.createElement("p");
  text.className = "text";
  text.textContent = comment.body;
  const acts = document.createElement("div");
  acts.className = "acts";
  if (comment.is_mine) {
    acts.append(button("Edit", () => edit(comment, item, text)), button("Delete", () => remove(comment, item)));
  } else {
    acts.append(button("Report", () => location.assign(`/report?kind=comment&id=${comment.id}`)));
  }
  item.append(avatarOf(comment.author, "tiny"), by, text, acts);
  return item;
}

function button(name, deed) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = name;
  made.addEventListener("click", deed);
  return made;
}

function edit(comment, item, text) {
  const field = document.createElement("textarea");
  field.className = "input";
  field.maxLength = 1000;
  field.value = comment.body;
  field.setAttribute("aria-label", "Edit your comment");
  const acts = item.querySelector(".acts");
  const back = () => item.replaceWith(line(comment));
  const save = async () => {
    const body = field.value.trim();
    if (!body) return;
    try {
      const saved = await call("PATCH", `/api/comments/${comment.id}`, { body });
      Object.assign(comment, saved ?? { body, edited_at: new Date().toISOString() });
      back();
    } catch (error) {
      toast(error.message);
    }
  };
  text.replaceWith(field);
  acts.replaceChildren(button("Save", save), button("Cancel", back));
  field.focus();
}

async function remove(comment, item) {
  if (!confirm("Delete this comment?")) return;
  const state = open;
  try {
    await call("DELETE", `/api/comments/${comment.id}`);
    item.remove();
    changeCount(state, -1);
  } catch (error) {
    toast(error.message);
  }
}
