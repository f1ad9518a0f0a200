"""What both adapters need: the URL that was called, from what a web server hands over."""

import re

__all__ = ["called_url"]

_HOST = re.compile(r"[^\s/?#@\\]+\Z")


def called_url(scheme: str, host: str, target: str) -> str:
    """Put the URL together from the request target as received, and change nothing in it.

    A request that no URL can have led to gives "": nothing can be signed for it.
    """
    if not target.startswith("/"):
        # A target may be a whole URL, as for proxies; then only its path and query matter.
        _, separator, rest = target.partition("://")
        slash = rest.find("/")
        if not separator or slash < 0:
            return ""
        target = rest[slash:]
    return f"{scheme}://{host}{target}" if _HOST.match(host) else target
