// Touch and mouse on the stage: one tap pauses, two taps like, a long press plays twice as fast.
const DOUBLE_MS = 280;
const LONG_MS = 450;
const SETTLE_MS = 600; // a third hasty tap after a like does not pause
const SLACK_PX = 12;

export function wireGestures(feed, { onTap, onDoubleTap, onHold, onRelease }) {
  let start = null;
  let lastTap = { time: -Infinity };
  let lastDouble = -Infinity;
  let tapTimer = 0;
  let holdTimer = 0;
  let held = false;

  feed.addEventListener("pointerdown", (event) => {
    if (!event.target.closest(".tap") || event.button > 0) return;
    start = { x: event.clientX, y: event.clientY };
    held = false;
    holdTimer = setTimeout(() => {
      held = true;
      onHold();
    }, LONG_MS);
  });
  const end = () => {
    clearTimeout(holdTimer);
    if (held) onRelease();
    start = null;
  };
  feed.addEventListener("pointermove", (event) => {
    if (start && Math.hypot(event.clientX - start.x, event.clientY - start.y) > SLACK_PX) clearTimeout(holdTimer);
  });
  feed.addEventListener("pointercancel", end);
  feed.addEventListener("scroll", () => clearTimeout(holdTimer), { passive: true });
  feed.addEventListener("pointerup", end);
  feed.addEventListener("contextmenu", (event) => event.target.closest(".tap") && event.preventDefault());

  feed.addEventListener("click", (event) => {
    const surface = event.target.closest(".tap");
    if (!surface) return;
    if (held) {
      held = false;
      return;
    }
    const isSecond = event.timeStamp - lastTap.time < DOUBLE_MS && Math.hypot(event.clientX - lastTap.x, event.clientY - lastTap.y) < 60;
    lastTap = { time: event.timeStamp, x: event.clientX, y: event.clientY };
    clearTimeout(tapTimer);
    if (isSecond) {
      lastDouble = event.timeStamp;
      onDoubleTap(event.clientX, event.clientY);
    } else if (event.timeStamp - lastDouble > SETTLE_MS) {
      tapTimer = setTimeout(onTap, DOUBLE_MS);
    }
  });
}
