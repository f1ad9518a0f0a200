"""Buying many numbers at once: planned before it acts, resumable, each line bought once.

async for result in buy_many(client, requests, journal=journal, batch="spring-2026"):
    print(result.line.identity, result.state, result.numbers)
"""

from flows.batch.lines import BatchLine, lines_of
from flows.journal.packed import PackedItem, PackedOrder, Packing, Share

__all__ = ["BatchLine", "PackedItem", "PackedOrder", "Packing", "Share", "lines_of"]
