"""What an order or decision is about, by a name that its person knows: the caption, not an id."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, Literal

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.accounts.models import Account
from reelm.moderation.models import Decision, Notice
from reelm.regions.models import LegalOrder, Restriction
from reelm.social.models import Comment
from reelm.videos.models import Video

# As much of a caption or comment as tells one from another.
MOST_TITLE = 60
# An order may name a thousand videos of one person; all of them are marked at /me/videos.
MOST_NAMED = 20

TargetKind = Literal["video", "comment", "account"]
KIND_OF = {"withhold_video": "video", "remove_comment": "comment", "suspend_account": "account"}


class Target(msgspec.Struct, frozen=True):
    """A video, comment or account; `title` is empty where there are no words or it is gone."""

    kind: TargetKind
    id: str
    title: str = ""
    page_url: str | None = None

    @property
    def words(self) -> str:
        """How a sentence names it."""
        return f"“{self.title}” (No. {self.id})" if self.title else f"No. {self.id}"


def target_of(session: Session, decision_kind: str, target_id: int) -> Target:
    """Return what a decision is about."""
    number, kind = str(target_id), KIND_OF[decision_kind]
    if kind == "comment":
        body = session.scalar(select(Comment.body).where(Comment.id == target_id))
        return Target("comment", number, _short(body or ""))
    if kind == "account":
        handle = session.scalar(select(Account.handle).where(Account.id == target_id))
        return Target("account", number, *(("", None) if handle is None else _at(handle)))
    return next(iter(_videos(session, Video.id == target_id)), Target("video", number))


def own_videos(session: Session, account_id: int, video_ids: Iterable[int]) -> list[Target]:
    """Return those of these videos that are the account's, the oldest first."""
    return _videos(session, Video.account_id == account_id, Video.id.in_(list(video_ids)))


def videos_of_notices(
    session: Session, account_id: int, notices: Sequence[Notice]
) -> dict[int, list[Target]]:
    """Return the account's videos that the order or decision of each notice is about, by its id."""
    ids: dict[int, list[int]] = {
        order_id: [int(number) for number in targets.get("videos", [])]
        for order_id, targets in session.execute(
            select(LegalOrder.id, LegalOrder.targets).where(
                LegalOrder.id.in_(_abouts(notices, "order")), LegalOrder.is_confidential.is_(False)
            )
        )
    }
    decided = select(Decision.id, Decision.target_id).where(
        Decision.id.in_(_abouts(notices, "decision")), Decision.kind == "withhold_video"
    )
    ids |= {decision_id: [video_id] for decision_id, video_id in session.execute(decided)}
    found = {one.id: one for one in own_videos(session, account_id, chain(*ids.values()))}
    return {
        about_id: [found[str(number)] for number in numbers if str(number) in found][:MOST_NAMED]
        for about_id, numbers in ids.items()
    }


def has_withheld(session: Session, account_id: int) -> bool:
    """Return whether a video of the account is withheld somewhere."""
    query = select(Video.id).join(Restriction, Restriction.subject_id == Video.id)
    return session.scalar(query.where(Video.account_id == account_id).limit(1)) is not None


def _videos(session: Session, *conditions: Any) -> list[Target]:
    query = (
        select(Video.id, Video.caption, Account.handle)
        .join(Account, Account.id == Video.account_id)
        .where(*conditions)
        .order_by(Video.id)
    )
    return [
        Target("video", str(video_id), _short(caption), f"/@{handle}/{video_id}")
        for video_id, caption, handle in session.execute(query)
    ]


def _abouts(notices: Sequence[Notice], about: str) -> list[int]:
    return [one.about_id for one in notices if one.about == about]


def _at(handle: str) -> tuple[str, str]:
    return f"@{handle}", f"/@{handle}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MOST_TITLE else f"{line[: MOST_TITLE - 1].rstrip()}…"
