"""The Merkle tree over the audit log, its checkpoints and their cosignatures."""

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
