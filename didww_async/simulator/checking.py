"""Checking what POST /orders asks for, before anything is taken from stock or paid."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from didww_async.simulator.capacity import CapacityPool
from didww_async.simulator.coverage import GroupRow, SkuRow
from didww_async.simulator.errors import (
    Problem,
    RefusedError,
    invalid,
    malformed,
    parameter_missing,
    parameter_not_allowed,
)
from didww_async.simulator.records import AvailableDid
from didww_async.simulator.versions import V2022

if TYPE_CHECKING:
    from didww_async.simulator.world import World

ITEMS = "/data/attributes/items"
MAX_QTY = 1000
MAX_BILLING_CYCLES = 999
MAX_REFERENCE_LENGTH = 100
_ITEM_KEYS = {
    "did_order_items": {
        "sku_id",
        "qty",
        "available_did_id",
        "did_reservation_id",
        "nanpa_prefix_id",
        "billing_cycles_count",
    },
    "capacity_order_items": {"capacity_pool_id", "qty"},
}
_SOURCES = ("qty", "available_did_id", "did_reservation_id")


@attrs.frozen(kw_only=True)
class Wish:
    """An item that passed its checks, before anything is taken from stock."""

    sku: SkuRow
    group: GroupRow
    qty: int
    prefix_id: str | None
    billing_cycles_count: int | None
    available_did: AvailableDid | None
    reservation_id: str | None


@attrs.frozen(kw_only=True)
class CapacityWish:
    """Channels of a pool, checked."""

    pool: CapacityPool
    qty: int


@attrs.frozen(kw_only=True)
class CheckedOrder:
    """An order that may be carried out, if there is money for it."""

    wishes: tuple[Wish | CapacityWish, ...]
    allow_back_ordering: bool
    external_reference_id: str | None
    callback_url: str | None
    callback_method: str | None


NOTHING_ASKED = CheckedOrder(
    wishes=(),
    allow_back_ordering=False,
    external_reference_id=None,
    callback_url=None,
    callback_method=None,
)
"""What stands behind an order that no request placed."""


def check_order(world: "World", attributes: Mapping[str, Any], version: str) -> CheckedOrder:
    """Check everything; all validation problems are told at once."""
    kind, items = _well_formed_items(attributes)
    problems = _callback_problems(attributes, version) + reference_problems(attributes)
    # Left out, it means true since 2026-04-16; so before that it meant false.
    back_ordering = attributes.get("allow_back_ordering", version > V2022)
    if not isinstance(back_ordering, bool):
        problems.append(invalid("/data/attributes/allow_back_ordering", "is invalid"))
    check = _wish if kind == "did_order_items" else _capacity_wish
    wishes: list[Wish | CapacityWish] = []
    for position, item in enumerate(items):
        found = check(world, item, f"{ITEMS}/{position}")
        if isinstance(found, list):
            problems += found
        else:
            wishes.append(found)
    if not problems:
        numbers = [wish for wish in wishes if isinstance(wish, Wish)]
        problems += _scarcity_problems(world, numbers, back_ordering=back_ordering)
    if problems:
        raise RefusedError(422, *problems)
    method = attributes.get("callback_method")
    return CheckedOrder(
        wishes=tuple(wishes),
        allow_back_ordering=back_ordering,
        external_reference_id=attributes.get("external_reference_id"),
        callback_url=attributes.get("callback_url"),
        callback_method=method.lower() if method else None,
    )


def reference_problems(attributes: Mapping[str, Any]) -> list[Problem]:
    reference = attributes.get("external_reference_id")
    pointer = "/data/attributes/external_reference_id"
    if reference is not None and not isinstance(reference, str):
        return [invalid(pointer, "is invalid")]
    if reference is not None and len(reference) > MAX_REFERENCE_LENGTH:
        return [invalid(pointer, f"is too long (maximum is {MAX_REFERENCE_LENGTH} characters)")]
    return []


def _well_formed_items(
    attributes: Mapping[str, Any],
) -> tuple[str, list[Mapping[str, Any]]]:
    """The items' type, and the attributes of each; what has not the form of items is a 400."""
    if "items" not in attributes:
        raise parameter_missing("items")
    items = attributes["items"]
    if not isinstance(items, list) or not items:
        raise malformed("items must be a list of at least one item.")
    for item in items:
        if not isinstance(item, dict) or not isinstance(item.get("attributes"), dict):
            raise malformed("An item needs type and attributes.")
        if not isinstance(item.get("type"), str) or item["type"] not in _ITEM_KEYS:
            raise malformed(f"{item.get('type')} is not a type of item that can be ordered.")
        for key in item["attributes"]:
            if key not in _ITEM_KEYS[item["type"]]:
                raise parameter_not_allowed(key)
    if len({item["type"] for item in items}) > 1:
        raise malformed("All items of an order must be of one type.")
    kind: str = items[0]["type"]
    wanted = [item["attributes"] for item in items]
    for item in wanted:
        if kind == "capacity_order_items":
            _check_members(item, "capacity_pool_id", "qty")
        else:
            _check_members(item, "sku_id")
            _check_source(item)
    return kind, wanted


def _check_members(item: Mapping[str, Any], *keys: str) -> None:
    for key in keys:
        if item.get(key) is None:
            raise malformed(f"An item needs {key}.")


