"""The sale of the region: what is sold, who has to agree, and where it stands."""

from reelm.transfer import models, move, room
from reelm.transfer.abort import abort
from reelm.transfer.announce import (
    Announced,
    Announcement,
    announce,
    announced,
    announced_of,
    refuse_before_notice_ends,
)
from reelm.transfer.approve import Lack, Position, check_approvals, refuse_unless_approved
from reelm.transfer.current import KnownTransfer, newest_transfer, open_transfer, transfers
from reelm.transfer.former_model import FormerModel, former_model
from reelm.transfer.news import News, news, words
from reelm.transfer.page import markdown
from reelm.transfer.propose import Proposal, propose
from reelm.transfer.scope import RULES
from reelm.transfer.sign import Said, add_signature, sign_scope
from reelm.transfer.status import Status, status, status_of
from reelm.transfer.stay import refuse_if_stayed
from reelm.transfer.submit import TakenStatement, submit_statement
from reelm.transfer.technology import Choices
from reelm.transfer.transition import (
    Grant,
    end_grants,
    grant_access,
    grants,
    live_grants,
    note_use,
    revoke_grant,
)

__all__ = [
    "RULES",
    "Announced",
    "Announcement",
    "Choices",
    "FormerModel",
    "Grant",
    "KnownTransfer",
    "Lack",
    "News",
    "Position",
    "Proposal",
    "Said",
    "Status",
    "TakenStatement",
    "abort",
    "add_signature",
    "announce",
    "announced",
    "announced_of",
    "check_approvals",
    "end_grants",
    "former_model",
    "grant_access",
    "grants",
    "live_grants",
    "markdown",
    "models",
    "move",
    "newest_transfer",
    "news",
    "note_use",
    "open_transfer",
    "propose",
    "refuse_before_notice_ends",
    "refuse_if_stayed",
    "refuse_unless_approved",
    "revoke_grant",
    "room",
    "sign_scope",
    "status",
    "status_of",
    "submit_statement",
    "transfers",
    "words",
]
