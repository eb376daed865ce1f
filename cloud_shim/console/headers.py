"""The headers that keep a page to itself: what it may load, run and be shown in.

The nonce admits the one style element that CodeMirror makes; no page has a style or script of its own inline.
"""

import secrets


def new_nonce() -> str:
    """A nonce for one page (Content Security Policy Level 3 asks for at least 128 bits)."""
    return secrets.token_urlsafe(18)


def page_headers(nonce: str) -> dict[str, str]:
    """The headers of a page whose style elements carry `nonce`."""
    policy = {
        "default-src": "'self'",
        "style-src": f"'self' 'nonce-{nonce}'",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
