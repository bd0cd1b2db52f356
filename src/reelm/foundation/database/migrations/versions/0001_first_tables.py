"""The first tables of all rooms, the job queue, and the triggers that tell of visibility."""

import procrastinate.schema
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    op.get_bind().exec_driver_sql(
        procrastinate.schema.SchemaManager.get_schema().replace("%", "%%")
    )
    _tables()
    op.execute(_NOTIFY)
    op.execute(_COUNT)
    op.execute(_SIGNAL_DAYS)


# Whoever keeps in memory what may be seen hears of each change at its commit.
_NOTIFY = """
CREATE FUNCTION tell_visibility() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    gone jsonb := to_jsonb(CASE WHEN TG_OP = 'INSERT' THEN NEW ELSE OLD END);
BEGIN
    IF TG_TABLE_NAME = 'video' THEN
        PERFORM pg_notify('visibility', 'video:' || (gone ->> 'id'));
    ELSIF TG_TABLE_NAME IN ('rendition', 'caption_track') THEN
        PERFORM pg_notify('visibility', 'video:' || (gone ->> 'video_id'));
    ELSIF TG_TABLE_NAME = 'account' THEN
        PERFORM pg_notify('visibility', 'account:' || (gone ->> 'id'));
    ELSE
        PERFORM pg_notify('visibility', 'account:' || (gone ->> 'account_id'));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER tell_visibility AFTER INSERT OR UPDATE OR DELETE ON video
    FOR EACH ROW EXECUTE FUNCTION tell_visibility();
CREATE TRIGGER tell_visibility AFTER UPDATE OR DELETE ON account
    FOR EACH ROW EXECUTE FUNCTION tell_visibility();
CREATE TRIGGER tell_visibility AFTER INSERT OR UPDATE OR DELETE ON rendition
    FOR EACH ROW EXECUTE FUNCTION tell_visibility();
CREATE TRIGGER tell_visibility AFTER INSERT OR UPDATE OR DELETE ON caption_track
    FOR EACH ROW EXECUTE FUNCTION tell_visibility();
CREATE TRIGGER tell_visibility AFTER UPDATE OR DELETE ON session
    FOR EACH ROW EXECUTE FUNCTION tell_visibility();
CREATE TRIGGER tell_visibility AFTER INSERT OR UPDATE OR DELETE ON follow
    FOR EACH ROW EXECUTE FUNCTION tell_visibility();
CREATE TRIGGER tell_visibility AFTER INSERT OR UPDATE OR DELETE ON block
    FOR EACH ROW EXECUTE FUNCTION tell_visibility();
"""

# Totals of likes and comments stay exact whichever way a row goes: taken back, deleted by the
# creator, or with an erased account by cascade. Whoever loads rows together with their totals
# says `SET LOCAL reelm.loading = 'on'` first. Rows of video_count are taken in the order of
# their ids, as the watches do, so that two who count do not wait for each other.
_COUNT = """
CREATE FUNCTION count_acts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('reelm.loading', true) = 'on' THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        EXECUTE format(
            'INSERT INTO video_count AS total (video_id, %1$I)'
            ' SELECT video_id, count(*) FROM acts GROUP BY video_id ORDER BY video_id'
            ' ON CONFLICT (video_id) DO UPDATE SET %1$I = total.%1$I + excluded.%1$I',
            TG_ARGV[0]);
    ELSE
        PERFORM FROM video_count WHERE video_id IN (SELECT video_id FROM acts)
            ORDER BY video_id FOR UPDATE;
        EXECUTE format(
            'UPDATE video_count AS total SET %1$I = total.%1$I - gone.acts'
            ' FROM (SELECT video_id, count(*) AS acts FROM acts GROUP BY video_id) AS gone'
            ' WHERE total.video_id = gone.video_id',
            TG_ARGV[0]);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER count_made AFTER INSERT ON video_like REFERENCING NEW TABLE AS acts
    FOR EACH STATEMENT EXECUTE FUNCTION count_acts('likes');
CREATE TRIGGER count_gone AFTER DELETE ON video_like REFERENCING OLD TABLE AS acts
    FOR EACH STATEMENT EXECUTE FUNCTION count_acts('likes');
CREATE TRIGGER count_made AFTER INSERT ON comment REFERENCING NEW TABLE AS acts
    FOR EACH STATEMENT EXECUTE FUNCTION count_acts('comments');
CREATE TRIGGER count_gone AFTER DELETE ON comment REFERENCING OLD TABLE AS acts
    FOR EACH STATEMENT EXECUTE FUNCTION count_acts('comments');
"""

