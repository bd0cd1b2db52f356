"""The sale of the region: its scope, what is said to it; and what a model was trained on."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "transfer",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("scope_digest", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ending", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
        sa.UniqueConstraint("scope_digest", name=op.f("uq_transfer_scope_digest")),
    )
    op.create_index(
        "uq_transfer_open",
        "transfer",
        [sa.literal_column("(ended_at IS NULL)")],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "transfer_statement",
        sa.Column("transfer_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("authority_id", sa.BigInteger(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("document_digest", sa.Text(), nullable=False),
        sa.Column("envelope", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("transfer_id", "id", name=op.f("pk_transfer_statement")),
    )
    op.create_index(
        "uq_transfer_statement_reference",
        "transfer_statement",
        ["authority_id", "reference"],
        unique=True,
    )
    op.create_index(
        op.f("ix_transfer_statement_document_digest"),
        "transfer_statement",
        ["document_digest"],
        unique=False,
    )
    op.add_column("ranker_snapshot", sa.Column("first_seq", sa.BigInteger(), nullable=True))
    for name in ("first_at", "last_at"):
        op.add_column("ranker_snapshot", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
