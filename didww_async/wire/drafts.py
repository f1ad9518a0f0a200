"""A quick way to make frozen values: fill a draft of one, then turn it into its class.

A frozen class refuses assignment, and going round that costs more per attribute than all else there
is to do about it. Its draft takes assignments; with `it.__class__ = cls` it is done, and frozen.
"""

from collections.abc import Callable
from typing import Any

__all__ = ["draft_of"]


def draft_of(cls: type) -> Callable[[], Any]:
    """What makes empty drafts of a frozen class with slots; its own checks don't run."""
    return type(
        cls.__name__,
        (cls,),
        {
            "__slots__": (),
            "__init__": object.__init__,
            "__setattr__": object.__setattr__,
            "__delattr__": object.__delattr__,
        },
    )
