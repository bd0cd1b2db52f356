"""What each response says to the browser, and which requests another site may not send.

Cross-site requests are told by Sec-Fetch-Site, then by Origin against Host; a client that sends
neither is no browser and carries no ambient cookie (OWASP CSRF cheat sheet, Fetch Metadata).
"""

import base64
import hashlib
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from reelm.foundation.errors import Forbidden

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def check_same_site(method: str, headers: Headers) -> None:
    """Refuse a state-changing request that another site makes.

    Raises:
        Forbidden: it comes from another site.
    """
    if method in SAFE_METHODS:
        return
    site = headers.get("sec-fetch-site")
    if site is not None:
        if site in {"same-origin", "none"}:
            return
    else:
        origin = headers.get("origin")
        if origin is None or urlsplit(origin).netloc == headers.get("host"):
            return
    raise Forbidden("This request was sent by another site.")


def response_headers(import_map: str) -> Mapping[str, str]:
    """Return the headers that every response outside /media carries.

    Args:
        import_map: the inline import map of the pages, allowed by its hash.
    """
    digest = base64.b64encode(hashlib.sha256(import_map.encode()).digest()).decode()
    policy = {
        "default-src": "'none'",
        "script-src": f"'self' 'sha256-{digest}'",
        "style-src": "'self'",
        "img-src": "'self' data: blob:",
        "media-src": "'self' blob:",
        "connect-src": "'self'",
        "font-src": "'self'",
        "manifest-src": "'self'",
        "worker-src": "'self' blob:",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    return {
        "content-security-policy": "; ".join(f"{k} {v}" for k, v in policy.items()),
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "permissions-policy": "geolocation=(), microphone=(), payment=()",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
