"""The lines of a batch, each with a name that stays the same when the batch is run again (pure)."""

from collections.abc import Iterable

import attrs

from didww_async import InvalidInput
from flows.journal.record import check_reference
from flows.script import PurchaseRequest

__all__ = ["BatchLine", "check_batch", "lines_of"]

LONGEST_BATCH = 60  # characters, so that line numbers and order references fit behind it


@attrs.frozen(kw_only=True)
class BatchLine:
    """One line: what to buy, and under which name the journal knows it.

    `number`: the line's number in its file, or its place in the sequence, from 1. `identity`: its
    name, the same in every run. `fate`: only lines of the same fate are packed into one order, so
    that they stand or fall together; a line whose fate is its own name gets an order of its own.
    """

    number: int
    identity: str = attrs.field(validator=lambda _self, _field, found: check_reference(found))
    request: PurchaseRequest
    fate: str | None = None


def lines_of(
    requests: Iterable["PurchaseRequest | BatchLine"], *, batch: str | None = None
) -> tuple[BatchLine, ...]:
    """Number the requests from 1 and name them: by their reference, else "{batch}:{number}".

    What is a BatchLine already stays as it is. Raises InvalidInput, naming the line, when one has
    neither reference nor batch, and when two have the same name.
    """
    if batch is not None:
        check_batch(batch)
    lines = tuple(
        item if isinstance(item, BatchLine) else _line(number, item, batch)
        for number, item in enumerate(requests, start=1)
    )
    first: dict[str, BatchLine] = {}
    for line in lines:
        before = first.get(line.identity)
        first[line.identity] = line
        if before is not None:
            raise InvalidInput(
                f"lines {before.number} and {line.number} have the same reference "
                f"{line.identity!r}; each line needs its own, or it would be bought once only"
            )
    return lines


def check_batch(batch: str) -> str:
    """Return a batch's name. Raises InvalidInput unless it is 1 to 60 of A-Z a-z 0-9 . _ : -"""
    check_reference(batch)
    if len(batch) > LONGEST_BATCH:
        raise InvalidInput(
            f"a batch's name has at most {LONGEST_BATCH} characters, not {len(batch)}"
        )
    return batch


def _line(number: int, request: PurchaseRequest, batch: str | None) -> BatchLine:
    if request.reference is None and batch is None:
        raise InvalidInput(
            f"line {number} has no reference: give every line one, or the batch a name, so that "
            "a second run knows what the first one bought"
        )
    return BatchLine(
        number=number, identity=request.reference or f"{batch}:{number}", request=request
    )
