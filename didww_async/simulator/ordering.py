"""An order's life: placed and paid, then completed with numbers or canceled."""

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

import attrs

from didww_async.simulator.checking import CheckedOrder, Wish, check_order, reference_problems
from didww_async.simulator.errors import Problem, RefusedError, refuse, unprocessable
from didww_async.simulator.records import Did, Order, OrderItem
from didww_async.simulator.text import decimal_text
from didww_async.simulator.versions import V2022

if TYPE_CHECKING:
    from didww_async.simulator.world import World

BILLING_PERIOD = timedelta(days=30)


def place(world: "World", data: Mapping[str, Any], version: str) -> Order:
    """Carry out POST /orders: all or nothing."""
    checked = check_order(world, data.get("attributes", {}), version)
    priced = [_priced(wish, world.settings.vat_rate) for wish in checked.wishes]
    amount = sum((item.qty * (item.nrc + item.mrc) for item in priced), start=Decimal(0))
    _check_funds(world, amount, version)
    return _carry_out(world, checked, priced, amount=amount, version=version)


def complete(world: "World", order_id: str) -> Order:
    """Deliver a pending order's numbers, back-ordered ones too."""
    order = world.orders[order_id]
    if order.status != "pending":
        raise ValueError(f"order {order.reference} is {order.status}")
    now = world.now()
    for item in order.items:
        for prefix_id, number in _numbers(world, item):
            world.keep_did(
                Did(
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
            )
    order = attrs.evolve(
        order,
        status="completed",
        items=tuple(
            attrs.evolve(item, billed_from=now.date(), billed_to=(now + BILLING_PERIOD).date())
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
    world.balance += order.amount
    for item in order.items:
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


def _priced(wish: Wish, vat_rate: Decimal) -> OrderItem:
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


def _carry_out(
    world: "World",
    checked: CheckedOrder,
    priced: Sequence[OrderItem],
    *,
    amount: Decimal,
    version: str,
) -> Order:
    # Items that name a prefix take first, or an item without one might leave them nothing.
    items = list(priced)
    for position in sorted(range(len(items)), key=lambda position: not items[position].prefix_id):
        items[position] = _taken_from_stock(world, items[position])
    world.balance -= amount
    reply_order = list(range(len(items)))
    world.chance.shuffle(reply_order)
    order = Order(
        id=world.new_id(),
        reference=world.new_reference(),
        description="DID",
        status="pending",
        amount=amount,
        items=tuple(items),
        reply_order=tuple(reply_order),
        created_at=world.now(),
        listed_from=time.monotonic() + world.settings.orders_visible_after,
        version=version,
        allow_back_ordering=checked.allow_back_ordering,
        external_reference_id=checked.external_reference_id,
        callback_url=checked.callback_url,
        callback_method=checked.callback_method,
    )
    world.keep_order(order)
    world.placed(order)
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
