"""The table of a PostgresJournal: its versions, its queries, its rows (pure).

In place of the braces the journal puts the names of table and indexes.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from flows.journal.errors import JournalUnusable
from flows.journal.postgres_batches import MIGRATION as BATCHES
from flows.journal.record import Purchase, State
from flows.journal.rows import COLUMNS, TIMES, from_row

__all__ = [
    "INSERT",
    "LOOK",
    "MIGRATION_LOCK",
    "MIGRATIONS",
    "OURS",
    "READ",
    "REPLACE",
    "VERSION",
    "WHOSE",
    "checked_name",
    "from_postgres",
    "index_names",
    "list_query",
    "utc",
    "version_of",
]

OURS = "didww-async purchase journal, schema "  # the table's comment, with the version
MIGRATION_LOCK = 0x4449445757  # "DIDWW": an advisory lock, so that one worker at a time migrates
LONGEST_NAME = 40  # PostgreSQL cuts names at 63 bytes, and those of indexes are longer

# One entry per schema version, never changed once released. Collation "C": keys are compared byte
# by byte, whatever the operating system's language tables say after its next upgrade.
MIGRATIONS: Sequence[Sequence[str]] = (
    (
        """
        CREATE TABLE {table} (
            origin text COLLATE "C" NOT NULL,
            account text COLLATE "C" NOT NULL,
            reference text COLLATE "C" NOT NULL,
            state text COLLATE "C" NOT NULL,
            order_id text COLLATE "C",
            revision bigint NOT NULL,
            attempt bigint NOT NULL,
            owner text COLLATE "C",
            order_by timestamptz NOT NULL,
            planned_at timestamptz NOT NULL,
            claimed_at timestamptz,
            updated_at timestamptz NOT NULL,
            fingerprint text COLLATE "C" NOT NULL,
            details json NOT NULL,
            write_id uuid NOT NULL,
            PRIMARY KEY (origin, account, reference)
        )
        """,
        "CREATE UNIQUE INDEX {order_id_index} ON {table} (origin, order_id)",
        "CREATE INDEX {state_index} ON {table} (state, planned_at)",
        "CREATE INDEX {updated_at_index} ON {table} (updated_at)",
    ),
    BATCHES,
)
VERSION = len(MIGRATIONS)

READ_COLUMNS = (*(name for name in COLUMNS if name != "details"), "details::text", "updated_at")
THE_ROW = "origin = %(origin)s AND account = %(account)s AND reference = %(reference)s"
READ = f"SELECT {', '.join(READ_COLUMNS)} FROM {{table}} WHERE {THE_ROW}"  # noqa: S608
INSERT = f"""
INSERT INTO {{table}} ({", ".join(COLUMNS)}, updated_at, write_id)
VALUES ({", ".join(f"%({name})s" for name in COLUMNS)}, clock_timestamp(), %(write_id)s)
ON CONFLICT (origin, account, reference) DO NOTHING
RETURNING updated_at
"""  # noqa: S608
REPLACE = f"""
UPDATE {{table}} SET {", ".join(f"{name} = %({name})s" for name in COLUMNS)},
    updated_at = clock_timestamp(), write_id = %(write_id)s
WHERE {THE_ROW} AND revision = %(revision)s - 1
"""  # noqa: S608
WHOSE = f"SELECT write_id FROM {{table}} WHERE {THE_ROW} FOR UPDATE"  # noqa: S608

# The table, as the server's catalogue knows it.
LOOK = """
SELECT obj_description(c.oid, 'pg_class') AS comment, c.relpersistence::text AS persistence,
    ARRAY(SELECT attname::text FROM pg_attribute
          WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS columns,
    ARRAY(SELECT i.relname::text FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
          WHERE x.indrelid = c.oid AND x.indisvalid) AS indexes
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s
"""


def checked_name(name: str) -> str:
    if not name or "\0" in name or len(name.encode()) > LONGEST_NAME:
        raise JournalUnusable(f"a schema or table name has 1 to {LONGEST_NAME} bytes: {name!r}")
    return name


def index_names(table: str) -> dict[str, str]:
    return {name: f"{table}_{name}" for name in ("order_id", "state", "updated_at")}


def version_of(found: Mapping[str, Any] | None, table: str, *, journal: str) -> int:
    """The schema version of what LOOK found, 0 for nothing; raises when it is not for us.

    `journal`: how the error calls it.
    """
    if found is None:
        return 0
    comment = found["comment"] or ""
    if not comment.startswith(OURS) or not comment.removeprefix(OURS).isdecimal():
        raise JournalUnusable(
            f"{journal} is a table of something else: it lacks the comment "
            f"{OURS + str(VERSION)!r}. It was left as it is"
        )
    version = int(comment.removeprefix(OURS))
    if version > VERSION:
        raise JournalUnusable(
            f"{journal} has schema {version}, this version of the library knows {VERSION}: "
            "upgrade it"
        )
    if found["persistence"] != "p":
        raise JournalUnusable(f"{journal} is unlogged or temporary: a crash would empty it")
    parts = {*COLUMNS, "updated_at", "write_id", *index_names(table).values()}
    missing = parts - {*found["columns"], *found["indexes"]}
    if version == VERSION and missing:
        raise JournalUnusable(f"{journal} is damaged: {', '.join(sorted(missing))} is missing")
    return version


def list_query(
    *,
    states: Collection[State],
    origin: str | None,
    account: str | None,
    reference: str | None,
    updated_since: dt.datetime | None,
) -> tuple[str, dict[str, Any]]:
    wanted: dict[str, tuple[str, Any]] = {
        "state": ("state = ANY(%(state)s)", [state.value for state in states] or None),
        "origin": ("origin = %(origin)s", origin),
        "account": ("account = %(account)s", account),
        "reference": ("reference = %(reference)s", reference),
        "since": ("updated_at >= %(since)s", updated_since),
    }
    asked = {name: pair for name, pair in wanted.items() if pair[1] is not None}
    terms = " AND ".join(term for term, _ in asked.values())
    query = (
        f"SELECT {', '.join(READ_COLUMNS)} FROM {{table}} "  # noqa: S608 - our own names
        f"{'WHERE ' + terms if terms else ''} ORDER BY planned_at, origin, account, reference"
    )
    return query, {name: value for name, (_, value) in asked.items()}


def from_postgres(row: Mapping[str, Any]) -> Purchase:
    times = {name: row[name] and utc(row[name]) for name in (*TIMES, "updated_at")}
    return from_row({**row, **times})


def utc(time: dt.datetime) -> dt.datetime:
    return time.astimezone(dt.UTC)
