"""The URLs of the staff, each with the power that it needs, and those of who complains to them."""

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from reelm.accounts import Power
from reelm.foundation.errors import Conflict, Forbidden, Missing, RateLimited, ReelmError
from reelm.web.api import (
    disclosures,
    grievances,
    jobs,
    notices,
    reports,
    staff,
    staff_decisions,
    staff_second_factor,
)
from reelm.web.endpoint import SIGNED_IN, STAFF, Endpoint
from reelm.web.pages import console, console_authorities, console_orders, gate, reporting
from reelm.web.pages import staff as staff_pages
from reelm.web.pages import staff_second_factor as second_factor_pages

HTML = "text/html"


def _api(
    method: str,
    path: str,
    run: Callable[..., Any],
    power: Power,
    *errors: type[ReelmError],
    status: int = 200,
) -> Endpoint:
    return Endpoint(method, path, run, STAFF, power, status, errors)


def _page(method: str, path: str, run: Callable[..., Response], power: Power) -> Endpoint:
    return Endpoint(method, path, run, STAFF, power, produces=HTML)


COMPLAINTS_API = (
    Endpoint(
        "POST", "/api/reports", reports.send_report, status=201, errors=(Missing, RateLimited)
    ),
    Endpoint(
        "POST", "/api/objections", reports.send_objection, status=201, errors=(RateLimited,)
    ),
    Endpoint(
        "POST", "/api/grievances/{grievance_id}", reports.follow_grievance,
        errors=(Missing, RateLimited),
    ),
    Endpoint("GET", "/api/me/grievances", reports.my_grievances, access=SIGNED_IN),
    Endpoint(
        "GET", "/api/me/decisions/{decision_id}", staff_decisions.my_decision,
        access=SIGNED_IN, errors=(Missing,),
    ),
    Endpoint("GET", "/api/me/notices", notices.list_notices, access=SIGNED_IN),
    Endpoint(
        "PUT", "/api/me/notices/{notice_id}/read", notices.mark_read,
        access=SIGNED_IN, errors=(Missing,),
    ),
)  # fmt: skip

COMPLAINTS_PAGES = (
    Endpoint("GET", "/report", reporting.form, produces=HTML),
    Endpoint("POST", "/report", reporting.send, produces=HTML),
    Endpoint("GET", "/objection", reporting.objection_form, produces=HTML),
    Endpoint("POST", "/objection", reporting.object_to, produces=HTML),
    Endpoint("GET", "/grievances/{grievance_id}", reporting.follow_form, produces=HTML),
    Endpoint("POST", "/grievances/{grievance_id}", reporting.follow, produces=HTML),
    Endpoint("GET", "/notices", reporting.notices, produces=HTML),
    Endpoint("POST", "/notices/read", reporting.read_notices, access=SIGNED_IN, produces=HTML),
    Endpoint(
        "GET", "/decisions/{decision_id}", reporting.statement, access=SIGNED_IN, produces=HTML
    ),
)

SECOND_FACTOR = (
    Endpoint("GET", "/api/me/second-factor", staff_second_factor.second_factor, access=SIGNED_IN),
    Endpoint(
        "POST", "/api/me/second-factor", staff_second_factor.begin, access=SIGNED_IN, status=201,
        errors=(Forbidden, Conflict, RateLimited),
    ),
    Endpoint(
        "DELETE", "/api/me/second-factor", staff_second_factor.end, access=SIGNED_IN,
        errors=(Forbidden, RateLimited),
    ),
    Endpoint(
        "POST", "/api/me/second-factor/confirmation", staff_second_factor.confirm,
        access=SIGNED_IN, errors=(Forbidden, Missing, Conflict, RateLimited),
    ),
    Endpoint("GET", "/sign-in/code", gate.code_form, produces=HTML),
    Endpoint("POST", "/sign-in/code", gate.give_code, produces=HTML),
    Endpoint("GET", "/two-factor", second_factor_pages.show, produces=HTML),
    Endpoint("POST", "/two-factor", second_factor_pages.begin, access=SIGNED_IN, produces=HTML),
    Endpoint(
        "POST", "/two-factor/code", second_factor_pages.confirm, access=SIGNED_IN, produces=HTML
    ),
    Endpoint("POST", "/two-factor/end", second_factor_pages.end, access=SIGNED_IN, produces=HTML),
)  # fmt: skip

