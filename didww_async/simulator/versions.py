"""The API versions the simulator speaks. They are dates: comparing the text compares their age."""

from typing import Final

V2022: Final = "2022-05-10"
V2026: Final = "2026-04-16"
BEARER: Final = "2026-11-19"

SPOKEN: Final = (V2022, V2026)


def served_version(requested: str | None, *, default: str) -> str:
    """Choose the version of a reply: one unknown or older than the default is silently ignored."""
    if requested in SPOKEN and requested > default:
        return requested
    return default
