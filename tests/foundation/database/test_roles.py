"""Roles of a region that several commands open at once."""

import threading

from reelm.foundation.database import Base, roles

ROUNDS = 8


def test_commands_that_open_a_region_at_once_do_not_disturb_each_other(home, owner):
    password, failures = home.secret("database-app"), []

    def open_again_and_again() -> None:
        try:
            for _ in range(ROUNDS):
                roles.ensure_app(owner, 1, password, Base.metadata)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
            failures.append(repr(error))

    threads = [threading.Thread(target=open_again_and_again) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
