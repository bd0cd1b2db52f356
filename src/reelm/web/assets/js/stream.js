// Which bytes a <video> gets: hls.js over MSE, the browser's own HLS, or one progressive rendition.
// The first video and the data saver take the progressive one: a single request, no library.
import { preferences } from "reelm/preferences.js";

const HLS_MIME = "application/vnd.apple.mpegurl";
const AHEAD_WAITING_S = 2; // one segment: enough for the first frame of a waiting video
const AHEAD_PLAYING_S = 20;

let Hls = null;
let loadingHls = null;
let estimate = 3_000_000; // bits per second; carried from one video to the next

export function loadHls() {
  loadingHls ??= import("hls.js").then(
    (module) => {
      Hls = module.default.isSupported() ? module.default : null;
    },
    () => {
      loadingHls = null;
    },
  );
  return loadingHls;
}

/** The smallest rendition that fills the stage, or the smallest of all when data is dear. */
export function progressiveUrl(video, stage) {
  const rungs = (video.renditions ?? []).filter((rung) => rung.url).sort((a, b) => a.width - b.width);
  if (!rungs.length) return video.progressive_url;
  if (preferences.isSaving()) return rungs[0].url;
  const wanted = (stage?.clientWidth || innerWidth) * Math.min(devicePixelRatio, 2) * 0.8;
  return rungs.some((rung) => rung.url === video.progressive_url)
    ? video.progressive_url
    : (rungs.find((rung) => rung.width >= wanted) ?? rungs.at(-1)).url;
}

/** Attaches `video` to `element`; answers a handle with ahead(), retry() and release(). */
export function attach(element, video, { progressive, startS = 0, onFatal }) {
  const adaptive = !progressive && !preferences.isSaving();
  if (adaptive && Hls) return attachHls(element, video, startS, onFatal);
  // A browser's own HLS is for those without MSE: elsewhere it cannot be told how far to read ahead.
  if (adaptive && !hasMse() && element.canPlayType(HLS_MIME)) return attachUrl(element, video.manifest_url, startS, "native");
  return attachUrl(element, progressiveUrl(video, element.parentElement), startS, "progressive");
}

const hasMse = () => "MediaSource" in window || "ManagedMediaSource" in window;

function attachUrl(element, url, startS, kind) {
  element.src = url;
  if (startS) element.currentTime = startS;
  return {
    kind,
    ahead() {},
    retry() {
      const at = element.currentTime;
      element.src = url;
      element.currentTime = at;
    },
    release() {
      element.removeAttribute("src");
      element.load();
    },
  };
}

function attachHls(element, video, startS, onFatal) {
  const hls = new Hls({
    enableWorker: false, // fragmented MP4 passes through: nothing to do in a worker
    capLevelToPlayerSize: true,
    abrEwmaDefaultEstimate: estimate,
    testBandwidth: false,
    startPosition: startS || -1, // set on the element it would be overruled
    maxBufferLength: AHEAD_WAITING_S,
    maxMaxBufferLength: 30,
    backBufferLength: 30,
  });
  let retries = 0;
  hls.on(Hls.Events.FRAG_BUFFERED, () => {
    if (hls.bandwidthEstimate > 0) estimate = hls.bandwidthEstimate;
    retries = 0;
  });
  hls.on(Hls.Events.ERROR, (_, error) => {
    if (!error.fatal) return;
    if (error.type === Hls.ErrorTypes.MEDIA_ERROR && retries < 1) {
      retries += 1;
      hls.recoverMediaError();
    } else {
      onFatal(error.response?.code ?? 0);
    }
  });
  hls.loadSource(video.manifest_url);
  hls.attachMedia(element);
  return {
    kind: "hls",
    ahead(playing) {
      hls.config.maxBufferLength = playing ? AHEAD_PLAYING_S : AHEAD_WAITING_S;
    },
    retry() {
      hls.loadSource(video.manifest_url);
    },
    release() {
      hls.destroy();
      element.removeAttribute("src");
      element.load();
    },
  };
}
