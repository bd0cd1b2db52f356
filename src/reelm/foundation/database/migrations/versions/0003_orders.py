"""Authorities, their legal orders, and the restrictions that follow from these."""

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
