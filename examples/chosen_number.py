"""One particular number: look through the stock, hold it, order it.

This is the API itself, without the journal of `flows`: the POST is never repeated, but it is up to
you not to run it twice. `external_reference_id` finds the order again when its answer was lost.
"""

import asyncio

from didww_async import Client, OutcomeUnknown
from didww_async.resources import DidReservationCreate, OrderCreate, ReservedDidOrderItem

REFERENCE = "po-4712"


async def main() -> None:
    async with Client.from_env() as client:
        country = await client.countries.first(filter={"iso": "US"})
        assert country is not None
        number = await client.available_dids.first(
            filter={"country.id": country.id, "number_contains": "77"},
            include=["did_group.stock_keeping_units"],
        )
        if number is None or number.did_group is None:
            raise SystemExit("no such number is in stock")
        held = await client.did_reservations.create(
            DidReservationCreate(available_did=number.id, description="for Ada")
        )
        print(number.number, "is held until", held.expires_at)

        sku = min(number.did_group.stock_keeping_units, key=lambda sku: sku.monthly_price)
        try:
            order = await client.orders.create(
                OrderCreate(
                    items=[ReservedDidOrderItem(sku_id=sku.id, did_reservation_id=held.id)],
                    allow_back_ordering=False,
                    external_reference_id=REFERENCE,
                )
            )
        except OutcomeUnknown:
            found = await client.orders.list(filter={"external_reference_id": REFERENCE})
            raise SystemExit(f"perhaps bought: {[order.id for order in found]}") from None
        print(order.id, order.status, order.amount)


asyncio.run(main())
