"""UNSET: "was not sent", as opposed to None, which the API calls null."""

import enum
from typing import TYPE_CHECKING, Any, Final

__all__ = ["UNSET", "Unset", "is_set"]


class Unset(enum.Enum):
    """The type of `UNSET`. An enum, so that the one value keeps its identity through pickling."""

    UNSET = "UNSET"

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "UNSET"

    __str__ = __repr__

    if not TYPE_CHECKING:

        def __getattribute__(self, attribute: str) -> Any:
            # An enum's own would pass for the name of a city.
            if attribute in {"name", "value"}:
                return self.__getattr__(attribute)
            return super().__getattribute__(attribute)

        def __getattr__(self, attribute: str) -> Any:
            raise AttributeError(
                f"there is no {attribute!r}: this was not sent (a relationship that was not "
                "included, a field that was not asked for, or a value that can't be read)"
            )


UNSET: Final = Unset.UNSET


def is_set(found: object) -> bool:
    """Whether a value was sent: True for None, False for UNSET.

    For attributes that type checkers know without `UNSET`, because it is there only when a
    relationship was not included or a field not asked for.
    """
    return found is not UNSET
