"""Batches in a PostgresJournal: the two tables beside its own, and their queries (pure).

In place of the braces the journal puts the names of the tables.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from flows.journal.packed import PackedOrder

__all__ = [
    "INSERT_LINES",
    "INSERT_ORDERS",
    "LINES",
    "MIGRATION",
    "MOVE_LINES",
    "ORDERS",
    "batch_tables",
    "rows_of",
]

MIGRATION: Sequence[str] = (
    """
    CREATE TABLE {batch_orders} (
        origin text COLLATE "C" NOT NULL,
        account text COLLATE "C" NOT NULL,
        reference text COLLATE "C" NOT NULL,
        details json NOT NULL,
        PRIMARY KEY (origin, account, reference)
    )
    """,
    """
    CREATE TABLE {batch_lines} (
        origin text COLLATE "C" NOT NULL,
        account text COLLATE "C" NOT NULL,
        identity text COLLATE "C" NOT NULL,
        reference text COLLATE "C" NOT NULL,
        PRIMARY KEY (origin, account, identity)
    )
    """,
)

INSERT_ORDERS = """
INSERT INTO {batch_orders}
SELECT %(origin)s, %(account)s, row.reference, row.details::json
FROM unnest(%(references)s::text[], %(details)s::text[]) AS row(reference, details)
ON CONFLICT DO NOTHING
"""
# In the order of their names, so that two that want the same lines do not block each other.
INSERT_LINES = """
INSERT INTO {batch_lines}
SELECT %(origin)s, %(account)s, row.identity, row.reference
FROM unnest(%(new)s::text[], %(new_to)s::text[]) AS row(identity, reference)
ORDER BY row.identity COLLATE "C"
ON CONFLICT DO NOTHING
"""
MOVE_LINES = """
WITH wanted AS (
    SELECT lines.identity, row.target
    FROM unnest(%(moved)s::text[], %(moved_from)s::text[], %(moved_to)s::text[])
        AS row(identity, source, target)
    JOIN {batch_lines} AS lines ON lines.origin = %(origin)s AND lines.account = %(account)s
        AND lines.identity = row.identity AND lines.reference = row.source
    ORDER BY lines.identity
    FOR UPDATE OF lines
)
UPDATE {batch_lines} AS lines SET reference = wanted.target FROM wanted
WHERE lines.origin = %(origin)s AND lines.account = %(account)s
    AND lines.identity = wanted.identity
"""
LINES = """
SELECT identity, reference FROM {batch_lines}
WHERE origin = %(origin)s AND account = %(account)s AND identity = ANY(%(identities)s)
"""
ORDERS = """
SELECT reference, details::text AS details FROM {batch_orders}
WHERE origin = %(origin)s AND account = %(account)s AND reference = ANY(%(references)s)
"""


def batch_tables(table: str) -> dict[str, str]:
    """The names of the tables beside the journal's own."""
    return {"batch_orders": f"{table}_orders", "batch_lines": f"{table}_lines"}


def rows_of(
    orders: Sequence[PackedOrder], *, origin: str, account: str, moves: Mapping[str, str]
) -> dict[str, Any]:
    """The values of the queries that write."""
    lines = [(line, order.reference) for order in orders for line in order.lines]
    new = [pair for pair in lines if pair[0] not in moves]
    moved = [pair for pair in lines if pair[0] in moves]
    return {
        "origin": origin,
        "account": account,
        "references": [order.reference for order in orders],
        "details": [order.to_json() for order in orders],
        "new": [line for line, _ in new],
        "new_to": [reference for _, reference in new],
        "moved": [line for line, _ in moved],
        "moved_from": [moves[line] for line, _ in moved],
        "moved_to": [reference for _, reference in moved],
    }
