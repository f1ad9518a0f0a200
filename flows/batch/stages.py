"""What is looked up before what, so that as much as possible is asked for together."""

import enum

__all__ = ["Stage"]


class Stage(enum.IntEnum):
    """The steps from a country to its offers."""

    COUNTRIES = 0
    REGIONS = 1
    PLACES = 2
    GROUPS = 3
