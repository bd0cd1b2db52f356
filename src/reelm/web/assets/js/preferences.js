// The viewer's choices that live in this browser: sound, captions, theme, data saver.
const PREFIX = "reelm.";
const memory = new Map(); // used when the browser refuses storage

function read(name) {
  try {
    return localStorage.getItem(PREFIX + name) ?? memory.get(name) ?? null;
  } catch {
    return memory.get(name) ?? null;
  }
}

function write(name, value) {
  memory.set(name, value);
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // Kept in memory for this page only.
  }
  document.dispatchEvent(new CustomEvent("reelm:preference", { detail: { name, value } }));
}

export const preferences = {
  isMuted: () => read("muted") === "1",
  setMuted: (on) => write("muted", on ? "1" : "0"),
  wantsCaptions: () => read("captions") === "1",
  setCaptions: (on) => write("captions", on ? "1" : "0"),
  theme: () => read("theme") ?? "",
  setTheme(theme) {
    write("theme", theme);
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
  },
  ownSaver: () => read("saver") === "1",
  setSaver(on) {
    write("saver", on ? "1" : "0");
    // The server reads this cookie, so that its first page does not start a large rendition.
    document.cookie = `reelm_saver=${on ? 1 : 0}; path=/; max-age=31536000; samesite=lax`;
  },
  wasAskedTopics: () => read("topics-asked") === "1",
  setAskedTopics: () => write("topics-asked", "1"),
  /** The popular tab's topic and language: the server keeps nothing of them. */
  popularChoice: () => read("popular") ?? "",
  setPopularChoice: (query) => write("popular", query),
  /** Own setting, the browser's Save-Data, or a connection that calls itself slow. */
  isSaving() {
    const link = navigator.connection;
    return this.ownSaver() || Boolean(link?.saveData) || /2g/.test(link?.effectiveType ?? "");
  },
};

export const calmMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