# The log of signals has one partition for each day, so that a day is dropped and not deleted row
# by row. The serving role may define nothing, so these do it in the owner's name: they make and
# drop days of this one table and nothing else. Rows of a day without a partition are in
# signal_default until the day is made. Making one waits for nobody but whoever writes there.
_SIGNAL_DAYS = """
CREATE TABLE signal_default PARTITION OF signal DEFAULT;
CREATE FUNCTION make_signal_day(wanted date) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '5s' AS $$
DECLARE
    name text := 'signal_' || to_char(wanted, 'YYYY_MM_DD');
BEGIN
    IF wanted < current_date - 2 OR wanted > current_date + 60 THEN
        RAISE EXCEPTION 'no day of the log is made so far from today: %', wanted
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    LOCK TABLE ONLY public.signal IN SHARE UPDATE EXCLUSIVE MODE;
    IF to_regclass(format('public.%I', name)) IS NOT NULL THEN
        RETURN false;
    END IF;
    LOCK TABLE public.signal_default IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('CREATE TABLE public.%I (LIKE public.signal INCLUDING DEFAULTS)', name);
    EXECUTE format(
        'WITH moved AS (DELETE FROM public.signal_default WHERE day = $1 RETURNING *)'
        ' INSERT INTO public.%I SELECT * FROM moved', name) USING wanted;
    EXECUTE format(
        'ALTER TABLE public.signal ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
        name, wanted, wanted + 1);
    RETURN true;
END $$;
CREATE FUNCTION drop_signal_days(before date) RETURNS SETOF date
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '5s' AS $$
DECLARE
    name text;
    day_of date;
BEGIN
    IF before > current_date THEN
        RAISE EXCEPTION 'a day of the log is dropped after it has ended, and not before %', before
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR name IN
        SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'public.signal'::regclass
            AND relname ~ '^signal_[0-9]{4}_[0-9]{2}_[0-9]{2}$' ORDER BY relname
    LOOP
        day_of := to_date(substr(name, 8), 'YYYY_MM_DD');
        IF day_of < before THEN
            EXECUTE format('DROP TABLE public.%I', name);
            RETURN NEXT day_of;
        END IF;
    END LOOP;
    DELETE FROM public.signal_default WHERE day < before;
END $$;
REVOKE EXECUTE ON FUNCTION make_signal_day(date), drop_signal_days(date) FROM PUBLIC;
"""


def _tables() -> None:
    _foundation()
    _audit()
    _regions()
    _accounts()
    _videos()
    _social()
    _moderation()
    _feed()


