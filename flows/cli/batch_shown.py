"""A batch told to people and machines: its plan, its lines, its summary (pure)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from flows.batch import LineResult, LineState
from flows.batch.planning import Plan
from flows.batch.reading import BadLine
from flows.batch.resolving import UnbuyableLine
from flows.cli.connect import Place
from flows.cli.exits import Exit, exit_for
from flows.cli.outcome import error_document
from flows.cli.show import aligned, money
from flows.errors import PriceOverLimit

__all__ = [
    "Summary",
    "bad_line_event",
    "causes",
    "line_event",
    "plan_code",
    "plan_event",
    "plan_lines",
]


@attrs.define(kw_only=True)
class Summary:
    """What became of the lines so far. `open` are those nothing is said of yet; `on_their_way`,
    of them, those whose orders exist or may."""

    lines: int
    skipped_bad: int = 0
    states: Counter[LineState] = attrs.field(factory=Counter)
    on_their_way: int = 0
    numbers: int = 0
    shortfall: int = 0
    spent: Decimal = Decimal(0)
    orders: set[str] = attrs.field(factory=set)
    first_error: BaseException | None = None
    is_over_limit: bool = False

    def add(self, result: LineResult) -> None:
        """Count a line."""
        self.states[result.state] += 1
        self.numbers += len(result.numbers)
        self.shortfall += result.shortfall
        if result.state in {LineState.BOUGHT, LineState.PENDING}:
            self.spent += result.price or 0
        if result.order_id is not None:
            self.orders.add(result.order_id)
        if result.error is not None and self.first_error is None:
            self.first_error = result.error
        if result.state is LineState.SKIPPED and isinstance(result.error, PriceOverLimit):
            self.is_over_limit = True

    @property
    def open(self) -> int:
        """Lines that were not told of."""
        return self.lines - self.states.total()

    def go_on(self, options: str) -> str | None:
        """What to do for the lines that are not bought; None when all are.

        `options`: what the command it names needs to find the same API and journal.
        """
        twice = "what is bought or on its way is not ordered twice."
        if self.is_over_limit:
            return f"Raise --max-total for the rest, then run the same command again: {twice}"
        waiting = (LineState.PENDING, LineState.SKIPPED, LineState.UNKNOWN)
        if self.open or self.shortfall or any(self.states[one] for one in waiting):
            return (
                f"Run the same command again to go on: {twice} What is known: didww-async journal"
                f"{options}"
            )
        if self.states.total() > self.states[LineState.BOUGHT]:
            return f"Mend what the errors tell of, then run the same command again: {twice}"
        return None

    @property
    def code(self) -> Exit:
        """The exit code: what may have been bought comes before what surely was not."""
        states = self.states
        bought = states[LineState.BOUGHT]
        if states[LineState.UNKNOWN]:
            return Exit.UNKNOWN
        if states[LineState.PENDING] or self.shortfall:
            return Exit.INCOMPLETE
        if bought == self.lines and not self.skipped_bad:
            return Exit.OK
        if bought:
            return Exit.PARTIAL
        return Exit.REFUSED if self.first_error is None else exit_for(self.first_error)

    def event(self, code: Exit) -> dict[str, Any]:
        """The summary as JSON values; money is USD without VAT. `code`: what the run exits with."""
        return {
            "event": "summary",
            "lines": self.lines,
            "bad_lines": self.skipped_bad,
            **{state.value: self.states[state] for state in LineState},
            "open": self.open,
            "on_their_way": self.on_their_way,
            "numbers": self.numbers,
            "shortfall": self.shortfall,
            "orders": len(self.orders),
            "spent": self.spent,
            "currency": "USD",
            "exit_code": int(code),
        }

    def told(self, place: Place) -> list[str]:
        """The summary for people."""
        where = " on the simulator; nothing was bought at DIDWW" if place.simulated else ""
        counted = [f"{self.states[state]} {state}" for state in LineState if self.states[state]]
        if self.open:
            way = f" ({self.on_their_way} of them in orders on their way)"
            counted.append(f"{self.open} open{way if self.on_their_way else ''}")
        counted += [f"{self.skipped_bad} bad lines left out"] if self.skipped_bad else []
        return [
            f"{_many(self.lines, 'line')}: {', '.join(counted) or 'nothing done'}{where}.",
            f"{_many(self.numbers, 'number')} in {_many(len(self.orders), 'order')} for "
            f"{money(self.spent)} USD without VAT.",
        ]


def plan_lines(plan: Plan, *, place: Place, width: int | None) -> list[str]:
    """The plan for people."""
    fields = {
        "Lines": f"{plan.lines + plan.known}, {len(plan.unbuyable)} of them can't be bought",
        "Known": f"{plan.known} are in orders of an earlier run, which is carried on",
        "Order": f"{_many(plan.numbers, 'number')} in {_many(plan.items, 'order item')}, in "
        + _many(len(plan.packing), "order"),
        "Account at": (place.api if place.environment == "custom" else place.environment) or "",
        "Setup": money(plan.setup),
        "Monthly": money(plan.monthly),
        "Due now": f"{money(plan.total)} (USD without VAT; DIDWW adds VAT where it applies)",
        "Balance": f"{money(plan.balance)}: "
        + ("enough" if plan.balance_is_enough else "NOT ENOUGH"),
        "Requests": f"{plan.look_ups} to look up, {len(plan.packing)} to order (at least "
        f"{plan.bound.total}); reading the numbers comes on top",
    }
    if not plan.known:
        del fields["Known"]
    return aligned(fields, width)


def plan_event(plan: Plan, *, place: Place) -> dict[str, Any]:
    """The plan as JSON values; money is USD without VAT."""
    return {
        "event": "plan",
        **attrs.asdict(place),
        "lines": plan.lines + plan.known,
        "known_lines": plan.known,
        "unbuyable_lines": len(plan.unbuyable),
        "numbers": plan.numbers,
        "items": plan.items,
        "orders": len(plan.packing),
        "setup": plan.setup,
        "monthly": plan.monthly,
        "total": plan.total,
        "currency": "USD",
        "balance": plan.balance,
        "balance_is_enough": plan.balance_is_enough,
        "look_ups": plan.look_ups,
        "requests": plan.requests,
        "least_requests": plan.bound.total,
    }


def plan_code(plan: Plan, *, bad: int) -> Exit:
    """What `--plan` exits with."""
    if plan.unbuyable and len(plan.unbuyable) == plan.lines and not plan.known:
        return exit_for(plan.unbuyable[0].error)
    if not plan.balance_is_enough:
        return Exit.REFUSED
    return Exit.PARTIAL if plan.unbuyable or bad else Exit.OK


def bad_line_event(line: BadLine) -> dict[str, Any]:
    """What is wrong with a line of the file."""
    return {"event": "bad_line", "line": line.number, "field": line.field, "why": line.why}


def line_event(found: LineResult | UnbuyableLine, message: str | None) -> Mapping[str, Any]:
    """What became of a line, or why it can't be bought."""
    line = found.line
    event = {"event": "line", "line": line.number, "reference": line.identity}
    if isinstance(found, UnbuyableLine):
        return {**event, "state": "unbuyable", "error": error_document(found.error, message)}
    return {
        **event,
        "state": found.state,
        "numbers": found.numbers,
        "shortfall": found.shortfall,
        "order_id": found.order_id,
        "order_reference": found.order_reference,
        "price": found.price,
        "error": error_document(found.error, message),
    }


def causes(found: Iterable[UnbuyableLine]) -> list[tuple[BaseException, list[int]]]:
    """Errors with the numbers of their lines: equal ones are told once."""
    lines: dict[tuple[type, str], tuple[BaseException, list[int]]] = {}
    for each in found:
        key = (type(each.error), str(each.error))
        lines.setdefault(key, (each.error, []))[1].append(each.line.number)
    return list(lines.values())


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