def _check_source(item: Mapping[str, Any]) -> None:
    """An item says in exactly one way which numbers it wants; a prefix alone means one of it."""
    sources = [key for key in _SOURCES if item.get(key) is not None]
    if len(sources) > 1 or (not sources and item.get("nanpa_prefix_id") is None):
        raise malformed(f"An item needs exactly one of {', '.join(_SOURCES)}.")


def _callback_problems(attributes: Mapping[str, Any], version: str) -> list[Problem]:
    url, method = attributes.get("callback_url"), attributes.get("callback_method")
    known = ("GET", "POST") if version <= V2022 else ("get", "post")
    problems = []
    if url is None and method is not None:
        problems.append(invalid("/data/attributes/callback_url", "can't be blank"))
    elif url is not None and not str(url).startswith(("http://", "https://")):
        problems.append(invalid("/data/attributes/callback_url", "is invalid"))
    if method is None and url is not None:
        problems.append(invalid("/data/attributes/callback_method", "can't be blank"))
    elif method is not None and method not in known:
        problems.append(invalid("/data/attributes/callback_method", "is not included in the list"))
    return problems


def _capacity_wish(
    world: "World", item: Mapping[str, Any], pointer: str
) -> CapacityWish | list[Problem]:
    """Check one item of channels."""
    pool = world.owned.capacity_pools.get(str(item["capacity_pool_id"]))
    if pool is None:
        return [invalid(f"{pointer}/capacity_pool_id", "must exist")]
    qty, least = item["qty"], pool.minimum_qty_per_order
    if not isinstance(qty, int) or isinstance(qty, bool) or not least <= qty <= MAX_QTY:
        return [invalid(f"{pointer}/qty", f"must be between {least} and {MAX_QTY}")]
    return CapacityWish(pool=pool, qty=qty)


def _wish(world: "World", item: Mapping[str, Any], pointer: str) -> Wish | list[Problem]:
    """Check one item by itself."""
    sku = world.sku(str(item["sku_id"]))
    if sku is None:
        return [invalid(f"{pointer}/sku_id", "must exist")]
    group = world.atlas.group_of_sku[sku.id]
    problems = []
    qty = item.get("qty")
    if qty is None:
        qty = 1
    if not isinstance(qty, int) or isinstance(qty, bool) or not 1 <= qty <= MAX_QTY:
        problems.append(invalid(f"{pointer}/qty", f"must be between 1 and {MAX_QTY}"))
    cycles = item.get("billing_cycles_count")
    if cycles is not None and not (
        isinstance(cycles, int)
        and not isinstance(cycles, bool)
        and 0 <= cycles <= MAX_BILLING_CYCLES
    ):
        problems.append(
            invalid(
                f"{pointer}/billing_cycles_count", f"must be between 0 and {MAX_BILLING_CYCLES}"
            )
        )
    prefix_id = item.get("nanpa_prefix_id")
    if prefix_id is not None and prefix_id not in [key for key in group.stock if key]:
        problems.append(invalid(f"{pointer}/nanpa_prefix_id", "is invalid"))
    did, reservation_id = _selected_did(world, item)
    for key in _SOURCES[1:]:
        if item.get(key) is None:
            continue
        if did is None:
            problems.append(invalid(f"{pointer}/{key}", "is not available"))
        elif did.group_id != group.id:
            problems.append(invalid(f"{pointer}/sku_id", "is invalid"))
        elif prefix_id is not None and did.prefix_id != prefix_id:
            problems.append(invalid(f"{pointer}/nanpa_prefix_id", "is invalid"))
    if problems:
        return problems
    return Wish(
        sku=sku,
        group=group,
        qty=qty,
        prefix_id=prefix_id,
        billing_cycles_count=cycles,
        available_did=did,
        reservation_id=reservation_id,
    )


def _selected_did(
    world: "World", item: Mapping[str, Any]
) -> tuple[AvailableDid | None, str | None]:
    """The single number an item asks for, and the reservation that holds it."""
    if not world.settings.available_dids:
        return None, None
    if item.get("did_reservation_id") is not None:
        reservation = world.reservation(str(item["did_reservation_id"]))
        return (reservation.available_did, reservation.id) if reservation else (None, None)
    if item.get("available_did_id") is not None:
        return world.stock.shown(str(item["available_did_id"])), None
    return None, None


def _scarcity_problems(
    world: "World", wishes: Sequence[Wish], *, back_ordering: bool
) -> list[Problem]:
    """Check that the items together do not ask for more than there is, or for one number twice."""
    problems = []
    selected: set[str] = set()
    asked: dict[tuple[str, str | None], int] = {}
    for position, wish in enumerate(wishes):
        if wish.available_did is not None:
            if wish.available_did.id in selected:
                key = "did_reservation_id" if wish.reservation_id else "available_did_id"
                problems.append(invalid(f"{ITEMS}/{position}/{key}", "is not available"))
            selected.add(wish.available_did.id)
            continue
        # Items of one group share its stock, whether they name a prefix or not.
        asked[wish.group.id, None] = asked.get((wish.group.id, None), 0) + wish.qty
        short = asked[wish.group.id, None] > world.stock.count(wish.group.id, None)
        if wish.prefix_id is not None:
            asked[wish.group.id, wish.prefix_id] = (
                asked.get((wish.group.id, wish.prefix_id), 0) + wish.qty
            )
            in_stock = world.stock.count(wish.group.id, wish.prefix_id)
            short = short or asked[wish.group.id, wish.prefix_id] > in_stock
        if short and not back_ordering:
            message = "is greater than the number of available DIDs"
            problems.append(invalid(f"{ITEMS}/{position}/qty", message))
    return problems
