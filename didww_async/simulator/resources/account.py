"""The account's balance."""

from didww_async.simulator.schema import Attribute, Resource
from didww_async.simulator.text import cents_text

BALANCES = Resource(
    type="balances",
    path="balance",
    singleton=True,
    find=lambda world, _id: world.account(),
    paging=None,
    attributes=(
        Attribute("balance", read=lambda _world, row: cents_text(row.balance)),
        Attribute("credit", read=lambda _world, row: cents_text(row.credit)),
        Attribute("total_balance", read=lambda _world, row: cents_text(row.balance + row.credit)),
    ),
)
