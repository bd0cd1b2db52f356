// Looks at a chosen file before a byte is sent, so that a refusal costs nothing.
import { bytes, clock } from "reelm/text.js";

const VIDEO_ENDINGS = /\.(mp4|m4v|mov|mkv|webm|avi|ogv|ogg|3gp|mpg|mpeg|ts)$/i;
const LOOK_MS = 4000;

/** Answers {problem, durationMs, isPlayable}; problem is a sentence or null. */
export async function checkFile(file, { maxBytes, maxSeconds }) {
  if (file.size === 0) return { problem: "This file is empty. Choose another one." };
  if (file.size > maxBytes) return { problem: `This file has ${bytes(file.size)}. At most ${bytes(maxBytes)} can be sent.` };
  if (!file.type.startsWith("video/") && !VIDEO_ENDINGS.test(file.name)) {
    return { problem: `“${file.name}” is not a video. MP4, MOV, WebM, MKV, AVI and OGV work.` };
  }
  const seen = await look(file);
  if (seen.durationMs && seen.durationMs > maxSeconds * 1000 + 500) {
    return { problem: `This video runs ${clock(seen.durationMs)}. At most ${clock(maxSeconds * 1000)} can be posted.` };
  }
  return { problem: null, ...seen };
}

/** What the browser itself can tell; a format it cannot play is left to the server. */
function look(file) {
  return new Promise((resolve) => {
    const probe = document.createElement("video");
    const url = URL.createObjectURL(file);
    const end = (answer) => {
      clearTimeout(timer);
      probe.onerror = null;
      probe.removeAttribute("src");
      probe.load();
      URL.revokeObjectURL(url);
      resolve(answer);
    };
    const timer = setTimeout(() => end({ isPlayable: false }), LOOK_MS);
    probe.preload = "metadata";
    probe.onloadedmetadata = () => end({ isPlayable: probe.videoWidth > 0, durationMs: Number.isFinite(probe.duration) ? probe.duration * 1000 : 0 });
    probe.onerror = () => end({ isPlayable: false });
    probe.src = url;
  });
}
