"""What an anonymous viewer chose goes with the cookie."""

from datetime import timedelta

from sqlalchemy import select
from tests.social.factory import make_account

from reelm.feed.models import FeedSettings, HiddenSubject
from reelm.feed.moments import first_id_at
from reelm.feed.outlived import COOKIE_DAYS, forget_outlived
from reelm.foundation.clock import now
from reelm.foundation.database import Base
from reelm.foundation.ids import new_id
from reelm.web.viewer import VIEWER_COOKIE_S


def test_choices_live_as_long_as_the_cookie(parts):
    assert COOKIE_DAYS * 24 * 3600 == VIEWER_COOKIE_S
    old = first_id_at(now() - timedelta(days=COOKIE_DAYS + 1))
    with parts.transaction() as session:
        account = make_account(session)
        session.execute(Base.metadata.tables["account"].update().values(id=old + 1))
        kept = {old + 1, account, new_id()}
        for viewer_id in {old, *kept}:
            session.add(FeedSettings(viewer_id=viewer_id, history_paused=True))
            session.add(
                HiddenSubject(viewer_id=viewer_id, kind="hashtag", subject="a", created_at=now())
            )
    forget_outlived(parts)
    with parts.transaction() as session:
        assert set(session.scalars(select(FeedSettings.viewer_id))) == kept
        assert set(session.scalars(select(HiddenSubject.viewer_id))) == kept
