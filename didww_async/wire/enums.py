"""Enumerations that stay open: what the server adds tomorrow is kept as text, never an error."""

import enum
from collections.abc import Mapping
from typing import ClassVar, Self

__all__ = ["OpenEnum"]


class OpenEnum(enum.StrEnum):
    """A `StrEnum` that accepts any text.

    Known values match whatever their case and word breaks ("Completed", "completed"; "WorldWide",
    "world_wide"; "Reject call", "reject_call"), because API versions differ in them; an unknown
    value becomes a member of its own that equals the text the server sent. `__also__`: words of
    other API versions that differ in more than that.
    """

    __also__: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        folded = _fold(cls.__also__.get(value, value))
        for member in cls:
            if _fold(member.value) == folded:
                return member
        unknown = str.__new__(cls, value)
        unknown._name_ = value
        unknown._value_ = value
        return unknown

    @property
    def is_known(self) -> bool:
        """Whether this library knew the value when it was written."""
        return type(self).__members__.get(self._name_) is self


def _fold(text: str) -> str:
    return text.casefold().replace(" ", "").replace("-", "").replace("_", "")
