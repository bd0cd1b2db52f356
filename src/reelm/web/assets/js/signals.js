// Acts that tell taste and that no other request shows: comments opened, shares, visits to a profile.
const URL = "/api/signals";
const FROM = "reelm.from"; // the video whose creator is about to be visited

/** Told in the background; nothing waits for it, and leaving the page does not lose it. */
export function tell(kind, { videoId, subject } = {}) {
  const signal = { kind };
  if (videoId) signal.video_id = videoId;
  if (subject) signal.subject = subject;
  navigator.sendBeacon(URL, JSON.stringify({ signals: [signal] }));
}

/** The profile's page tells of the visit; it learns here from which video one came. */
export function leavingFrom(video) {
  try {
    sessionStorage.setItem(FROM, JSON.stringify([video.creator.id, video.id]));
  } catch {
    // Without storage the visit is told without the video.
  }
}

export function tellVisit(creatorId) {
  let videoId;
  try {
    const [creator, video] = JSON.parse(sessionStorage.getItem(FROM) ?? "[]");
    sessionStorage.removeItem(FROM);
    if (creator === creatorId) videoId = video;
  } catch {
    // As above.
  }
  tell("profile_visit", { videoId, subject: creatorId });
}
