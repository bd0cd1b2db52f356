// Asked once, on the third video: which topics and languages? It swipes away with its video.
import { call } from "reelm/api.js";
import { icon } from "reelm/icons.js";
import { preferences } from "reelm/preferences.js";
import { toast } from "reelm/toast.js";

const FEWEST = 3; // nothing to choose between otherwise
const MOST = 12;

export async function offerTopics(card) {
  try {
    const settings = await call("GET", "/api/feed/settings");
    const isOpen = settings.is_profiled && !settings.topics.length && !settings.languages.length;
    const choices = isOpen ? await loadChoices() : { topics: [] };
    if (choices.topics.length < FEWEST || !card.isConnected) return;
    preferences.setAskedTopics();
    card.append(offer(choices));
  } catch {
    // It is an offer: without an answer there is none.
  }
}

async function loadChoices() {
  const offered = await call("GET", "/api/feed/topics?limit=30");
  const all = offered.languages.reduce((sum, { videos }) => sum + videos, 0);
  return {
    // What most videos have in common is no choice.
    topics: offered.topics.filter(({ videos }) => !all || videos <= all / 2).map(({ tag }) => tag),
    languages: offered.languages.map(({ language }) => language),
  };
}

function offer({ topics, languages }) {
  const form = document.createElement("form");
  form.className = "topic-offer";
  form.setAttribute("aria-labelledby", "topic-offer-title");
  const title = document.createElement("h3");
  title.id = "topic-offer-title";
  title.textContent = "What do you like?";
  const words = document.createElement("p");
  words.textContent = "Pick a few, or just swipe on: what you watch tells as much.";
  const close = document.createElement("button");
  close.type = "button";
  close.className = "icon-button";
  close.setAttribute("aria-label", "Close");
  close.append(icon("close"));
  close.addEventListener("click", () => form.remove());
  const head = document.createElement("header");
  head.append(title, close);
  const save = document.createElement("button");
  save.className = "button main";
  save.textContent = "Show me these";
  form.append(head, words, group("Topics", topics.slice(0, MOST).map((tag) => chip("topics", tag, `#${tag}`))));
  if (languages.length > 1) form.append(group("Languages", languages.slice(0, MOST).map((tag) => chip("languages", tag, languageName(tag)))));
  form.append(save);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    keep(form);
  });
  return form;
}

function group(name, chips) {
  const set = document.createElement("fieldset");
  set.className = "picks";
  const legend = document.createElement("legend");
  legend.className = "unseen";
  legend.textContent = name;
  set.append(legend, ...chips);
  return set;
}

function chip(name, value, label) {
  const made = document.createElement("label");
  made.className = "pick";
  const box = document.createElement("input");
  box.type = "checkbox";
  Object.assign(box, { name, value });
  const words = document.createElement("span");
  words.textContent = label;
  made.append(box, words);
  return made;
}

function languageName(tag) {
  try {
    return new Intl.DisplayNames(["en"], { type: "language", fallback: "code" }).of(tag);
  } catch {
    return tag; // not a language that the browser knows the form of
  }
}

const chosenIn = (form, name) => [...form.querySelectorAll(`input[name="${name}"]:checked`)].map((box) => box.value);

async function keep(form) {
  const choice = { topics: chosenIn(form, "topics"), languages: chosenIn(form, "languages") };
  try {
    if (choice.topics.length || choice.languages.length) {
      await call("PATCH", "/api/feed/settings", choice);
      toast("Saved. Your feed settings change it again.");
    }
    form.remove();
  } catch (error) {
    toast(error.message);
  }
}
