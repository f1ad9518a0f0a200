"""`didww-async batch`: read a file, plan, confirm, buy, report; run again it goes on."""

import asyncio
import contextlib
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs

from didww_async import Client, InvalidInput
from flows import PurchaseJournal
from flows.batch import (
    AsPlanned,
    BadLine,
    BatchLine,
    LineResult,
    Plan,
    buy_many,
    plan_batch,
)
from flows.batch.known import known_lines
from flows.cli.attempt import SIMULATED
from flows.cli.batch_file import usable_lines
from flows.cli.batch_progress import Progress
from flows.cli.batch_report import Report
from flows.cli.batch_shown import (
    Summary,
    bad_line_event,
    causes,
    line_event,
    plan_code,
    plan_event,
    plan_lines,
)
from flows.cli.connect import Place, place_of, working
from flows.cli.exits import Exit, UserLeft, exit_for
from flows.cli.keeping import typed
from flows.cli.options import Journaled
from flows.cli.outcome import error_document
from flows.cli.screen import Screen
from flows.cli.show import json_text, money

__all__ = ["Batching", "Orders"]

SHOWN = 50  # bad lines, and reasons why lines can't be bought, that people are shown


@attrs.frozen(kw_only=True)
class Orders:
    """How a batch is ordered; see the command's options."""

    file: Path
    batch: str | None = None
    only_plan: bool = False
    skip_bad: bool = False
    max_total: Decimal | None = None
    stop_after: int | None = None
    max_items_per_order: int = 50
    report: Path | None = None
    timeout: float = 60.0
    yes: bool = False


