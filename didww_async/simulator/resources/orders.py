"""Orders."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from didww_async.simulator.filters import at_least, at_most, moment, texts
from didww_async.simulator.ordering import cancel, change_reference, place
from didww_async.simulator.records import CapacityItem, EmergencyItem, Item, Order, OrderItem
from didww_async.simulator.schema import Attribute, Input, Resource, Sort, column
from didww_async.simulator.text import decimal_text, time_text
from didww_async.simulator.versions import V2022, V2026

if TYPE_CHECKING:
    from didww_async.simulator.world import World

STATUSES = ("pending", "completed", "canceled")


def old_status(_world: "World", order: Order) -> str:
    """2022-05-10 says Pending where later versions say pending."""
    return order.status.capitalize()


def _old_callback_method(_world: "World", order: Order) -> str | None:
    return order.callback_method.upper() if order.callback_method else None


def _items(_world: "World", order: Order) -> list[Mapping[str, Any]]:
    """The items, maybe in another order than sent, and never with their SKU or prefix."""
    return [_item(order.items[position]) for position in order.reply_order]


def _item(item: Item) -> Mapping[str, Any]:
    nrc, mrc = decimal_text(item.nrc), decimal_text(item.mrc)
    attributes: dict[str, Any] = {
        "qty": item.qty,
        "nrc": nrc,
        "mrc": mrc,
        "prorated_mrc": False,
        "billed_from": item.billed_from.isoformat() if item.billed_from else None,
        "billed_to": item.billed_to.isoformat() if item.billed_to else None,
    }
    match item:
        case OrderItem():
            kind = "did_order_items"
            attributes |= {"setup_price": nrc, "monthly_price": mrc, "did_group_id": item.group_id}
        case CapacityItem():
            kind = "capacity_order_items"
            attributes["capacity_pool_id"] = item.capacity_pool_id
        case EmergencyItem():
            kind = "emergency_order_items"
            attributes["emergency_calling_service_id"] = item.emergency_calling_service_id
        case _:
            kind = "generic_order_items"
    return {"type": kind, "attributes": attributes}


ORDERS = Resource(
    type="orders",
    path="orders",
    all=lambda world: world.listed_orders(),
    find=lambda world, record_id: world.orders.get(record_id),
    create=place,
    update=change_reference,
    delete=cancel,
    attributes=(
        Attribute("amount", read=lambda _world, order: decimal_text(order.amount)),
        Attribute("status", read=old_status, until=V2022),
        Attribute("status", read=column("status"), since=V2026),
        Attribute("created_at", read=lambda _world, order: time_text(order.created_at)),
        Attribute("description", read=column("description")),
        Attribute("reference", read=column("reference")),
        Attribute("items", read=_items),
        Attribute("callback_method", read=_old_callback_method, until=V2022),
        Attribute("callback_method", read=column("callback_method"), since=V2026),
        Attribute("callback_url", read=column("callback_url")),
        Attribute("external_reference_id", read=column("external_reference_id"), since=V2026),
    ),
    filters=(
        texts("id", column("id")),
        texts(
            "status",
            old_status,
            allowed=[status.capitalize() for status in STATUSES],
            until=V2022,
        ),
        texts("status", column("status"), allowed=STATUSES, since=V2026),
        texts("reference", column("reference")),
        texts("external_reference_id", column("external_reference_id"), since=V2026),
        at_least("created_at_gteq", column("created_at"), parse=moment),
        at_most("created_at_lteq", column("created_at"), parse=moment),
    ),
    sorts=(
        Sort("status", read=column("status")),
        Sort("amount", read=column("amount")),
        Sort("created_at", read=column("created_at")),
        Sort("reference", read=column("reference")),
        Sort("description", read=column("description")),
        Sort("external_reference_id", read=column("external_reference_id"), since=V2026),
    ),
    creates=(
        Input("items"),
        Input("allow_back_ordering"),
        Input("callback_url"),
        Input("callback_method"),
        Input("external_reference_id", since=V2026),
    ),
    updates=(Input("external_reference_id", since=V2026),),
)
