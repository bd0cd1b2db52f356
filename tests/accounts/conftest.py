"""Fixtures of this room's tests."""

import pytest
from tests.accounts.copies import make_world


@pytest.fixture
def world(parts):
    """An authority, and two people with something in every table."""
    return make_world(parts)
