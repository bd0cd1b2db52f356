"""The videos there are: facts by row, and lists by creator and hashtag to find them in."""

import hashlib
from array import array
from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
import numpy.typing as npt

from reelm.feed.ranker.rows import NONE, Array, Ints, Table
from reelm.feed.ranker.sizes import Sizes
from reelm.feed.ranker.values import VideoFacts

# Hashtags looked at of one video; those that name its topic come first as people write them.
TAGS = 4
# Videos listed for each creator and each hashtag: the newest. Older ones that are watched are found
# as popular and as neighbours.
OF_CREATOR, OF_TAG = 64, 2_000
COMPACT_FROM = 64
# A hashtag on more than this share of all videos is no topic.
COMMON_SHARE, COMMON_LEAST = 0.2, 10
HIDDEN, PUBLIC, FOLLOWERS = 0, 1, 2
_AUDIENCE = {"public": PUBLIC, "followers": FOLLOWERS}


def number_of(text: str) -> int:
    """Return the number that stands for a text as the id of a row: 63 bits of BLAKE2b."""
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1 or 1


class Videos(Table):
    """Videos and their facts."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__("videos", sizes.videos)
        self.creator = self.column("creator", np.int32, fill=NONE)
        self.sound = self.column("sound", np.int32, fill=NONE)
        self.tags = self.column("tags", np.int32, TAGS, fill=NONE)
        self.language = self.column("language", np.int64)
        self.duration_ms = self.column("duration_ms", np.int32)
        self.published_ms = self.column("published_ms", np.int64)
        self.audience = self.column("audience", np.int8)
        self.impressions = self.column("impressions", np.int32)
        # How often the row has changed hands: what was kept by row is then of another video.
        self.hands = self.lasting("hands", np.int32)
        self.on_clear(self._change_hands)

    def _change_hands(self, rows: Ints) -> None:
        self.hands[rows] += 1


class Tags(Table):
    """Hashtags, with their texts for explanations.

    A snapshot has no texts, for people wrote them: they come again with the videos that bear them.
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__("tags", sizes.tags)
        self.videos = self.column("videos", np.int32)
        self.text: dict[int, str] = {}
        self.on_clear(self._forget_texts)

    def admit_text(self, text: str, at_ms: int) -> int:
        """Return the row of a hashtag."""
        row = self.admit(number_of(text), at_ms)
        self.text[row] = text
        return row

    def _forget_texts(self, rows: Ints) -> None:
        for row in rows.tolist():
            self.text.pop(row, None)


class Lists:
    """Rows of videos by something they share, in the order in which they came.

    Rows are only appended; who reads drops those that are of something else by now, and a list
    that has doubled drops them itself.

    Args:
        most: a list keeps so many of its last rows.
        current: tells which rows are of a key still.
    """

    def __init__(self, most: int, current: Callable[[int, Ints], Array]) -> None:
        self._most, self._current = most, current
        self._rows: dict[int, array[int]] = {}

    def add(self, key: int, row: int) -> None:
        """Append a row to the list of `key`."""
        found = self._rows.get(key)
        if found is None:
            self._rows[key] = array("i", [row])
            return
        found.append(row)
        count = len(found)
        if count >= COMPACT_FROM and count & (count - 1) == 0:
            rows = np.array(found, np.int32)
            kept = dict.fromkeys(rows[self._current(key, rows)].tolist())
            self._rows[key] = array("i", list(kept)[-self._most :])

    def of(self, key: int) -> Ints:
        """Return the rows of `key`, oldest first."""
        found = self._rows.get(key)
        return np.array(() if found is None else found[-self._most :], np.int32)

    def newest(self, key: int, count: int) -> list[int]:
        """Return the last rows of `key`, newest first."""
        found = self._rows.get(key)
        return [] if found is None else list(found[: -count - 1 : -1])

    def drop(self, keys: Ints) -> None:
        """Forget the lists of keys."""
        for key in keys.tolist():
            self._rows.pop(key, None)


