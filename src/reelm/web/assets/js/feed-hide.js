// "Not interested" and hiding: what is hidden goes at once, the next video stands in its place.
import { call } from "reelm/api.js";
import { toast } from "reelm/toast.js";

const MATCHES = {
  video: (video, subject) => video.id === subject,
  creator: (video, subject) => video.creator.id === subject,
  hashtag: (video, subject) => video.hashtags.includes(subject),
  sound: (video, subject) => video.sound_id === subject,
};

export async function hide(feed, acts, { kind, subject, done }, video) {
  const { source, watches } = feed;
  const before = [...source.videos];
  const isHidden = (one) => MATCHES[kind](one, subject);
  watches.finish(); // it was watched until now, whatever is thought of it
  const above = source.takeOut(isHidden, feed.index);
  acts.remake(feed.index - above);
  const undo = () => {
    source.putBack(isHidden, before);
    acts.remake(source.videos.indexOf(video));
  };
  const address = `/api/feed/hidden/${kind}/${encodeURIComponent(subject)}`;
  try {
    await watches.flush();
    await call("POST", "/api/feed/hidden", { kind, subject, video_id: video.id });
    toast(done, { name: "Undo", do: () => takeBack(address, undo) });
  } catch (error) {
    undo();
    toast(error.message);
  }
}

async function takeBack(address, undo) {
  try {
    await call("DELETE", address);
    undo();
  } catch (error) {
    toast(error.message);
  }
}
