"""Buying many numbers at once: planned before it acts, resumable, each line bought once.

    async for result in buy_many(client, requests, journal=journal, batch="spring-2026"):
        print(result.line.identity, result.state, result.numbers)

Run it again with the same name, or the same references, to go on where it stopped.
"""

from flows.batch.bound import Bound
from flows.batch.lines import BatchLine, lines_of
from flows.batch.looking import Merged
from flows.batch.planning import AsPlanned, Plan, plan_batch
from flows.batch.reading import BadLine, FileFormat, read_lines
from flows.batch.resolving import OneByOne, ResolvedLine, Resolver, UnbuyableLine
from flows.batch.results import LineResult, LineState
from flows.batch.running import buy_many
from flows.journal.packed import PackedItem, PackedOrder, Packing, Share

__all__ = [
    "buy_many",
    "plan_batch",
    "Plan",
    "Bound",
    "AsPlanned",
    "Merged",
    "OneByOne",
    "Resolver",
    "ResolvedLine",
    "UnbuyableLine",
    "read_lines",
    "BadLine",
    "FileFormat",
    "BatchLine",
    "LineResult",
    "LineState",
    "lines_of",
    "PackedItem",
    "PackedOrder",
    "Packing",
    "Share",
]
