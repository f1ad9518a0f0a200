"""The API versions the simulator speaks. They are dates: comparing the text compares their age.

BEARER is served for a bearer token only; WITH_KEY are those that a request with the key may name.
"""

from typing import Final

V2022: Final = "2022-05-10"
V2026: Final = "2026-04-16"
BEARER: Final = "2026-11-19"

WITH_KEY: Final = (V2022, V2026)


def served_version(requested: str | None, *, default: str) -> str:
    """Choose the version of a reply: one unknown or older than the default is silently ignored."""
    if requested in WITH_KEY and requested > default:
        return requested
    return default
