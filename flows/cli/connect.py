"""What a command works with: DIDWW's API by key or a simulator of its own, and a journal."""

import contextlib
import os
from collections.abc import AsyncIterator, Callable, Mapping

import attrs

from didww_async import AttemptRecord, Client, InvalidInput
from flows import PurchaseJournal
from flows.cli.keeping import open_journal, passwords
from flows.cli.options import Connection, Journaled

__all__ = ["Place", "connected", "named_by", "place_of", "secrets", "working"]

OnAttempt = Callable[[AttemptRecord], None]
PUBLIC_KEYS = frozenset({"", "simulator"})


@attrs.frozen(kw_only=True)
class Place:
    """Where a command works. `environment`: production, sandbox, simulator, or custom."""

    environment: str | None
    simulated: bool
    api: str | None


def settings(connection: Connection, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment variables as the options change them: what was typed last counts."""
    found = {name: text for name, text in environ.items() if name.startswith("DIDWW_")}
    if connection.environment is not None:
        found.pop("DIDWW_BASE_URL", None)
        found["DIDWW_ENVIRONMENT"] = connection.environment
    if connection.base_url is not None:
        found["DIDWW_BASE_URL"] = connection.base_url
    if connection.api_key is not None:
        found["DIDWW_API_KEY"] = connection.api_key
    if connection.api_version is not None:
        found["DIDWW_API_VERSION"] = connection.api_version
    return found


def secrets(connection: Connection, environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """What must never be printed."""
    hidden = {connection.api_key or "", environ.get("DIDWW_API_KEY", "")}
    if isinstance(connection, Journaled):
        hidden |= passwords(connection.journal) | passwords(environ.get("DIDWW_JOURNAL"))
    return tuple(hidden - PUBLIC_KEYS)


def place_of(connection: Connection, environ: Mapping[str, str] = os.environ) -> Place:
    """Where a command is going to work, as far as known before there is a client."""
    if connection.simulate:
        return Place(environment="simulator", simulated=True, api=None)
    found = settings(connection, environ)
    url = found.get("DIDWW_BASE_URL") or None
    environment = "custom" if url else found.get("DIDWW_ENVIRONMENT") or None
    return Place(environment=environment, simulated=False, api=None)


@contextlib.asynccontextmanager
async def connected(
    connection: Connection,
    environ: Mapping[str, str] = os.environ,
    *,
    on_attempt: OnAttempt | None = None,
) -> AsyncIterator[tuple[Client, Place]]:
    """A client and where it works. Raises InvalidInput when the key or the address is missing."""
    place = place_of(connection, environ)
    async with contextlib.AsyncExitStack() as stack:
        if connection.simulate:
            _check_simulated(connection)
            # Only now: it brings a web server, which takes a while to load.
            from didww_async.simulator import Simulator  # noqa: PLC0415

            simulator = await stack.enter_async_context(Simulator())
            found = settings(connection, environ)
            client = Client.from_env(
                environ={
                    "DIDWW_API_KEY": simulator.api_key,
                    "DIDWW_BASE_URL": simulator.base_url,
                    "DIDWW_TOKEN_URL": simulator.token_url,
                    "DIDWW_API_VERSION": found.get("DIDWW_API_VERSION", ""),
                },
                on_attempt=on_attempt,
            )
        else:
            client = _real_client(settings(connection, environ), on_attempt)
        await stack.enter_async_context(client)
        yield client, attrs.evolve(place, api=client.origin)


@contextlib.asynccontextmanager
async def working(
    connection: Journaled,
    *,
    create: bool,
    environ: Mapping[str, str] = os.environ,
    on_attempt: OnAttempt | None = None,
) -> AsyncIterator[tuple[Client, Place, PurchaseJournal]]:
    """A client, where it works, and the journal; `create`: make a journal that is missing."""
    async with connected(connection, environ, on_attempt=on_attempt) as (client, place):
        journal = open_journal(connection, create=create, environ=environ)
        try:
            yield client, place, journal
        finally:
            try:
                await client.aclose()  # first: an order on its way is still to be written down
            finally:
                await journal.aclose()


def named_by(
    connection: Connection, environ: Mapping[str, str] = os.environ
) -> tuple[str, str] | tuple[None, None]:
    """The API and the account's label that options and environment name, None when they name no
    API; needs no key."""
    found = settings(connection, environ)
    if not found.get("DIDWW_BASE_URL") and not found.get("DIDWW_ENVIRONMENT"):
        return None, None
    # The version does not matter here; the newest would want a token service.
    client = Client.from_env(environ={**found, "DIDWW_API_KEY": "none", "DIDWW_API_VERSION": ""})
    return client.origin, client.account


def _check_simulated(connection: Connection) -> None:
    for name in ("api_key", "environment", "base_url"):
        if getattr(connection, name) is not None:
            option = f"--{name.replace('_', '-')}"
            raise InvalidInput(f"--simulate has a simulator of its own: leave {option} out")


def _real_client(found: Mapping[str, str], on_attempt: OnAttempt | None) -> Client:
    if not found.get("DIDWW_API_KEY"):
        raise InvalidInput(
            "there is no API key: set DIDWW_API_KEY (and DIDWW_ENVIRONMENT to production or "
            "sandbox), or try it with --simulate"
        )
    return Client.from_env(environ=found, on_attempt=on_attempt)
