"""Pages: Jinja templates with what every page needs."""

from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from reelm import regions
from reelm.accounts import Power, may
from reelm.foundation.config import Settings
from reelm.foundation.parts import Parts
from reelm.web import static
from reelm.web.errors import Problem
from reelm.web.viewer import Viewer


class Form(dict[str, str]):
    """The fields of a plain form that a page posted."""


def page(
    request: Request, viewer: Viewer | None, template: str, status: int = 200, **variables: Any
) -> Response:
    """Render a template; structs among the variables are given as the JSON of the API.

    Args:
        request: the request that is answered.
        viewer: who asks; None where that is not known, on error pages.
        template: name of the template.
        status: HTTP status.
        variables: what the template's first comment names.
    """
    settings = request.app.state.parts.settings
    shown = {name: msgspec.to_builtins(value) for name, value in variables.items()}
    html = (
        _environment()
        .get_template(template)
        .render(
            viewer=_viewer(viewer, getattr(request.state, "unread", 0)),
            news=msgspec.to_builtins(getattr(request.state, "news", None)),
            region=_region(settings),
            asset=static.url,
            import_map_json=static.import_map(),
            path=request.url.path,
            save_data=saves_data(request),
            lang="en",
            **shown,
        )
    )
    return HTMLResponse(html, status, {"cache-control": "no-store", "vary": "Cookie"})


def part(template: str, **variables: Any) -> str:
    """Render a piece of a page that does not depend on the request."""
    return _environment().get_template(template).render(**variables)


def error_page(request: Request, problem: Problem) -> Response:
    """Render an error for a person."""
    if problem.withheld_by:
        return page(
            request,
            None,
            "withheld.html",
            problem.status,
            detail=problem.detail,
            withheld_by=problem.withheld_by,
        )
    return page(
        request,
        None,
        "error.html",
        problem.status,
        status_code=problem.status,
        title=problem.title,
        detail=problem.detail,
    )


def saves_data(request: Request) -> bool:
    """Whether the viewer asked for little data, by header or by the setting's cookie."""
    return request.headers.get("save-data") == "on" or request.cookies.get("reelm_saver") == "1"


def origin(request: Request, parts: Parts) -> str:
    """Return the address of the service, as people see it, without a slash at the end."""
    configured = parts.settings.http.public_url.rstrip("/")
    return configured or f"{request.url.scheme}://{request.url.netloc}"


def _viewer(viewer: Viewer | None, unread: int) -> dict[str, Any] | None:
    if viewer is None or viewer.account_id is None:
        return None
    return {
        "id": str(viewer.account_id),
        "handle": viewer.handle,
        "is_staff": viewer.is_staff,
        "powers": [power.name for power in Power if may(viewer.role, power)],
        "console": viewer.console,
        "unread": unread,
    }


def _region(settings: Settings) -> dict[str, Any]:
    facts = regions.region_facts(settings)
    return {
        "name": facts.name,
        "operator": facts.operator,
        "jurisdiction": facts.jurisdiction,
        "country": regions.load_pack(facts.jurisdiction).name,
        "minimum_age": facts.minimum_age,
        "terms_version": facts.terms_version,
        "max_upload_bytes": facts.upload.max_bytes,
        "max_duration_s": facts.upload.max_duration_s,
    }


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(default=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
