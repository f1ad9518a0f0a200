"""What both adapters need: the URL that was called, from what a web server hands over."""

import re

__all__ = ["called_url"]

_HOST = re.compile(r"[^\s/?#@\\]+\Z")


def called_url(scheme: str, host: str, target: str) -> str:
    """Put the URL together from the request target as received, and change nothing in it.

    What no URL can have led to comes out as a path without host, for which nothing can be signed.
    """
    if not target.startswith("/"):
        # A target may be a whole URL, as for proxies; then its host counts, not the header's.
        host, slash, path = target.partition("://")[2].partition("/")
        target = slash + path
    return f"{scheme}://{host}{target}" if _HOST.match(host) else target
