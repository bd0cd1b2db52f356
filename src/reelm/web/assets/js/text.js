// Turning numbers, moments and captions into words, the same way on every page.
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1, roundingMode: "floor" });

export const count = (n) => compact.format(n);

export function clock(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

export function bytes(size) {
  if (size >= 2 ** 30) return `${(size / 2 ** 30).toFixed(1)} GB`;
  if (size >= 2 ** 20) return `${(size / 2 ** 20).toFixed(size < 10 * 2 ** 20 ? 1 : 0)} MB`;
  return `${Math.max(1, Math.round(size / 1024))} KB`;
}

const STEPS = [
  ["minute", 60],
  ["hour", 3600],
  ["day", 86400],
  ["week", 604800],
];

/** "5 minutes ago" up to four weeks, a date after that. */
export function when(moment) {
  const then = new Date(moment);
  const ago = (Date.now() - then) / 1000;
  if (Number.isNaN(ago)) return "";
  if (ago < 60) return "just now";
  if (ago > 28 * 86400) return then.toLocaleDateString(document.documentElement.lang || undefined, { dateStyle: "medium" });
  const [unit, seconds] = STEPS.findLast(([, length]) => ago >= length);
  return new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { numeric: "auto" }).format(-Math.floor(ago / seconds), unit);
}

export function softenTimes(root = document) {
  for (const time of root.querySelectorAll("time[datetime]:not([data-exact])")) {
    if (time.dateTime) time.textContent = when(time.dateTime);
  }
}

/** A caption as nodes, its #hashtags marked. */
export function captionNodes(text) {
  return text.split(/(#[\p{L}\p{M}\p{N}_]+)/u).map((part) => {
    if (!/^#./.test(part)) return document.createTextNode(part);
    const tag = document.createElement("span");
    tag.className = "tag";
    tag.textContent = part;
    return tag;
  });
}
