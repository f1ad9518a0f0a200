"""Requests, purchases and outcomes as plain JSON and back: all the engine ever stores (pure).

No pickle, and no key: a request says what to buy, not who pays.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias

import attrs
from cattrs import BaseValidationError, Converter, transform_error
from cattrs.preconf.json import make_converter

from didww_async import InvalidInput
from flows.journal import Purchase, State
from flows.script import PurchaseRequest

__all__ = [
    "Json",
    "Outcome",
    "Problem",
    "dump_outcome",
    "dump_purchase",
    "dump_request",
    "load_outcome",
    "load_purchase",
    "load_request",
]

Json: TypeAlias = dict[str, Any]

BOUGHT = frozenset({State.ORDERED, State.COMPLETED})


@attrs.frozen(kw_only=True)
class Problem:
    """Why a run is not further: the name of the error's class in `flows.errors`, and its text."""

    type: str
    message: str


@attrs.frozen(kw_only=True)
class Outcome:
    """What became of one run. `purchase` is the journal's record when the run ended, None when
    nothing was even planned; `problem` says why it is not completed. An unknown outcome is a
    result like any other: `state` is "unknown", and nothing was sent again."""

    reference: str
    purchase: Purchase | None = None
    problem: Problem | None = None
    shortfall: int = 0

    @property
    def state(self) -> State | None:
        """The record's state; None: nothing was planned, so nothing was bought."""
        return None if self.purchase is None else self.purchase.state

    @property
    def is_bought(self) -> bool:
        """Whether an order is known to exist (and was not canceled)."""
        return self.state in BOUGHT

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers bought, E.164 without "+"."""
        return () if self.purchase is None else self.purchase.numbers


def dump_request(request: PurchaseRequest) -> Json:
    """The request as JSON objects, texts, numbers and booleans only; what is None is left out."""
    found: Json = STRICT.unstructure(request)
    return {name: value for name, value in found.items() if value is not None}


def load_request(document: Mapping[str, Any]) -> PurchaseRequest:
    """Read a request. Raises InvalidInput naming what is wrong."""
    try:
        return STRICT.structure(document, PurchaseRequest)
    except BaseValidationError as problem:
        said = "; ".join(transform_error(problem, path="request"))
    raise InvalidInput(f"a purchase request can't be read: {said}")


def dump_purchase(purchase: Purchase) -> Json:
    """A record of the journal as JSON."""
    found: Json = LENIENT.unstructure(purchase)
    return found


def load_purchase(document: Mapping[str, Any]) -> Purchase:
    """Read a record. What a newer version added to it is passed over."""
    return LENIENT.structure(document, Purchase)


def dump_outcome(outcome: Outcome) -> Json:
    """An outcome as JSON."""
    found: Json = LENIENT.unstructure(outcome)
    return found


def load_outcome(document: Mapping[str, Any]) -> Outcome:
    """Read an outcome."""
    return LENIENT.structure(document, Outcome)


def _decimal(found: Any, _: type) -> Decimal:
    if not isinstance(found, str) or not (number := Decimal(found)).is_finite():
        raise ValueError(f"{found!r} is no price written as text")
    return number


def _exactly(found: Any, kind: type) -> Any:
    if type(found) is not kind:
        raise ValueError(f"{found!r} is no {kind.__name__}")
    return found


def _converter(*, strict: bool) -> Converter:
    converter = make_converter(forbid_extra_keys=strict)
    for kind in (str, int, bool) if strict else ():
        converter.register_structure_hook(kind, _exactly)
    converter.register_unstructure_hook(Decimal, str)
    converter.register_structure_hook(Decimal, _decimal)
    converter.register_unstructure_hook(dt.datetime, dt.datetime.isoformat)
    converter.register_structure_hook(dt.datetime, lambda text, _: dt.datetime.fromisoformat(text))
    return converter


STRICT = _converter(strict=True)
LENIENT = _converter(strict=False)
