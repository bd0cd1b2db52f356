import os
import time

import pytest
from tests.videos.acts import left_files, person, stored, swept

from reelm import accounts, videos
from reelm.foundation.errors import Invalid
from reelm.videos.objects import AVATARS


def test_a_picture_is_stored_until_no_account_names_it(parts, clips):
    ana = person(parts)
    key = videos.store_avatar(parts, clips("picture").read_bytes())
    assert left_files(parts) == []
    with parts.transaction() as session:
        accounts.set_avatar(session, ana, key)
    path = parts.store.local_path(key)
    assert path is not None
    os.utime(path, (time.time() - 7200,) * 2)
    swept(parts)
    assert stored(parts, AVATARS) == {key}
    with parts.transaction() as session:
        accounts.set_avatar(session, ana, None)
    swept(parts)
    assert stored(parts, AVATARS) == set()


def test_what_is_no_picture_is_refused_and_leaves_nothing(parts):
    with pytest.raises(Invalid):
        videos.store_avatar(parts, b"<svg onload=alert(1)>")
    assert left_files(parts) == []
    assert stored(parts) == set()
