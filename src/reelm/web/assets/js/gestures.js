// Touch and mouse on the stage: one tap pauses, two taps like, a long press plays twice as fast;
// one turn of the wheel is one video (a notch alone is too short for the browser's own snapping).
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

const WHEEL_QUIET_MS = 140; // a trackpad's inertia keeps sending; silence ends the turn
const WHEEL_AGAIN_MS = 550;

export function wireWheel(feed, onStep) {
  let last = -Infinity; // the last wheel event
  let stepped = -Infinity;
  let strength = 0;
  feed.addEventListener(
    "wheel",
    (event) => {
      if (event.ctrlKey || event.target.closest(".caption.open") || Math.abs(event.deltaY) < Math.abs(event.deltaX)) return;
      event.preventDefault();
      const push = Math.abs(event.deltaY) * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 30 : 1);
      const isNew = event.timeStamp - last > WHEEL_QUIET_MS;
      const isHarder = event.timeStamp - stepped > WHEEL_AGAIN_MS && push > strength * 1.4;
      last = event.timeStamp;
      if (push >= 4 && (isNew || isHarder)) {
        stepped = event.timeStamp;
        onStep(Math.sign(event.deltaY));
      }
      strength = push;
    },
    { passive: false },
  );
}
