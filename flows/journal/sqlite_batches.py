"""Batches in a SqliteJournal: packed orders, and which of them each line is in."""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence

from flows.journal.packed import LineTaken, PackedOrder, read_packed

__all__ = ["MIGRATION", "PARTS", "packed", "store"]

MIGRATION = (
    """
    CREATE TABLE batch_orders (
        origin TEXT NOT NULL,
        account TEXT NOT NULL,
        reference TEXT NOT NULL,
        details TEXT NOT NULL,
        PRIMARY KEY (origin, account, reference)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE batch_lines (
        origin TEXT NOT NULL,
        account TEXT NOT NULL,
        identity TEXT NOT NULL,
        reference TEXT NOT NULL,
        PRIMARY KEY (origin, account, identity)
    ) WITHOUT ROWID
    """,
)
PARTS = frozenset({"batch_orders", "batch_lines"})

INSERT_ORDER = "INSERT OR IGNORE INTO batch_orders VALUES (?, ?, ?, ?)"
INSERT_LINE = "INSERT OR IGNORE INTO batch_lines VALUES (?, ?, ?, ?)"
MOVE_LINE = (
    "UPDATE batch_lines SET reference = ? "
    "WHERE origin = ? AND account = ? AND identity = ? AND reference = ?"
)
LINES = (
    "SELECT identity, reference FROM batch_lines WHERE origin = ? AND account = ? "
    "AND identity IN (SELECT value FROM json_each(?))"
)
ORDERS = (
    "SELECT reference, details FROM batch_orders WHERE origin = ? AND account = ? "
    "AND reference IN (SELECT value FROM json_each(?))"
)


def store(
    connection: sqlite3.Connection,
    orders: Sequence[PackedOrder],
    *,
    origin: str,
    account: str,
    moves: Mapping[str, str],
) -> None:
    """Write the orders and their lines. Raises LineTaken; then the transaction is to be undone."""
    lines = [(line, order.reference) for order in orders for line in order.lines]
    new = [(origin, account, *pair) for pair in lines if pair[0] not in moves]
    moved = [
        (reference, origin, account, line, moves[line])
        for line, reference in lines
        if line in moves
    ]
    texts = [(origin, account, order.reference, order.to_json()) for order in orders]
    for statement, rows in ((INSERT_ORDER, texts), (INSERT_LINE, new), (MOVE_LINE, moved)):
        if rows and connection.executemany(statement, rows).rowcount != len(rows):
            raise LineTaken


def packed(
    connection: sqlite3.Connection, identities: Collection[str], *, origin: str, account: str
) -> dict[str, PackedOrder]:
    """The orders that hold these lines, by line."""
    asked = (origin, account, json.dumps(list(identities)))
    reference_of = dict(map(tuple, connection.execute(LINES, asked)))
    wanted = (origin, account, json.dumps(list(set(reference_of.values()))))
    orders = {
        reference: read_packed(reference, details)
        for reference, details in connection.execute(ORDERS, wanted)
    }
    return {line: orders[reference] for line, reference in reference_of.items()}
