"""`passed`: for values that are made anew for every request, and that nobody outside holds.

The type checker refuses to assign to them, as to everything here. At run time they don't refuse,
because that check makes a frozen object several times dearer to make than a plain one.
"""

from typing import TYPE_CHECKING

__all__ = ["passed"]

if TYPE_CHECKING:
    from attrs import frozen as passed
else:
    from attrs import define as passed
