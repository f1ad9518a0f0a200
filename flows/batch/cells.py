"""The cells of one line -> a purchase request, or everything that is wrong with them (pure)."""

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Any, Final

import attrs

from didww_async import InvalidInput
from flows.choices import check_npa, check_nxx
from flows.journal.record import check_reference
from flows.offers import SEPARATORS, check_quantity
from flows.script import PurchaseRequest

__all__ = ["COLUMNS", "EXAMPLES", "Wrong", "cell_of", "column", "request_of"]

PRICE = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{0,18})?")
WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
YES: Final = frozenset({"yes", "true", "1", "y"})
NO: Final = frozenset({"no", "false", "0", "n"})


@attrs.frozen
class Wrong:
    """One thing that is wrong; `field` is the column's name, None for the line as a whole."""

    field: str | None
    why: str


def _text(found: Any) -> str:
    if not isinstance(found, str):
        raise InvalidInput(f"is text, not {found!r}")
    return found


def _whole(found: Any) -> int:
    if isinstance(found, str) and WHOLE.fullmatch(found):
        return int(found)
    if type(found) is not int:
        raise InvalidInput(f"is a whole number, not {found!r}")
    return found


def _price(found: Any) -> Decimal:
    text = str(found) if isinstance(found, Decimal) or type(found) is int else found
    if not isinstance(text, str) or not PRICE.fullmatch(text):
        raise InvalidInput(f"is a price such as 4.50, not {found!r}")
    price = Decimal(text)
    if price < 0:
        raise InvalidInput(f"is a price of 0 or more, not {found!r}")
    return price


def _features(found: Any) -> tuple[str, ...]:
    parts = SEPARATORS.split(found) if isinstance(found, str) else found
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        raise InvalidInput(f"is names such as 'voice_in sms_in', not {found!r}")
    return tuple(part for part in parts if part)


def _flag(found: Any) -> bool:
    if isinstance(found, bool):
        return found
    text = str(found).casefold()
    if text not in YES | NO:
        raise InvalidInput(f"is yes or no, not {found!r}")
    return text in YES


def _digits(check: Callable[[str], str]) -> Callable[[Any], str]:
    return lambda found: check(str(found) if type(found) is int else found)


def _quantity(found: Any) -> int:
    return check_quantity(_whole(found))


def _channels(found: Any) -> int:
    if (channels := _whole(found)) < 0:
        raise InvalidInput(f"is 0 or more, not {channels}")
    return channels


def _prefer(found: Any) -> str:
    if found != "cheapest":
        raise InvalidInput(f"is 'cheapest' or empty, not {found!r}")
    return "cheapest"


COLUMNS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "reference": lambda found: check_reference(_text(found)),
    "country": _text,
    "region": _text,
    "city": _text,
    "npa": _digits(check_npa),
    "nxx": _digits(check_nxx),
    "number_type": _text,
    "features": _features,
    "needs_registration": _flag,
    "channels": _channels,
    "sku_id": _text,
    "prefer": _prefer,
    "quantity": _quantity,
    "max_setup": _price,
    "max_monthly": _price,
    "allow_back_ordering": _flag,
}
"""Column name -> how its cell is read; they may come in any order, and most may be left out."""

EXAMPLES: Final = (
    {
        "reference": "order-1",
        "country": "GB",
        "city": "London",
        "number_type": "Local",
        "features": "voice_in",
        "channels": "2",
        "quantity": "20",
        "max_monthly": "5.00",
    },
    {
        "reference": "order-2",
        "country": "US",
        "region": "New York",
        "npa": "212",
        "number_type": "Local",
        "prefer": "cheapest",
        "quantity": "5",
        "max_setup": "5.00",
        "max_monthly": "5.00",
    },
)


def column(name: str) -> str:
    """The column of this name. Raises InvalidInput for one there is not, with the nearest."""
    plain = re.sub(r"[\s-]+", "_", name.strip().casefold())
    if plain in COLUMNS:
        return plain
    near = difflib.get_close_matches(plain, COLUMNS, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(COLUMNS)}"
    raise InvalidInput(f"unknown column {name.strip()!r}: {hint}")


def request_of(cells: Mapping[str, Any]) -> PurchaseRequest | tuple[Wrong, ...]:
    """The request, or everything that is wrong with it.

    `cells`: column (but the reference) -> what stands there; empty ones count as not given.
    """
    found: dict[str, Any] = {}
    wrong: list[Wrong] = []
    for name, cell in cells.items():
        try:
            given = cell_of(name, cell)
        except InvalidInput as problem:
            wrong.append(Wrong(name, str(problem)))
        else:
            if given is not None:
                found[name] = given
    wrong += _contradictions(found, {each.field for each in wrong})
    if not wrong:
        try:
            return PurchaseRequest(**found)
        except InvalidInput as problem:
            wrong.append(Wrong(None, str(problem)))
    return tuple(wrong)


def cell_of(name: str, cell: Any) -> Any:
    """What a cell says, None when it is empty. Raises InvalidInput, naming the column."""
    given = cell.strip() if isinstance(cell, str) else cell
    if given is None or given == "":
        return None
    try:
        return COLUMNS[name](given)
    except InvalidInput as problem:
        said = str(problem)
        raise InvalidInput(f"{name} {said}" if said.startswith("is ") else said) from None


def _contradictions(found: Mapping[str, Any], bad: Collection[str | None]) -> list[Wrong]:
    wrong = []
    if "country" not in found and "country" not in bad:
        wrong.append(Wrong("country", "country is missing"))
    if "city" in found and {"npa", "nxx"} & set(found):
        wrong.append(Wrong("city", "a line names a city, or an NPA and NXX, not both"))
    elif "nxx" in found and "npa" not in found and "npa" not in bad:
        wrong.append(Wrong("nxx", "nxx needs npa: the same NXX exists under many area codes"))
    return wrong
