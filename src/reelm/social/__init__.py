"""What people do with each other's videos: follow, block, like, comment; and who sees what."""

from reelm.social.block import block, unblock
from reelm.social.cards import Card, Playable, card, cards, own_cards, videos_of
from reelm.social.comment import comment, delete_comment, edit_comment
from reelm.social.conversation import Remark, comments_under, remark
from reelm.social.follow import (
    FollowState,
    accept_all_requests,
    accept_request,
    follow,
    follow_state,
    refuse_request,
    unfollow,
)
from reelm.social.for_viewers import Asked, ForViewers
from reelm.social.kept_cards import Glance, glances
from reelm.social.like import Likes, like, likes_of, unlike
from reelm.social.people import (
    Person,
    Profile,
    account_at,
    blocked_accounts,
    follow_requests,
    profile,
)
from reelm.social.visibility import (
    Access,
    Relation,
    ViewerAccount,
    access_of,
    allows,
    lists,
    refuse_unwatchable,
    relation_of,
    require_watchable,
    visible_to,
    watchable_by,
    with_audience,
)

__all__ = [
    "Access",
    "Asked",
    "Card",
    "FollowState",
    "ForViewers",
    "Glance",
    "Likes",
    "Person",
    "Playable",
    "Profile",
    "Relation",
    "Remark",
    "ViewerAccount",
    "accept_all_requests",
    "accept_request",
    "access_of",
    "account_at",
    "allows",
    "block",
    "blocked_accounts",
    "card",
    "cards",
    "comment",
    "comments_under",
    "delete_comment",
    "edit_comment",
    "follow",
    "follow_requests",
    "follow_state",
    "glances",
    "like",
    "likes_of",
    "lists",
    "own_cards",
    "profile",
    "refuse_request",
    "refuse_unwatchable",
    "relation_of",
    "remark",
    "require_watchable",
    "unblock",
    "unfollow",
    "unlike",
    "videos_of",
    "visible_to",
    "watchable_by",
    "with_audience",
]
