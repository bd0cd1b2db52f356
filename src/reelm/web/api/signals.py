"""Acts of a viewer that tell taste."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from reelm import feed
from reelm.feed.live import Outbox
from reelm.foundation.database import Session
from reelm.foundation.errors import Invalid
from reelm.foundation.parts import Parts
from reelm.web.api.paging import number_of
from reelm.web.endpoint import Id
from reelm.web.viewer import Viewer

_KINDS = {
    "comment_opened": feed.Kind.COMMENT_OPENED,
    "share": feed.Kind.SHARE,
    "profile_visit": feed.Kind.PROFILE_VISIT,
}


class SignalForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One act: comments opened or a video shared, or a creator's profile visited.

    `video_id` names the video, and of a visit the one that it began at; `subject` is the
    creator's id of a visit.
    """

    kind: Literal["comment_opened", "share", "profile_visit"]
    video_id: Id | None = None
    subject: Id | None = None


class SignalsForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Acts since the last time."""

    signals: Annotated[list[SignalForm], Meta(max_length=feed.MOST_ACTS)]


def record_signals(
    session: Session, parts: Parts, viewer: Viewer, outbox: Outbox, body: SignalsForm
) -> None:
    """Take in acts that no other endpoint sees; unknown videos are passed over.

    Raises:
        Invalid: an act does not say what it was about, so nothing of all is taken.
    """
    for told in body.signals:
        _check(told)
    if not may_record(session, parts, viewer):
        return
    acts = [
        feed.Act(_KINDS[told.kind], number_of(told.video_id) or 0, number_of(told.subject) or 0)
        for told in body.signals
    ]
    signals = feed.signals_of(
        session,
        viewer_id=viewer.id,
        account_id=viewer.account_id,
        acts=acts,
        country=viewer.country,
    )
    outbox.need(*signals)


def _check(told: SignalForm) -> None:
    if told.kind == "profile_visit":
        if told.subject is None:
            raise Invalid("A profile_visit needs subject, the id of the creator.")
    elif told.video_id is None:
        raise Invalid(f"A {told.kind} needs video_id, the id of the video.")
    elif told.subject is not None:
        raise Invalid(f"A {told.kind} has no subject; only a profile_visit has one.")


def tell(
    session: Session,
    parts: Parts,
    viewer: Viewer,
    outbox: Outbox,
    kind: feed.Kind,
    *,
    video_id: int = 0,
    subject: str = "",
) -> None:
    """Write down an act of the viewer, if anything of this viewer may be written down."""
    if may_record(session, parts, viewer):
        outbox.add(feed.Signal(viewer.id, video_id, kind, subject=subject))


def may_record(session: Session, parts: Parts, viewer: Viewer) -> bool:
    """Return whether what this viewer does may be written down and learned from."""
    settings = feed.feed_settings(session, parts, viewer_id=viewer.id, account_id=viewer.account_id)
    return settings.may_record
