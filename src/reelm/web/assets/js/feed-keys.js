// The keyboard on the feed: arrows, J and K swipe, Space pauses, M sound, L like, C comments; feed pattern keys.
const TYPES = new Set(["TEXTAREA", "SELECT"]);

export function wireKeys(feed, does) {
  const deeds = {
    ArrowDown: () => does.step(1),
    j: () => does.step(1),
    ArrowUp: () => does.step(-1),
    k: () => does.step(-1),
    PageDown: () => does.step(1, true),
    PageUp: () => does.step(-1, true),
    Home: () => does.first(),
    " ": () => does.toggle(),
    m: () => does.mute(),
    l: () => does.like(),
    c: () => does.comments(),
    ArrowRight: () => does.seek(2),
    ArrowLeft: () => does.seek(-2),
  };
  document.addEventListener("keydown", (event) => {
    const { target, key } = event;
    if (event.defaultPrevented || event.altKey || event.metaKey || document.querySelector("dialog[open]")) return;
    if (event.ctrlKey) return leaveFeed(event, feed);
    const isRange = target.type === "range";
    if (TYPES.has(target.tagName) || (target.tagName === "INPUT" && !isRange)) return;
    if (isRange && ["ArrowLeft", "ArrowRight", "Home", "End"].includes(key)) return;
    // Space and Enter on a button or link belong to it.
    if (key === " " && target.closest("button:not(.tap), a, summary")) return;
    const deed = deeds[key.length === 1 ? key.toLowerCase() : key];
    if (!deed) return;
    event.preventDefault();
    deed();
  });
}

/** ARIA feed pattern: Control+Home and Control+End leave the feed before and after it. */
function leaveFeed(event, feed) {
  if (!feed.contains(document.activeElement)) return;
  const outside = [...document.querySelectorAll("a[href], button")].filter((one) => !feed.contains(one) && one.offsetParent);
  const isBefore = (one) => feed.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_PRECEDING;
  const goal = event.key === "Home" ? outside.filter(isBefore)[0] : event.key === "End" ? outside.find((one) => !isBefore(one)) : null;
  if (!goal) return;
  event.preventDefault();
  goal.focus();
}
