"""An order's life: placed and paid, then completed with numbers or canceled."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

import attrs

from didww_async.simulator.capacity import add_channels
from didww_async.simulator.checking import (
    NOTHING_ASKED,
    CapacityWish,
    CheckedOrder,
    Wish,
    check_order,
    reference_problems,
)
from didww_async.simulator.errors import Problem, RefusedError, refuse, unprocessable
from didww_async.simulator.history import remember
from didww_async.simulator.records import CapacityItem, Did, EmergencyItem, Item, Order, OrderItem
from didww_async.simulator.text import decimal_text
from didww_async.simulator.versions import V2022, V2026

if TYPE_CHECKING:
    from didww_async.simulator.world import World

BILLING_PERIOD = timedelta(days=30)


def place(world: "World", data: Mapping[str, Any], version: str) -> Order:
    """Carry out POST /orders: all or nothing."""
    checked = check_order(world, data.get("attributes", {}), version)
    priced = [_priced(wish, world.settings.vat_rate) for wish in checked.wishes]
    _check_funds(world, _amount(priced), version)
    order = _kept(
        world,
        checked,
        _taken(world, priced),
        description="DID" if isinstance(priced[0], OrderItem) else "Capacity",
        version=version,
    )
    world.placed(order)
    return order


def place_emergency(
    world: "World", service_id: str, *, setup_price: Decimal, monthly_price: Decimal
) -> Order:
    """Order an emergency calling service, as a verification of numbers does."""
    vat_rate = world.settings.vat_rate
    item = EmergencyItem(
        qty=1,
        nrc=_with_vat(setup_price, vat_rate),
        mrc=_with_vat(monthly_price, vat_rate),
        emergency_calling_service_id=service_id,
    )
    _check_funds(world, _amount([item]), V2026)
    return _kept(world, NOTHING_ASKED, [item], description="Emergency", version=V2026)


def complete(world: "World", order_id: str) -> Order:
    """Deliver what a pending order is about: numbers, back-ordered ones too, or channels."""
    order = world.orders[order_id]
    if order.status != "pending":
        raise ValueError(f"order {order.reference} is {order.status}")
    if any(isinstance(item, EmergencyItem) for item in order.items):
        raise ValueError(f"order {order.reference} completes when its verification is approved")
    for item in order.items:
        if isinstance(item, OrderItem):
            _deliver(world, order, item)
        elif isinstance(item, CapacityItem):
            add_channels(world, item.capacity_pool_id, item.qty)
    return _completed(world, order)


def settle_emergency(world: "World", order_id: str, *, canceled: bool) -> None:
    """End the order of an emergency calling service, if it is not completed already."""
    order = world.orders[order_id]
    if order.status == "pending" and canceled:
        _give_back(world, order)
    elif order.status == "pending":
        _completed(world, order)


def _deliver(world: "World", order: Order, item: OrderItem) -> None:
    now = world.now()
    for prefix_id, number in _numbers(world, item):
        did = Did(
            id=world.new_id(),
            number=number,
            order_id=order.id,
            group_id=item.group_id,
            sku_id=item.sku_id,
            prefix_id=prefix_id,
            created_at=now,
            expires_at=now + BILLING_PERIOD,
            awaiting_registration=world.atlas.groups[item.group_id].needs_registration,
            channels_included_count=item.channels_included_count,
            billing_cycles_count=item.billing_cycles_count,
        )
        world.keep_did(did)
        remember(world, did, "assigned")


def _completed(world: "World", order: Order) -> Order:
    today = world.now()
    order = attrs.evolve(
        order,
        status="completed",
        items=tuple(
            attrs.evolve(item, billed_from=today.date(), billed_to=(today + BILLING_PERIOD).date())
            for item in order.items
        ),
    )
    world.keep_order(order)
    world.completed(order)
    return order


def cancel(world: "World", order: Order) -> None:
    """Carry out DELETE /orders/{id}: a pending order gives back its money and its stock."""
    if order.status != "pending":
        raise unprocessable("/data/attributes/base", "Order not pending")
    if not order.did_items:
        raise unprocessable("/data/attributes/base", "Order can't be canceled")
    _give_back(world, order)


def _give_back(world: "World", order: Order) -> None:
    world.balance += order.amount
    for item in order.did_items:
        if item.available_did is not None:
            world.stock.put_back_shown(item.available_did)
        else:
            world.stock.give_back(item.group_id, item.taken)
    canceled = attrs.evolve(order, status="canceled")
    world.keep_order(canceled)
    world.canceled(canceled)


def change_reference(world: "World", order: Order, data: Mapping[str, Any], _version: str) -> Order:
    """Carry out PATCH /orders/{id}, which can change the external reference only."""
    attributes = data.get("attributes", {})
    problems = reference_problems(attributes)
    if problems:
        raise RefusedError(422, *problems)
    if "external_reference_id" in attributes:
        order = attrs.evolve(order, external_reference_id=attributes["external_reference_id"])
        world.keep_order(order)
    return order


def _check_funds(world: "World", amount: Decimal, version: str) -> None:
    available = world.settled_funds()
    if available > 0 and amount <= available:
        return
    if version <= V2022:
        raise refuse(400, "Insufficient funds", "Insufficient funds")
    raise RefusedError(
        400,
        Problem(
            title="Insufficient balance",
            detail="Insufficient balance",
            code="400",
            meta={
                "available_balance": decimal_text(available),
                "total_cost": decimal_text(amount),
            },
        ),
    )


def _amount(items: Sequence[Item]) -> Decimal:
    return sum((item.qty * (item.nrc + item.mrc) for item in items), start=Decimal(0))


def _priced(wish: Wish | CapacityWish, vat_rate: Decimal) -> OrderItem | CapacityItem:
    if isinstance(wish, CapacityWish):
        setup_price, monthly_price = wish.pool.price_of(wish.qty)
        return CapacityItem(
            qty=wish.qty,
            nrc=_with_vat(setup_price, vat_rate),
            mrc=_with_vat(monthly_price, vat_rate),
            capacity_pool_id=wish.pool.id,
        )
    return OrderItem(
        sku_id=wish.sku.id,
        group_id=wish.group.id,
        qty=wish.qty,
        nrc=_with_vat(wish.sku.setup_price, vat_rate),
        mrc=_with_vat(wish.sku.monthly_price, vat_rate),
        channels_included_count=wish.sku.channels_included_count,
        prefix_id=wish.prefix_id,
        billing_cycles_count=wish.billing_cycles_count,
        available_did=wish.available_did,
        reservation_id=wish.reservation_id,
    )


def _with_vat(price: Decimal, vat_rate: Decimal) -> Decimal:
    """Rounding to cents happens per unit; how the real API rounds is not documented."""
    if not vat_rate:
        return price
    return (price * (1 + vat_rate)).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def _taken(world: "World", priced: Sequence[Item]) -> list[Item]:
    """Take what was ordered from stock."""
    # Items that name a prefix take first, or an item without one might leave them nothing.
    items = list(priced)
    numbers = {at: item for at, item in enumerate(priced) if isinstance(item, OrderItem)}
    for at, item in sorted(numbers.items(), key=lambda pair: not pair[1].prefix_id):
        items[at] = _taken_from_stock(world, item)
    return items


def _kept(
    world: "World",
    checked: CheckedOrder,
    items: Sequence[Item],
    *,
    description: str,
    version: str,
) -> Order:
    """Pay for an order and keep it."""
    amount = _amount(items)
    world.balance -= amount
    reply_order = list(range(len(items)))
    world.chance.shuffle(reply_order)
    order = Order(
        id=world.new_id(),
        reference=world.new_reference(),
        description=description,
        status="pending",
        amount=amount,
        items=tuple(items),
        reply_order=tuple(reply_order),
        created_at=world.now(),
        listed_from=world.now() + timedelta(seconds=world.settings.orders_visible_after),
        version=version,
        allow_back_ordering=checked.allow_back_ordering,
        external_reference_id=checked.external_reference_id,
        callback_url=checked.callback_url,
        callback_method=checked.callback_method,
    )
    world.keep_order(order)
    return order


def _taken_from_stock(world: "World", item: OrderItem) -> OrderItem:
    did = item.available_did
    if did is None:
        taken = world.stock.take(item.group_id, item.qty, item.prefix_id)
        missing = item.qty - sum(part for _key, part in taken)
        return attrs.evolve(item, taken=taken, missing=missing)
    if item.reservation_id is not None:
        # The reservation took the number out of stock already.
        del world.reservations[item.reservation_id]
    else:
        world.stock.take_shown(did)
    return attrs.evolve(item, taken=((did.prefix_id or "", 1),))


def _numbers(world: "World", item: OrderItem) -> list[tuple[str | None, str]]:
    """The numbers an item is delivered with, each with its NANPA prefix."""
    if item.available_did is not None:
        return [(item.available_did.prefix_id, item.available_did.number)]
    group = world.atlas.groups[item.group_id]
    sources = [key for key, part in item.taken for _ in range(part)]
    # Back-ordered numbers come from the prefix that was asked for, or from any of the group's.
    restock = [item.prefix_id] if item.prefix_id is not None else sorted(group.stock) or [""]
    sources += [world.chance.choice(restock) for _ in range(item.missing)]
    return [(key or None, world.stock.new_number(group, key or None)) for key in sources]
