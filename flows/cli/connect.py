"""The client a command works with: DIDWW's API by key, or a simulator of its own."""

import contextlib
import os
from collections.abc import AsyncIterator, Mapping

import attrs

from didww_async import Client, InvalidInput
from flows import MemoryJournal, PurchaseJournal
from flows.cli.options import Connection

__all__ = ["Place", "connected", "open_journal", "place_of", "secrets"]

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
    return found


def secrets(connection: Connection, environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """What must never be printed."""
    keys = {connection.api_key or "", environ.get("DIDWW_API_KEY", "")}
    return tuple(keys - PUBLIC_KEYS)


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
    connection: Connection, environ: Mapping[str, str] = os.environ
) -> AsyncIterator[tuple[Client, Place]]:
    """A client and where it works. Raises InvalidInput when the key or the address is missing."""
    place = place_of(connection, environ)
    async with contextlib.AsyncExitStack() as stack:
        if connection.simulate:
            _check_simulated(connection)
            # Only now: it brings a web server, which takes a while to load.
            from didww_async.simulator import Simulator  # noqa: PLC0415

            simulator = await stack.enter_async_context(Simulator())
            client = Client(api_key=simulator.api_key, base_url=simulator.base_url)
        else:
            client = _real_client(settings(connection, environ))
        await stack.enter_async_context(client)
        yield client, attrs.evolve(place, api=client.origin)


def open_journal() -> PurchaseJournal:
    """The journal of one run, in memory: the place to open a durable one."""
    return MemoryJournal()


def _check_simulated(connection: Connection) -> None:
    for name in ("api_key", "environment", "base_url"):
        if getattr(connection, name) is not None:
            option = f"--{name.replace('_', '-')}"
            raise InvalidInput(f"--simulate has a simulator of its own: leave {option} out")


def _real_client(found: Mapping[str, str]) -> Client:
    if not found.get("DIDWW_API_KEY"):
        raise InvalidInput(
            "there is no API key: set DIDWW_API_KEY (and DIDWW_ENVIRONMENT to production or "
            "sandbox), or try it with --simulate"
        )
    return Client.from_env(environ=found)
