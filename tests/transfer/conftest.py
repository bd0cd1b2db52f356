"""A sale for each test."""

import pytest
from tests.transfer.factory import Sale, make_sale


@pytest.fixture
def sale(session, parts) -> Sale:
    """A region with authorities, and nothing proposed yet."""
    return make_sale(session, parts)
