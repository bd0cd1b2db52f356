"""Accounts: sign up, sign in, sessions, profile, sealed personal data, export and erasure."""

from reelm.accounts.access_log import Reading, readings
from reelm.accounts.age import age_of
from reelm.accounts.copies_kept import KeptCopy, open_preserved, preserved_copies
from reelm.accounts.disclosure import (
    Disclosure,
    Package,
    disclosure,
    open_disclosure,
    release_disclosure,
)
from reelm.accounts.erase import ErasureBegun, erase_account, finish_erasure, resume_erasures
from reelm.accounts.events import AccountErased
from reelm.accounts.export import export_account
from reelm.accounts.handles import account_named, account_of, check_handle, handle_key
from reelm.accounts.keys import DataKey, data_key, derived_key, destroy_key, key_owner, make_key
from reelm.accounts.my_account import MyAccount, my_account
from reelm.accounts.powers import MAY, ROLES, Power, may, require
from reelm.accounts.preservation_key import preservation_recipient
from reelm.accounts.profile import (
    ProfileEdit,
    avatar_object,
    avatar_url,
    check_language,
    edit_profile,
    handle_of,
    set_avatar,
)
from reelm.accounts.rate import (
    COMMENT_ACCOUNT,
    EXPORT_ACCOUNT,
    GRIEVANCE_ADDRESS,
    ORDER_ADDRESS,
    REPORT_ACCOUNT,
    REPORT_ADDRESS,
    Limit,
    address_group,
    count_try,
)
from reelm.accounts.recovery import codes_left, recover, renew_codes
from reelm.accounts.reset import reset_account
from reelm.accounts.rotate import rotate_region_key
from reelm.accounts.sessions import (
    ListedSession,
    NewSession,
    SignedInAccount,
    awaiting_account,
    begin_session,
    list_sessions,
    revoke_session,
    revoke_sessions,
    viewer_of,
    viewers_of,
)
from reelm.accounts.sign_in import change_password, confirm_password, sign_in
from reelm.accounts.sign_up import NewAccount, SignedUp, ensure_account, sign_up
from reelm.accounts.staff import ListedStaff, NewStaff, list_staff, make_staff, set_role
from reelm.accounts.staff_reading import (
    PURPOSES,
    Reader,
    StandingPurpose,
    log_read,
    purpose_note,
    say_purpose,
    standing_purpose,
)
from reelm.accounts.two_factor import (
    Enrolment,
    begin_enrolment,
    begun_enrolment,
    check_code,
    end_own_second_factor,
    end_second_factor,
    finish_enrolment,
    forget_second_factor,
    second_factor_state,
)
from reelm.accounts.wording import one_line, paragraphs

__all__ = [
    "COMMENT_ACCOUNT",
    "EXPORT_ACCOUNT",
    "GRIEVANCE_ADDRESS",
    "MAY",
    "ORDER_ADDRESS",
    "PURPOSES",
    "REPORT_ACCOUNT",
    "REPORT_ADDRESS",
    "ROLES",
    "AccountErased",
    "DataKey",
    "Disclosure",
    "Enrolment",
    "ErasureBegun",
    "KeptCopy",
    "Limit",
    "ListedSession",
    "ListedStaff",
    "MyAccount",
    "NewAccount",
    "NewSession",
    "NewStaff",
    "Package",
    "Power",
    "ProfileEdit",
    "Reader",
    "Reading",
    "SignedInAccount",
    "SignedUp",
    "StandingPurpose",
    "account_named",
    "account_of",
    "address_group",
    "age_of",
    "avatar_object",
    "avatar_url",
    "awaiting_account",
    "begin_enrolment",
    "begin_session",
    "begun_enrolment",
    "change_password",
    "check_code",
    "check_handle",
    "check_language",
    "codes_left",
    "confirm_password",
    "count_try",
    "data_key",
    "derived_key",
    "destroy_key",
    "disclosure",
    "edit_profile",
    "end_own_second_factor",
    "end_second_factor",
    "ensure_account",
    "erase_account",
    "export_account",
    "finish_enrolment",
    "finish_erasure",
    "forget_second_factor",
    "handle_key",
    "handle_of",
    "key_owner",
    "list_sessions",
    "list_staff",
    "log_read",
    "make_key",
    "make_staff",
    "may",
    "my_account",
    "one_line",
    "open_disclosure",
    "open_preserved",
    "paragraphs",
    "preservation_recipient",
    "preserved_copies",
    "purpose_note",
    "readings",
    "recover",
    "release_disclosure",
    "renew_codes",
    "require",
    "reset_account",
    "resume_erasures",
    "revoke_session",
    "revoke_sessions",
    "rotate_region_key",
    "say_purpose",
    "second_factor_state",
    "set_avatar",
    "set_role",
    "sign_in",
    "sign_up",
    "standing_purpose",
    "viewer_of",
    "viewers_of",
]