class Batching:
    """One run of the command."""

    def __init__(self, *, orders: Orders, connection: Journaled, screen: Screen) -> None:
        self._orders = orders
        self._connection = connection
        self._screen = screen
        self._place: Place = place_of(connection)
        self._progress = Progress(screen)
        self._summary: Summary | None = None
        self._report: Report | None = None
        self._bad = self._bad_lines = 0  # several things may be wrong with a line
        self._ordering = False
        self._numbers: list[str] = []
        self._told: set[int] = set()

    async def run(self) -> int:
        """Do it, say what became of it, and return the exit code."""
        try:
            if self._orders.report is not None:
                self._report = Report(self._orders.report, message=self._screen.message)
            self._check_before_all()
            code = await self._work(await self._read())
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - every end is told
            code = self._failed(error)
        self._tell_end(code)
        return code if self._report_written() else code or Exit.FAILED

    def broken_off(self) -> None:
        """Tell what is known when there is no time to find out more."""
        if self._ordering:
            self._screen.say("Interrupted: orders of open lines may be on their way.", "warning")
        self._tell_end(Exit.INTERRUPTED)
        self._report_written()

    # -- the file

    def _check_before_all(self) -> None:
        """Raise InvalidInput for what can't be right, before anything is read or sent."""
        orders = self._orders
        for name, number in (
            ("--max-items-per-order", orders.max_items_per_order),
            ("--stop-after", orders.stop_after),
        ):
            if number is not None and number < 1:
                raise InvalidInput(f"{name} is 1 or more, not {number}")
        if not orders.only_plan and not orders.yes and not self._screen.can_ask:
            raise InvalidInput(
                "this buys numbers, and there is no terminal to confirm it at: add --yes"
            )

    async def _read(self) -> list[BatchLine]:
        async with self._screen.progress(f"reading {self._orders.file}"):
            try:
                lines, self._bad_lines = await usable_lines(
                    self._orders.file,
                    batch=self._orders.batch,
                    skip_bad=self._orders.skip_bad,
                    good=self._good_line,
                    bad=self._bad_line,
                )
            finally:
                if self._bad > SHOWN:
                    more = self._bad - SHOWN
                    self._screen.say(f"... and {more} more; --json or --report has all of them.")
        return lines

    def _good_line(self, line: BatchLine) -> None:
        if self._report is not None:
            self._report.expect(line.number, line.identity)

    def _bad_line(self, bad: BadLine) -> None:
        self._bad += 1
        self._event(bad_line_event(bad))
        if self._bad <= SHOWN:
            self._screen.say(f"error: {bad}", "error")
        if self._report is not None:
            self._report.bad(bad)

    # -- the work

    async def _work(self, lines: list[BatchLine]) -> Exit:
        orders, screen = self._orders, self._screen
        summary = self._summary = Summary(lines=len(lines), skipped_bad=self._bad_lines)
        async with working(
            self._connection, create=True, on_attempt=self._progress.attempt
        ) as found:
            client, self._place, journal = found
            if self._place.simulated:
                screen.say(SIMULATED, "warning")
            with self._progress.looking_up():
                plan = await plan_batch(
                    client,
                    lines,
                    batch=orders.batch,
                    journal=journal,
                    max_items_per_order=orders.max_items_per_order,
                    progress=self._progress.looked_up,
                )
            self._show(plan)
            if orders.only_plan:
                self._begin_report()
                return plan_code(plan, bad=self._bad_lines)
            if plan.packing.orders and not orders.yes:
                await self._confirm(plan)
            await self._buy(client, journal, lines, plan)
        return summary.code

    def _show(self, plan: Plan) -> None:
        screen = self._screen
        self._event(plan_event(plan, place=self._place))
        reasons = causes(plan.unbuyable)
        for error, numbers in reasons[:SHOWN]:
            lines = ", ".join(map(str, numbers[:8])) + (", ..." if len(numbers) > 8 else "")
            screen.say(f"line {lines}: {screen.message(error)}", "warning")
        if len(reasons) > SHOWN:
            screen.say(f"... and {len(reasons) - SHOWN} more reasons; --json or --report has all.")
        for each in plan.unbuyable if self._orders.only_plan else ():
            self._event(line_event(each, screen.message(each.error)))
            if self._report is not None:
                self._report.add(each)
        for line in plan_lines(plan, place=self._place, width=screen.wraps_at):
            screen.say(line)

    async def _confirm(self, plan: Plan) -> None:
        from flows.cli.asking import Asking  # noqa: PLC0415

        where = self._place.environment
        question = f"Order {plan.numbers} numbers for {money(plan.total)} USD ({where})?"
        if not await Asking(self._screen).confirm(question):
            raise UserLeft("it was not confirmed")

    async def _buy(
        self, client: Client, journal: PurchaseJournal, lines: Sequence[BatchLine], plan: Plan
    ) -> None:
        orders, summary = self._orders, self._summary
        assert summary is not None  # noqa: S101 - made before
        self._ordering = True
        self._begin_report()
        results = buy_many(
            client,
            lines,
            journal=journal,
            batch=orders.batch,
            resolver=AsPlanned(client, plan),
            max_items_per_order=orders.max_items_per_order,
            max_total=orders.max_total,
            stop_after_refusals=orders.stop_after,
            balance=plan.balance if orders.yes else None,  # a question may stand for long
            timeout=orders.timeout,
        )
        with self._progress.ordering(lines=summary.lines, orders=len(plan.packing)):
            try:
                async with contextlib.aclosing(results):
                    async for result in results:
                        self._result(summary, result)
            except asyncio.CancelledError:
                self._screen.say(
                    "Interrupted: nothing more is ordered; waiting for the answers to the orders "
                    "that are on their way. Ctrl-C again leaves at once.",
                    "warning",
                )
                await client.aclose()
                await self._look_at_open(client, journal, lines, summary)
                raise

    async def _look_at_open(
        self,
        client: Client,
        journal: PurchaseJournal,
        lines: Sequence[BatchLine],
        summary: Summary,
    ) -> None:
        """Count the lines that nothing was said of, and whose orders exist or may."""
        still_open = [line for line in lines if line.number not in self._told]
        known = await known_lines(journal, still_open, origin=client.origin, account=client.account)
        names = {line.identity for line in still_open}
        for order in known.begun:
            summary.on_their_way += len(names & set(order.packed.lines))
            found = order.purchase.order_id if order.purchase else None
            summary.orders.add(found or order.packed.reference)
            summary.spent += order.packed.total

    def _result(self, summary: Summary, result: LineResult) -> None:
        summary.add(result)
        self._told.add(result.line.number)
        message = None if result.error is None else self._screen.message(result.error)
        self._event(line_event(result, message))
        if self._report is not None:
            self._report.add(result)
        if self._screen.shows_tables:
            self._numbers += result.numbers  # not among the bars
        elif not self._connection.json:
            self._screen.result(result.numbers)
        done = summary.lines - summary.open
        self._progress.lines(done, summary.lines, spent=summary.spent)

    # -- how it ends

    def _failed(self, error: BaseException) -> Exit:
        screen = self._screen
        code = exit_for(error)
        if isinstance(error, UserLeft):
            screen.say(f"Nothing was bought: {error}.")
        elif code is Exit.INTERRUPTED:
            nothing = "" if self._ordering else " Nothing was ordered by this run."
            screen.say(f"Interrupted.{nothing}", "warning")
        else:
            screen.error(error, debug=self._connection.debug)
            self._event({"event": "error", "error": error_document(error, screen.message(error))})
        return code

    def _tell_end(self, code: Exit) -> None:
        summary, screen = self._summary, self._screen
        if summary is None or not self._ordering:
            return
        if not self._connection.json:
            screen.result(self._numbers)
        for line in summary.told(self._place):
            screen.say(line, "bold")
        if summary.first_error is not None:
            screen.say(f"First of the errors: {screen.message(summary.first_error)}")
        go_on = summary.go_on(typed(self._connection))
        if go_on is not None and not self._place.simulated:
            screen.say(go_on)
        self._event(summary.event(code))

    def _event(self, event: Any) -> None:
        if self._connection.json:
            self._screen.result([json_text(event)])

    def _begin_report(self) -> None:
        if self._report is not None:
            self._report.begin()

    def _report_written(self) -> bool:
        if self._report is None:
            return True
        path = self._orders.report
        try:
            if self._report.close():
                self._screen.say(f"The report is in {path}.")
        except OSError as problem:
            self._screen.say(f"error: the report can't be written to {path}: {problem.strerror}")
            return False
        return True
