"""Two-factor sign-in of staff, grievances with deadlines, notices to people."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    _staff()
    _grievances()
    _decisions()
    _notices()


def _staff() -> None:
    op.create_table(
        "second_factor",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_second_factor")),
    )
    op.create_table(
        "staff_purpose",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_staff_purpose")),
    )
    op.add_column(
        "session", sa.Column("second_factor", sa.Text(), server_default="none", nullable=False)
    )


def _grievances() -> None:
    for name in ("acknowledge_due_at", "resolve_due_at", "acknowledged_at", "resolved_at"):
        op.add_column("report", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("report", sa.Column("kind", sa.Text(), server_default="report", nullable=False))
    op.add_column("report", sa.Column("outcome", sa.Text(), nullable=True))
    for name in ("answer", "code_hash"):
        op.add_column(
            "report", sa.Column(name, sa.LargeBinary(), server_default="", nullable=False)
        )
    op.execute("UPDATE report SET state = 'resolved' WHERE state = 'closed'")
    op.create_index(
        "ix_report_waiting",
        "report",
        ["state"],
        unique=False,
        postgresql_where=sa.text("state <> 'resolved'"),
    )


def _decisions() -> None:
    op.create_table(
        "decision",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("countries", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("source_type", sa.Text(), nullable=False),
        sa.Column("grievance_id", sa.BigInteger(), nullable=True),
        sa.Column("automated_detection", sa.Boolean(), nullable=False),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reversed_by", sa.BigInteger(), nullable=True),
        sa.Column("reversed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reversal", sa.LargeBinary(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    op.create_index(op.f("ix_decision_account_id"), "decision", ["account_id"], unique=False)
    op.create_index(op.f("ix_decision_target_id"), "decision", ["target_id"], unique=False)


def _notices() -> None:
    op.create_table(
        "notice",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("about_id", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_notice")),
    )
    op.create_index(
        "uq_notice_about",
        "notice",
        ["account_id", "about", "about_id", "what"],
        unique=True,
    )
