"""Grievances and their deadlines, decisions of the staff, and notices to people."""

from reelm.moderation.affected import tell_affected, tell_ended
from reelm.moderation.answer import Outcome, acknowledge, resolve
from reelm.moderation.decide import DecisionKind, Ground, NewDecision, decide, reverse
from reelm.moderation.decisions import (
    ListedDecision,
    OpenedDecision,
    StatementOfReasons,
    list_decisions,
    my_decision,
    open_decision,
)
from reelm.moderation.follow import FollowedGrievance, follow_grievance, my_grievances
from reelm.moderation.legal_orders import check_order, enter_order, submit_order
from reelm.moderation.notices import (
    ReadNotice,
    ToEverybody,
    mark_all_read,
    mark_read,
    my_notices,
    tell,
    unread,
)
from reelm.moderation.order_file import OrderFile, open_order
from reelm.moderation.reading import (
    PAGE,
    GrievancePage,
    ListedGrievance,
    OpenedGrievance,
    State,
    Waiting,
    list_grievances,
    open_grievance,
    waiting,
)
from reelm.moderation.receive import (
    Kind,
    NewGrievance,
    Reason,
    Receipt,
    TargetKind,
    receive_grievance,
)
from reelm.moderation.targets import Target, has_withheld

__all__ = [
    "PAGE",
    "DecisionKind",
    "FollowedGrievance",
    "GrievancePage",
    "Ground",
    "Kind",
    "ListedDecision",
    "ListedGrievance",
    "NewDecision",
    "NewGrievance",
    "OpenedDecision",
    "OpenedGrievance",
    "OrderFile",
    "Outcome",
    "ReadNotice",
    "Reason",
    "Receipt",
    "State",
    "StatementOfReasons",
    "Target",
    "TargetKind",
    "ToEverybody",
    "Waiting",
    "acknowledge",
    "check_order",
    "decide",
    "enter_order",
    "follow_grievance",
    "has_withheld",
    "list_decisions",
    "list_grievances",
    "mark_all_read",
    "mark_read",
    "my_decision",
    "my_grievances",
    "my_notices",
    "open_decision",
    "open_grievance",
    "open_order",
    "receive_grievance",
    "resolve",
    "reverse",
    "submit_order",
    "tell",
    "tell_affected",
    "tell_ended",
    "unread",
    "waiting",
]
