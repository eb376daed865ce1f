"""The headers that keep a page to itself: the sources it may load and run, and the frames it may be shown in.

The nonce admits the one style element made by CodeMirror. The pages' own styles and scripts are all in files.
"""

import secrets


def new_nonce() -> str:
    """A nonce for one page (Content Security Policy Level 3 asks for at least 128 bits)."""
    return secrets.token_urlsafe(18)


def page_headers(nonce: str) -> dict[str, str]:
    """The headers of a page with `nonce` on its style elements."""
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