def _foundation() -> None:
    op.create_table(
        "job_report",
        sa.Column("job_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_job_report")),
    )
    op.create_table(
        "process_lease",
        sa.Column("process", sa.SmallInteger(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("process", name=op.f("pk_process_lease")),
    )


def _audit() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )


def _regions() -> None:
    op.create_table(
        "tenure",
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("epoch", name=op.f("pk_tenure")),
    )


def _accounts() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("bio", sa.Text(), nullable=False),
        sa.Column("links", postgresql.JSONB(), nullable=False),
        sa.Column("avatar_object", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("is_private", sa.Boolean(), nullable=False),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
    )
    op.create_table(
        "account_key",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("region_key_version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account_key")),
    )
    op.create_table(
        "account_private",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("birth_date", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account_private")),
    )
    op.create_table(
        "credential",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_credential")),
    )
    op.create_table(
        "erased_account",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("complete_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_erased_account")),
    )
    op.create_table(
        "erased_handle",
        sa.Column("handle_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("handle_hash", name=op.f("pk_erased_handle")),
    )
    op.create_table(
        "handle",
        sa.Column("handle_key", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("handle_key", name=op.f("pk_handle")),
        sa.UniqueConstraint("account_id", name=op.f("uq_handle_account_id")),
    )
    op.create_table(
        "rate_limit",
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("window_ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "window_ends_at", name=op.f("pk_rate_limit")),
        prefixes=["UNLOGGED"],
    )
    op.create_index(
        op.f("ix_rate_limit_window_ends_at"), "rate_limit", ["window_ends_at"], unique=False
    )
    op.create_table(
        "recovery_code",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "code_hash", name=op.f("pk_recovery_code")),
    )
    op.create_table(
        "terms_acceptance",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "version", name=op.f("pk_terms_acceptance")),
    )
    op.create_table(
        "session",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("user_agent", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_session_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_session")),
    )


def _videos() -> None:
    op.create_table(
        "sound",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sound")),
    )
    op.create_table(
        "unneeded_object",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_unneeded_object")),
    )
    op.create_table(
        "upload",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("offset_bytes", sa.BigInteger(), nullable=False),
        sa.Column("draft", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("video_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_upload")),
    )
    op.create_index(op.f("ix_upload_expires_at"), "upload", ["expires_at"], unique=False)
    op.create_table(
        "video",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("caption", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("sound_id", sa.BigInteger(), nullable=True),
        sa.Column("duration_ms", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("poster_object", sa.Text(), nullable=True),
        sa.Column("placeholder", sa.Text(), nullable=False),
        sa.Column("original_object", sa.Text(), nullable=True),
        sa.Column("original_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ladder_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_video")),
    )
    op.create_index(
        op.f("ix_video_account_id_video_id"), "video", ["account_id", "id"], unique=False
    )
    op.create_index(op.f("ix_video_published_at"), "video", ["published_at"], unique=False)
    op.create_index(op.f("ix_video_language_video_id"), "video", ["language", "id"], unique=False)
    op.create_index(op.f("ix_video_original_object"), "video", ["original_object"], unique=False)
    op.create_index(op.f("ix_video_poster_object"), "video", ["poster_object"], unique=False)
    op.create_table(
        "caption_track",
        sa.Column("video_id", sa.BigInteger(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["video_id"], ["video.id"], name=op.f("fk_caption_track_video_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("video_id", "language", name=op.f("pk_caption_track")),
    )
    op.create_table(
        "rendition",
        sa.Column("video_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("codecs", sa.Text(), nullable=False),
        sa.Column("bitrate_bps", sa.BigInteger(), nullable=False),
        sa.Column("peak_bps", sa.BigInteger(), nullable=False),
        sa.Column("frame_rate", sa.Float(), nullable=False),
        sa.Column("init_length", sa.BigInteger(), nullable=False),
        sa.Column("segments", postgresql.JSONB(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["video_id"], ["video.id"], name=op.f("fk_rendition_video_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("video_id", "name", name=op.f("pk_rendition")),
    )
    op.create_index(op.f("ix_rendition_object"), "rendition", ["object"], unique=False)
    op.create_table(
        "video_hashtag",
        sa.Column("video_id", sa.BigInteger(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["video_id"], ["video.id"], name=op.f("fk_video_hashtag_video_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("video_id", "tag", name=op.f("pk_video_hashtag")),
    )
    op.create_index(
        op.f("ix_video_hashtag_tag_video_hashtag_video_id"),
        "video_hashtag",
        ["tag", "video_id"],
        unique=False,
    )


def _social() -> None:
    op.create_table(
        "block",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("blocked_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_block_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["blocked_id"], ["account.id"], name=op.f("fk_block_blocked_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "blocked_id", name=op.f("pk_block")),
    )
    op.create_index(
        op.f("ix_block_blocked_id_block_account_id"),
        "block",
        ["blocked_id", "account_id"],
        unique=False,
    )
    op.create_table(
        "comment",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("video_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_comment_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["video_id"], ["video.id"], name=op.f("fk_comment_video_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment")),
    )
    op.create_index(op.f("ix_comment_account_id"), "comment", ["account_id"], unique=False)
    op.create_index(
        op.f("ix_comment_video_id_comment_id"), "comment", ["video_id", "id"], unique=False
    )
    op.create_table(
        "follow",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("creator_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_follow_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["account.id"], name=op.f("fk_follow_creator_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "creator_id", name=op.f("pk_follow")),
    )
    op.create_index(
        op.f("ix_follow_creator_id_follow_account_id"),
        "follow",
        ["creator_id", "account_id"],
        unique=False,
    )
    op.create_table(
        "video_count",
        sa.Column("video_id", sa.BigInteger(), nullable=False),
        sa.Column("likes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("comments", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("views", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("completions", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("watched_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["video_id"], ["video.id"], name=op.f("fk_video_count_video_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("video_id", name=op.f("pk_video_count")),
    )
    op.create_table(
        "video_like",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("video_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_video_like_account_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["video_id"], ["video.id"], name=op.f("fk_video_like_video_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "video_id", name=op.f("pk_video_like")),
    )
    op.create_index(op.f("ix_video_like_video_id"), "video_like", ["video_id"], unique=False)


def _moderation() -> None:
    op.create_table(
        "report",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reporter_id", sa.BigInteger(), nullable=True),
        sa.Column("target_kind", sa.Text(), nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.LargeBinary(), nullable=False),
        sa.Column("contact", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
    )
    op.create_index(op.f("ix_report_reporter_id"), "report", ["reporter_id"], unique=False)
    op.create_index(op.f("ix_report_state_report_id"), "report", ["state", "id"], unique=False)


def _feed() -> None:
    op.create_table(
        "signal",
        sa.Column("viewer_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("video_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("watched_ms", sa.Integer(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("loops", sa.Integer(), nullable=False),
        sa.Column("long_view", sa.Boolean(), nullable=False),
        sa.Column("surface", sa.SmallInteger(), nullable=False),
        sa.Column("page_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("propensity", sa.Double(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("batch_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("viewer_id", "seq", "day", name=op.f("pk_signal")),
        postgresql_partition_by="RANGE (day)",
    )
    op.create_index(
        "ix_signal_forgettings",
        "signal",
        ["seq"],
        unique=False,
        postgresql_where=sa.text("kind IN (18, 19)"),
    )
    op.create_index(op.f("ix_signal_seq"), "signal", ["seq"], unique=False)
    op.create_index(
        op.f("ix_signal_subject"),
        "signal",
        ["subject"],
        unique=False,
        postgresql_where=sa.text("subject <> ''"),
    )
    op.create_table(
        "feed_settings",
        sa.Column("viewer_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("is_profiled", sa.Boolean(), nullable=True),
        sa.Column("newness", sa.Double(), server_default="0.5", nullable=False),
        sa.Column("variety", sa.Double(), server_default="0.5", nullable=False),
        sa.Column("following", sa.Double(), server_default="0.5", nullable=False),
        sa.Column("topics", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("languages", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("history_paused", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("viewer_id", name=op.f("pk_feed_settings")),
    )
    op.create_table(
        "hidden_subject",
        sa.Column("viewer_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("viewer_id", "kind", "subject", name=op.f("pk_hidden_subject")),
    )
    op.create_index(
        op.f("ix_hidden_subject_subject_hidden_subject_kind"),
        "hidden_subject",
        ["subject", "kind"],
        unique=False,
    )
    op.create_table(
        "ranker_snapshot",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ranker_snapshot")),
    )
