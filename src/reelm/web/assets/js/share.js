// Sharing by the system's own sheet where there is one, by the clipboard elsewhere.
import { tell } from "reelm/signals.js";
import { toast } from "reelm/toast.js";

export async function share(video) {
  const url = new URL(video.page_url, location.origin).href;
  if (navigator.share && matchMedia("(pointer: coarse)").matches) {
    try {
      await navigator.share({ url, title: video.caption || `A video by @${video.creator.handle}` });
      tell("share", { videoId: video.id });
      return;
    } catch (refusal) {
      if (refusal.name === "AbortError") return;
    }
  }
  await copyLink(video);
}

export async function copyLink(video) {
  const url = new URL(video.page_url, location.origin).href;
  tell("share", { videoId: video.id });
  try {
    await navigator.clipboard.writeText(url);
    toast("Link copied");
  } catch {
    toast(url); // the clipboard needs https or loopback; the address can at least be read
  }
}