STAFF_API = (
    _api("GET", "/api/staff/jobs", jobs.jobs, Power.SEE_JOBS),
    _api("POST", "/api/staff/purposes", staff.say_purpose, Power.SEE_CONSOLE, status=201),
    _api("GET", "/api/staff/accounts", staff.list_staff, Power.KEEP_STAFF),
    _api(
        "PUT", "/api/staff/accounts/{handle}/role", staff.put_role, Power.KEEP_STAFF, Conflict
    ),
    _api(
        "DELETE", "/api/staff/accounts/{handle}/second-factor", staff.end_second_factor,
        Power.KEEP_STAFF, Conflict,
    ),
    _api("GET", "/api/staff/access-log", staff.access_log, Power.READ_ACCESS_LOG, Missing),
    _api("GET", "/api/staff/grievances", grievances.list_grievances, Power.HANDLE_GRIEVANCES),
    _api(
        "GET", "/api/staff/grievances/{grievance_id}", grievances.open_grievance,
        Power.HANDLE_GRIEVANCES,
    ),
    _api(
        "POST", "/api/staff/grievances/{grievance_id}/acknowledgement", grievances.acknowledge,
        Power.HANDLE_GRIEVANCES, Conflict,
    ),
    _api(
        "POST", "/api/staff/grievances/{grievance_id}/resolution", grievances.resolve,
        Power.HANDLE_GRIEVANCES, Conflict,
    ),
    _api(
        "GET", "/api/staff/orders/{order_id}/disclosure", disclosures.disclosure,
        Power.HANDLE_ORDERS, Missing,
    ),
    Endpoint(
        "POST", "/api/staff/orders/{order_id}/disclosure/{account_id}", disclosures.release,
        STAFF, Power.HANDLE_ORDERS, errors=(Missing, Conflict),
        produces="application/octet-stream",
    ),
    _api("GET", "/api/staff/decisions", staff_decisions.list_decisions, Power.DECIDE),
    _api(
        "POST", "/api/staff/decisions", staff_decisions.decide, Power.DECIDE, Missing, Conflict,
        status=201,
    ),
    _api("GET", "/api/staff/decisions/{decision_id}", staff_decisions.open_decision, Power.DECIDE),
    _api(
        "POST", "/api/staff/decisions/{decision_id}/reversal", staff_decisions.reverse,
        Power.DECIDE, Conflict,
    ),
)  # fmt: skip

STAFF_PAGES = (
    _page("GET", "/jobs", staff_pages.jobs, Power.SEE_JOBS),
    _page("GET", "/console", console.overview, Power.SEE_CONSOLE),
    _page("GET", "/console/grievances", console.grievances, Power.HANDLE_GRIEVANCES),
    _page("GET", "/console/grievances/{grievance_id}", console.grievance, Power.HANDLE_GRIEVANCES),
    _page(
        "POST", "/console/grievances/{grievance_id}/acknowledgement", console.acknowledge,
        Power.HANDLE_GRIEVANCES,
    ),
    _page(
        "POST", "/console/grievances/{grievance_id}/resolution", console.resolve,
        Power.HANDLE_GRIEVANCES,
    ),
    _page("GET", "/console/decisions", console.decisions, Power.DECIDE),
    _page("GET", "/console/decisions/new", console.decision_form, Power.DECIDE),
    _page("POST", "/console/decisions", console.decide, Power.DECIDE),
    _page("GET", "/console/decisions/{decision_id}", console.decision, Power.DECIDE),
    _page("POST", "/console/decisions/{decision_id}/reversal", console.reverse, Power.DECIDE),
    _page("GET", "/console/orders", console_orders.list_orders, Power.SEE_ORDERS),
    _page("POST", "/console/orders", console_orders.enter, Power.HANDLE_ORDERS),
    _page("GET", "/console/orders/paper", console_orders.paper_form, Power.HANDLE_ORDERS),
    _page("GET", "/console/orders/{order_id}", console_orders.order, Power.SEE_ORDERS),
    _page("POST", "/console/orders/{order_id}/check", console_orders.check, Power.HANDLE_ORDERS),
    _page("GET", "/console/channel", console_orders.channel, Power.USE_AUTHORITY_CHANNEL),
    _page("POST", "/console/channel", console_orders.hand_in, Power.USE_AUTHORITY_CHANNEL),
    _page("GET", "/console/authorities", console_authorities.show, Power.SEE_ORDERS),
    _page(
        "POST", "/console/authorities", console_authorities.add, Power.KEEP_AUTHORITIES
    ),
    _page(
        "POST", "/console/authorities/{authority_id}", console_authorities.change,
        Power.KEEP_AUTHORITIES,
    ),
    _page(
        "POST", "/console/authorities/{authority_id}/end", console_authorities.end,
        Power.KEEP_AUTHORITIES,
    ),
    _page(
        "POST", "/console/authorities/{authority_id}/recipient", console_authorities.set_recipient,
        Power.KEEP_AUTHORITIES,
    ),
    _page(
        "POST", "/console/authorities/{authority_id}/keys", console_authorities.add_key,
        Power.KEEP_AUTHORITIES,
    ),
    _page(
        "POST", "/console/authorities/{authority_id}/keys/revocation",
        console_authorities.revoke_key, Power.KEEP_AUTHORITIES,
    ),
    _page("GET", "/console/staff", staff_pages.people, Power.KEEP_STAFF),
    _page("POST", "/console/staff", staff_pages.set_role, Power.KEEP_STAFF),
    _page(
        "POST", "/console/staff/second-factor-end", staff_pages.end_second_factor, Power.KEEP_STAFF
    ),
    _page("GET", "/staff/purpose", staff_pages.purpose_form, Power.SEE_CONSOLE),
    _page("POST", "/staff/purpose", staff_pages.say_purpose, Power.SEE_CONSOLE),
    _page("GET", "/staff/access-log", staff_pages.access_log, Power.READ_ACCESS_LOG),
)  # fmt: skip

STAFF_ROUTES = (*COMPLAINTS_API, *COMPLAINTS_PAGES, *SECOND_FACTOR, *STAFF_API, *STAFF_PAGES)
