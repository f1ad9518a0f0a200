"""Writing money and times as the API does."""

from datetime import UTC, datetime
from decimal import Decimal


def decimal_text(amount: Decimal) -> str:
    """At least one decimal place and no zeros beyond it: "8.0", "0.09"."""
    text = format(amount, "f")
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"


def price_text(price: Decimal) -> str:
    """A price as the price list has it: "4.0" and "4.00" both occur."""
    return format(price, "f")


def cents_text(amount: Decimal) -> str:
    return format(amount.quantize(Decimal("0.01")), "f")


def time_text(moment: datetime) -> str:
    """A time in UTC with milliseconds: "2026-03-18T11:41:20.443Z"."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03}Z"


def old_time_text(moment: datetime) -> str:
    """A time in UTC without a zone, as some replies have it."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
