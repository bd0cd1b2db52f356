"""Every URL of the service, with who may call it."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from reelm.foundation.errors import (
    Conflict,
    Forbidden,
    Gone,
    Missing,
    RateLimited,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from reelm.foundation.parts import Parts
from reelm.web.api import (
    accounts,
    audit,
    blocks,
    comments,
    feed,
    feed_settings,
    follows,
    hidden,
    history,
    likes,
    me,
    operations,
    orders,
    profiles,
    reasons,
    region,
    sessions,
    signals,
    transfer_room,
    transfers,
    transparency,
    uploads,
    videos,
    watches,
)
from reelm.web.endpoint import SIGNED_IN, Endpoint, Together, staying_open
from reelm.web.pages import audit as audit_pages
from reelm.web.pages import feed_control, gate, legal, own, sharing, watching
from reelm.web.pages import region as region_page
from reelm.web.pages import transfer as transfer_page
from reelm.web.pages import transparency as transparency_pages
from reelm.web.routes_staff import STAFF_ROUTES

HTML = "text/html"
MAX_AVATAR_BYTES = 10 << 20
IMAGES = ("image/jpeg", "image/png", "image/webp")
# Wrong credentials or none, and too many tries.
WRONG = (Unauthenticated, RateLimited)

# The token of the data room is wrong, or opens nothing now.
ROOM_ERRORS = (*WRONG, Forbidden, Gone)

# What answers also while the whole service is withheld: who runs it and what the law asks, signing
# in, taking along and erasing what is one's own, and the authorities' channel.
OPEN_API = (
    Endpoint("GET", "/api/region", region.read_region, errors=(Unavailable,)),
    Endpoint("GET", "/api/transparency", transparency.list_periods),
    Endpoint("GET", "/api/transparency/{period}", transparency.read_report, errors=(Missing,)),
    Endpoint(
        "GET", "/api/transparency/{period}/csv", transparency.read_sheet, produces="text/csv",
        errors=(Missing,),
    ),
    Endpoint("GET", "/api/openapi.json", operations.openapi),
    # The audit log, open to anyone
    Endpoint(
        "GET", "/api/audit/checkpoint", audit.checkpoint, produces="text/plain", errors=(Missing,)
    ),
    Endpoint("GET", "/api/audit/checkpoints", audit.list_checkpoints),
    Endpoint("GET", "/api/audit/entries", audit.list_entries),
    Endpoint("GET", "/api/audit/proof/inclusion", audit.prove_inclusion),
    Endpoint("GET", "/api/audit/proof/consistency", audit.prove_consistency),
    # One's own account and data
    Endpoint("POST", "/api/sessions", sessions.sign_in, status=201, errors=WRONG),
    Endpoint(
        "POST", "/api/sessions/recovery", sessions.recover, status=201, errors=WRONG
    ),
    Endpoint("GET", "/api/sessions", sessions.list_sessions, access=SIGNED_IN),
    Endpoint("DELETE", "/api/sessions/current", sessions.sign_out, access=SIGNED_IN),
    Endpoint("DELETE", "/api/sessions/{session_id}", sessions.end_session, access=SIGNED_IN),
    Endpoint("GET", "/api/me", me.me, access=SIGNED_IN),
    Endpoint("DELETE", "/api/me", me.erase_me, access=SIGNED_IN, errors=(Conflict, RateLimited)),
    Endpoint("DELETE", "/api/me/avatar", me.delete_avatar, access=SIGNED_IN),
    Endpoint("PUT", "/api/me/password", me.put_password, access=SIGNED_IN, errors=(RateLimited,)),
    Endpoint(
        "POST", "/api/me/recovery-codes", me.make_recovery_codes, access=SIGNED_IN,
        status=201, errors=(RateLimited,),
    ),
    Endpoint(
        "GET", "/api/me/export", me.export_me, access=SIGNED_IN,
        produces="application/zip", errors=(RateLimited,),
    ),
    Endpoint("GET", "/api/feed/model", reasons.model, errors=(Unavailable,), is_for_reading=True),
    Endpoint("POST", "/api/feed/reset", history.reset, errors=(Unavailable,)),
    Endpoint("DELETE", "/api/me/history", history.forget_history, errors=(Unavailable,)),
    Endpoint(
        "DELETE", "/api/me/history/{video_id}", history.forget_watched, errors=(Unavailable,)
    ),
    Endpoint(
        "DELETE", "/api/videos/{video_id}", videos.delete_video, access=SIGNED_IN, errors=(Missing,)
    ),
    Endpoint(
        "DELETE", "/api/comments/{comment_id}", comments.delete_comment, access=SIGNED_IN,
        errors=(Forbidden, Missing),
    ),
    # The authorities' channel
    Endpoint("GET", "/api/authorities", orders.list_authorities),
    Endpoint(
        "POST", "/api/orders", orders.submit_order, status=201,
        accepts=("application/json",), errors=(Conflict, Missing, RateLimited), is_urgent=True,
    ),
    Endpoint("GET", "/api/orders/{document_digest}", orders.order_status, errors=(Missing,)),
    # The sale of the region
    Endpoint("GET", "/api/transfers", transfers.list_transfers, errors=(Unavailable,)),
    Endpoint(
        "POST", "/api/transfers/statements", transfers.submit_statement, status=201,
        is_urgent=True, accepts=("application/json",),
        errors=(Conflict, Missing, RateLimited, Unavailable),
    ),
    Endpoint("GET", "/api/transfers/room", transfer_room.list_documents, errors=ROOM_ERRORS),
    Endpoint(
        "GET", "/api/transfers/room/{document}", transfer_room.read_document,
        errors=(*ROOM_ERRORS, Missing, Unavailable),
    ),
)  # fmt: skip

OPEN_PAGES = (
    Endpoint("GET", "/sign-in", gate.sign_in_form, produces=HTML),
    Endpoint("POST", "/sign-in", gate.sign_in, produces=HTML),
    Endpoint("GET", "/recover", gate.recover_form, produces=HTML),
    Endpoint("POST", "/recover", gate.recover, produces=HTML),
    Endpoint("POST", "/sign-out", gate.sign_out, produces=HTML),
    Endpoint("GET", "/settings", own.settings, produces=HTML),
    Endpoint("GET", "/how-the-feed-works", feed_control.how_it_works, produces=HTML),
    Endpoint("GET", "/api", legal.api, produces=HTML),
    Endpoint("GET", "/region", region_page.region, produces=HTML),
    Endpoint("GET", "/transfer", transfer_page.transfer, produces=HTML),
    Endpoint("GET", "/transparency", transparency_pages.months, produces=HTML),
    Endpoint("GET", "/transparency/{period}", transparency_pages.report, produces=HTML),
    Endpoint("GET", region.SECURITY_TXT, region.security_txt, produces="text/plain"),
    Endpoint("GET", "/audit", audit_pages.log, produces=HTML),
    Endpoint("GET", "/audit/log.jsonl", audit_pages.download, produces="application/jsonl"),
    Endpoint("GET", "/terms", legal.terms, produces=HTML),
    Endpoint("GET", "/privacy", legal.privacy, produces=HTML),
)

SERVICE_API = (
    Endpoint(
        "POST", "/api/accounts", accounts.sign_up, status=201,
        errors=(Forbidden, Conflict, RateLimited),
    ),
    Endpoint("PATCH", "/api/me", me.edit_me, access=SIGNED_IN),
    Endpoint(
        "PUT", "/api/me/avatar", me.put_avatar, access=SIGNED_IN,
        max_body_bytes=MAX_AVATAR_BYTES, accepts=IMAGES,
    ),
    # The feed and what people do
    Endpoint(
        "GET", "/api/feed", feed.feed, errors=(*WRONG, Unavailable),
        together=Together(feed.feed_together, feed.is_for_you),
    ),
    Endpoint("GET", "/api/feed/settings", feed_settings.read_settings),
    Endpoint("PATCH", "/api/feed/settings", feed_settings.edit_settings, errors=(Forbidden,)),
    Endpoint("GET", "/api/feed/topics", feed_settings.list_topics),
    Endpoint("GET", "/api/feed/weights", reasons.weights),
    Endpoint("GET", "/api/feed/hidden", hidden.list_hidden),
    Endpoint(
        "POST", "/api/feed/hidden", hidden.hide, status=201,
        errors=(Forbidden, Missing, Conflict, Unavailable),
    ),
    Endpoint(
        "DELETE", "/api/feed/hidden/{kind}/{subject}", hidden.show_again, errors=(Unavailable,)
    ),
    Endpoint("GET", "/api/me/history", history.read_history),
    Endpoint(
        "POST", "/api/signals", signals.record_signals, errors=(Unavailable,),
        accepts=("application/json", "text/plain"),
    ),
    Endpoint("GET", "/api/videos/{video_id}/why", reasons.why, errors=(Missing, Unavailable)),
    Endpoint(
        "POST", "/api/watches", watches.record_watches,
        errors=(TooLarge, RateLimited, Unavailable),
        accepts=("application/json", "text/plain"),
        together=Together(watches.record_together),
    ),
    Endpoint("GET", "/api/videos/{video_id}", videos.video, errors=(Missing,)),
    Endpoint(
        "PATCH", "/api/videos/{video_id}", videos.edit_video, access=SIGNED_IN, errors=(Missing,)
    ),
    Endpoint(
        "PUT", "/api/videos/{video_id}/captions/{language}", videos.put_captions, access=SIGNED_IN,
        max_body_bytes=1 << 20, accepts=("text/vtt",), errors=(Missing, Conflict, TooLarge),
    ),
    Endpoint(
        "DELETE", "/api/videos/{video_id}/captions/{language}", videos.delete_captions,
        access=SIGNED_IN, errors=(Missing,),
    ),
    Endpoint("GET", "/api/me/videos", videos.my_videos, access=SIGNED_IN),
    Endpoint("GET", "/api/me/uploads", videos.my_uploads, access=SIGNED_IN),
    Endpoint(
        "POST", "/api/videos/{video_id}/like", likes.like, access=SIGNED_IN, errors=(Missing,)
    ),
    Endpoint(
        "DELETE", "/api/videos/{video_id}/like", likes.unlike, access=SIGNED_IN, errors=(Missing,)
    ),
    Endpoint("GET", "/api/videos/{video_id}/comments", comments.comments, errors=(Missing,)),
    Endpoint(
        "POST", "/api/videos/{video_id}/comments", comments.comment, access=SIGNED_IN,
        status=201, errors=(Missing, RateLimited),
    ),
    Endpoint(
        "PATCH", "/api/comments/{comment_id}", comments.edit_comment, access=SIGNED_IN,
        errors=(Forbidden, Missing),
    ),
    Endpoint("GET", "/api/accounts/{handle}", profiles.profile, errors=(Missing,)),
    Endpoint("GET", "/api/accounts/{handle}/videos", profiles.profile_videos, errors=(Missing,)),
    Endpoint(
        "POST", "/api/accounts/{handle}/follow", follows.follow, access=SIGNED_IN,
        errors=(Conflict, Missing),
    ),
    Endpoint(
        "DELETE", "/api/accounts/{handle}/follow", follows.unfollow, access=SIGNED_IN,
        errors=(Missing,),
    ),
    Endpoint(
        "POST", "/api/accounts/{handle}/block", blocks.block, access=SIGNED_IN, errors=(Missing,)
    ),
    Endpoint(
        "DELETE", "/api/accounts/{handle}/block", blocks.unblock, access=SIGNED_IN,
        errors=(Missing,),
    ),
    Endpoint("GET", "/api/me/blocks", blocks.blocked_accounts, access=SIGNED_IN),
    Endpoint("DELETE", "/api/me/blocks/{account_id}", blocks.unblock_listed, access=SIGNED_IN),
    Endpoint("GET", "/api/me/follow-requests", follows.follow_requests, access=SIGNED_IN),
    Endpoint(
        "POST", "/api/me/follow-requests/{account_id}/acceptance", follows.accept_request,
        access=SIGNED_IN, errors=(Missing,),
    ),
    Endpoint(
        "DELETE", "/api/me/follow-requests/{account_id}", follows.refuse_request,
        access=SIGNED_IN, errors=(Missing,),
    ),
)  # fmt: skip

SERVICE_PAGES = (
    Endpoint("GET", "/sign-up", gate.sign_up_form, produces=HTML),
    Endpoint("POST", "/sign-up", gate.sign_up, produces=HTML),
    Endpoint("GET", "/", watching.feed, produces=HTML),
    Endpoint("GET", "/@{handle}", watching.profile, produces=HTML),
    Endpoint("GET", "/@{handle}/{video_id}", watching.video, produces=HTML),
    Endpoint("GET", "/oembed", sharing.oembed),
    Endpoint("GET", "/upload", own.upload, produces=HTML),
    Endpoint("GET", "/me/videos", own.my_videos, produces=HTML),
    Endpoint("GET", "/settings/feed", feed_control.settings, produces=HTML),
    Endpoint("GET", "/history", feed_control.history, produces=HTML),
)

OPERATIONS = (
    Endpoint("GET", "/healthz", operations.healthz),
    Endpoint("GET", "/metrics", operations.metrics_text, produces="text/plain"),
)

Handler = Callable[[Parts, Request], Awaitable[Response]]
# Handlers that speak a protocol of their own: (path, methods, handler).
RAW_ROUTES: tuple[tuple[str, tuple[str, ...], Handler], ...] = (
    ("/api/uploads", ("OPTIONS", "POST"), uploads.uploads),
    ("/api/uploads/{upload_id}", ("OPTIONS", "HEAD", "PATCH", "DELETE", "POST"), uploads.upload),
)

ENDPOINTS: tuple[Endpoint, ...] = (
    *staying_open(*OPEN_API, *OPEN_PAGES, *STAFF_ROUTES, *OPERATIONS),
    *SERVICE_API,
    *SERVICE_PAGES,
)
