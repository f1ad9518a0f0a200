"""`didww-async simulate`: a DIDWW API on this machine, until it is stopped."""

import asyncio

from didww_async.simulator import Simulator, serve
from flows.cli.exits import Exit
from flows.cli.screen import Screen

__all__ = ["simulate"]

MOST = 65535


async def simulate(screen: Screen, *, port: int, api_key: str) -> int:
    """Run a simulator; its base URL is the first line on standard output."""

    def started(simulator: Simulator) -> None:
        screen.result([simulator.base_url])
        screen.say("A simulated DIDWW account: nothing is bought. Use it from another terminal:")
        screen.say(f"  export DIDWW_BASE_URL={simulator.base_url}")
        screen.say(f"  export DIDWW_API_KEY={api_key}")
        screen.say("  didww-async buy")
        screen.say(
            f"For --api-version 2026-11-19 also: export DIDWW_TOKEN_URL={simulator.token_url}"
        )
        screen.say("Ctrl-C stops it.")

    if not 0 <= port <= MOST:
        screen.say(f"error: a port is 0 to {MOST}, not {port}", "error")
        return Exit.USAGE
    try:
        await serve(port=port, api_key=api_key, started=started)
    except asyncio.CancelledError:
        screen.say("The simulator was stopped.")
    except OSError as problem:
        screen.say(f"error: can't listen on port {port}: {problem.strerror or problem}", "error")
        return Exit.FAILED
    return Exit.OK
