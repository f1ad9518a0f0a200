"""The options of a simulator. All may also be changed while it runs."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import attrs

from didww_async.simulator.versions import V2022, WITH_KEY


def utc_now() -> datetime:
    return datetime.now(UTC)


def _goes_with_key(_instance: object, _attribute: "attrs.Attribute[str]", version: str) -> None:
    if version not in WITH_KEY:
        raise ValueError(f"the account's version is one of {', '.join(WITH_KEY)}, not {version}")


@attrs.define(kw_only=True, eq=False)
class Settings:
    """How the simulated account and its server behave."""

    api_key: str = "simulator"
    """The only key that is let in."""
    rate_limit: int | None = 20
    """At most this many requests in any sliding second, exactly; None for no limit."""
    default_version: str = attrs.field(default=V2022, validator=_goes_with_key)
    """The account's version: served when none is asked for, and the oldest that is served."""

    token_seconds: float | None = None
    """How long every bearer token lives by `clock`; None: as asked for, 60 to 3600 seconds."""
    token_rate_limit: int | None = None
    """At most this many tokens in any sliding second; None for no limit."""

    opening_balance: Decimal = attrs.field(
        default=Decimal(1000), converter=Decimal, alias="balance"
    )
    """The money at the start, in USD."""
    credit: Decimal = attrs.field(default=Decimal(0), converter=Decimal)
    """What may be spent beyond the balance."""
    vat_rate: Decimal = attrs.field(default=Decimal(0), converter=Decimal)
    """Added to SKU prices in orders: Decimal("0.21") for 21 %."""
    read_only: bool = False
    """Whatever would change something is refused with 403."""
    available_dids: bool = True
    """Whether the account may select single numbers; without it /available_dids answers 403."""
    voice_out: bool = True
    """Whether the plan has voice OUT; without it /voice_out_trunks answers 403."""
    available_dids_cap: int = 50
    """At most this many of the matching numbers are shown by /available_dids."""
    max_reservations: int = 10
    reservation_seconds: float = 600
    """How long a reservation holds a number, by `clock`."""

    completes_after: float | None = 0.2
    """Seconds until a pending order completes; None: it stays pending until it is told to."""
    orders_visible_after: float = 0
    """Seconds until a new order shows up in GET /orders; GET /orders/{id} finds it at once."""

    verified_after: float | None = 0.2
    """Seconds until a submitted verification is approved; None: it waits until it is told to."""
    exported_after: float | None = 0.2
    """Seconds until a requested export is completed; None: it stays pending until it is told to."""

    callback_secret: str = "simulator-secret"  # noqa: S105  # of a simulated account
    """What callbacks are signed with."""
    callback_retries: Sequence[float] = (0.05, 0.1, 0.2, 0.5, 1, 1, 1, 1, 1)
    """Seconds before each further attempt, while a callback is not answered with 2xx; DIDWW's own
    are in `REAL_RETRIES`."""
    callback_timeout: float = 60
    """Seconds a receiver has to answer a callback."""

    latency: float = 0
    jitter: float = 0
    """Every request waits `latency` seconds and a random part of `jitter` before it is handled."""
    next_links: bool = False
    """Send links.next and links.prev, which the real API often leaves out."""
    unsorted_drifts: bool = False
    """Give a list without `sort` in another order each time, as the real API may."""
    clock: Callable[[], datetime] = utc_now
    seed: int = 0
    """Where everything random starts: numbers, ids, the order of available DIDs, jitter."""