class Catalogue:
    """Videos, creators, hashtags and sounds."""

    def __init__(self, sizes: Sizes) -> None:
        self.videos = Videos(sizes)
        self.creators = Table("creators", sizes.creators)
        self.creator_impressions = self.creators.column("impressions", np.int32)
        self.tags = Tags(sizes)
        self.sounds = Table("sounds", sizes.sounds)
        self.by_creator = Lists(OF_CREATOR, lambda key, rows: self.videos.creator[rows] == key)
        self.by_tag = Lists(OF_TAG, lambda key, rows: self.bear(rows, key))
        for table, column in (
            (self.creators, self.videos.creator),
            (self.tags, self.videos.tags),
            (self.sounds, self.videos.sound),
        ):
            table.on_clear(partial(self._unlink, column))
        self.videos.on_clear(lambda rows: self._count_tags(self.videos.tags[rows], -1))
        self.creators.on_clear(self.by_creator.drop)
        self.tags.on_clear(self.by_tag.drop)

    def tables(self) -> tuple[Table, ...]:
        """Return the tables that a snapshot holds."""
        return self.videos, self.creators, self.tags, self.sounds

    def add(self, facts: VideoFacts) -> int:
        """Take in a new or changed video, and return its row."""
        at_ms = facts.published_ms
        videos = self.videos
        is_new = videos.find(facts.video_id) == NONE
        used_ms = at_ms if is_new else int(videos.used_ms[videos.find(facts.video_id)])
        row = videos.admit(facts.video_id, used_ms)
        creator = self.creators.admit(facts.creator_id, at_ms)
        tags = self._tags_of(facts)
        is_listed = not is_new and int(videos.creator[row]) == creator
        known = videos.tags[row].tolist()
        self._count_tags(videos.tags[row], -1)
        videos.creator[row] = creator
        videos.tags[row] = tags + [NONE] * (TAGS - len(tags))
        self._count_tags(videos.tags[row], 1)
        if not is_listed:
            self.by_creator.add(creator, row)
        for tag in tags:
            if tag not in known:
                self.by_tag.add(tag, row)
        sound = facts.sound_id
        videos.sound[row] = self.sounds.admit(sound, at_ms) if sound else NONE
        videos.language[row] = number_of(facts.language) if facts.language else 0
        videos.duration_ms[row] = min(facts.duration_ms, (1 << 31) - 1)
        videos.published_ms[row] = at_ms
        videos.audience[row] = _AUDIENCE.get(facts.audience, HIDDEN)
        return row

    def touch(self, rows: Ints, at_ms: int) -> None:
        """Note that videos are in use, and with them their creators, hashtags and sounds."""
        videos = self.videos
        videos.used_ms[rows] = at_ms
        for table, column in (
            (self.creators, videos.creator),
            (self.tags, videos.tags),
            (self.sounds, videos.sound),
        ):
            table.used_ms[column[rows]] = at_ms

    def remove(self, video_ids: Iterable[int]) -> None:
        """Forget videos."""
        self.videos.drop(video_ids)

    def telling_tags(self, rows: Ints) -> Ints:
        """Return the hashtags of videos, NONE for those that so many bear that they say nothing."""
        tags: Ints = self.videos.tags[rows]
        common = self.tags.videos[tags] > max(COMMON_SHARE * len(self.videos), COMMON_LEAST)
        return np.where(common, np.int32(NONE), tags)

    def tagged(self, tag: int) -> Ints:
        """Return the rows of the videos with a hashtag, oldest first."""
        rows = self.by_tag.of(tag)
        return np.unique(rows[self.bear(rows, tag)])

    def bear(self, rows: Ints, tag: int) -> npt.NDArray[np.bool_]:
        """Return which videos bear a hashtag."""
        mask: npt.NDArray[np.bool_] = (self.videos.tags[rows] == tag).any(axis=1)
        return mask

    def newest_of(self, creator: int, count: int) -> list[int]:
        """Return rows of a creator's newest videos, newest first."""
        rows = self.by_creator.newest(creator, count)
        return [row for row in dict.fromkeys(rows) if self.videos.creator[row] == creator]

    def relist(self) -> None:
        """Make the lists from the tables, after a load."""
        used = np.flatnonzero(self.videos.ids[: self.videos.top])
        for row in used[np.argsort(self.videos.published_ms[used], kind="stable")].tolist():
            self.by_creator.add(int(self.videos.creator[row]), row)
            for tag in self.videos.tags[row].tolist():
                if tag != NONE:
                    self.by_tag.add(tag, row)

    def _tags_of(self, facts: VideoFacts) -> list[int]:
        texts = list(dict.fromkeys(facts.tags))[:TAGS]
        for text in texts:
            self.tags.admit_text(text, facts.published_ms)
        # A full table may have let go of the first to make room for the last.
        rows = [self.tags.find(number_of(text)) for text in texts]
        return [row for row in rows if row != NONE]

    def _count_tags(self, tags: Array, amount: int) -> None:
        np.add.at(self.tags.videos, tags[tags != NONE], amount)

    def _unlink(self, column: Array, rows: Ints) -> None:
        """Let videos no longer name rows that will be of something else."""
        used = column[: self.videos.top]
        used[np.isin(used, rows)] = NONE
