"""The state of one simulated account: stock, prices, balance, orders, numbers and reservations."""

import random
import string
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from didww_async.simulator.atlas import Atlas
from didww_async.simulator.belongings import Belongings
from didww_async.simulator.capacity import first_pools
from didww_async.simulator.coverage import GroupRow, SkuRow
from didww_async.simulator.records import Balance, Did, Order, Reservation
from didww_async.simulator.regulation import Regulation
from didww_async.simulator.settings import Settings
from didww_async.simulator.stock import Stock
from didww_async.simulator.uploading import PublicKey, shipped_keys


def ignore(_record: Any) -> None:
    """Do nothing."""


class World:
    """What changes. Everything happens between two awaits, so each request is atomic."""

    def __init__(self, atlas: Atlas, settings: Settings) -> None:
        self.atlas: Atlas = atlas
        self.settings: Settings = settings
        self.base_url = ""
        """Where the world is served: what some attributes tell."""
        self.chance = random.Random(settings.seed)  # noqa: S311  # repeatable on purpose
        self.stock: Stock = Stock(atlas, chance=self.chance)
        self.balance = settings.opening_balance
        self.orders: dict[str, Order] = {}
        self.dids: dict[str, Did] = {}
        self.reservations: dict[str, Reservation] = {}
        self.owned: Belongings = Belongings(
            capacity_pools=first_pools(atlas, settings.clock().date()),
        )
        self.regulation: Regulation = Regulation(atlas)
        self.public_keys: Sequence[PublicKey] = shipped_keys()
        self.placed: Callable[[Order], None] = ignore
        """Called with every new order."""
        self.completed: Callable[[Order], None] = ignore
        """Called with every order that completed: the place to send its callback from."""
        self.canceled: Callable[[Order], None] = ignore
        """Called with every order that was canceled, by the customer or by DIDWW."""
        self.submitted: Callable[[Any], None] = ignore
        """Called with every verification and export that is to be decided or made later."""
        self.settled: Callable[[Any], None] = ignore
        """Called with each of them that was approved, rejected or completed."""
        self._prices: dict[str, SkuRow] = {}
        self._pending: dict[str, Order] = {}
        self.dids_by_order: dict[str, list[Did]] = {}

    def now(self) -> datetime:
        return self.settings.clock()

    def new_id(self) -> str:
        # Not repeatable: ids of two simulators, or of before and after a reset, never meet.
        return str(uuid.uuid4())

    def new_reference(self) -> str:
        """Something like RNQ-961086."""
        letters = "".join(self.chance.choices(string.ascii_uppercase, k=3))
        return f"{letters}-{self.chance.randrange(100_000, 1_000_000)}"

    def new_secret(self) -> str:
        """A user name or a password that the server makes."""
        return "".join(self.chance.choices(string.ascii_lowercase + string.digits, k=16))

    # Prices

    def sku(self, id: str) -> SkuRow | None:
        return self._prices.get(id) or self.atlas.skus.get(id)

    def skus(self, group: GroupRow) -> Sequence[SkuRow]:
        return [self._prices.get(sku.id, sku) for sku in group.skus]

    def set_price(
        self, sku_id: str, *, setup_price: Decimal | None, monthly_price: Decimal | None
    ) -> None:
        sku = self._prices.get(sku_id, self.atlas.skus[sku_id])
        self._prices[sku_id] = attrs.evolve(
            sku,
            setup_price=sku.setup_price if setup_price is None else setup_price,
            monthly_price=sku.monthly_price if monthly_price is None else monthly_price,
        )

    # Availability

    def any_available(self, groups: Sequence[GroupRow]) -> bool:
        return any(self.stock.total(group.id) for group in groups)

    # Money

    def account(self) -> Balance:
        account_id = str(uuid.uuid5(uuid.NAMESPACE_URL, self.settings.api_key))
        return Balance(account_id, self.balance, self.settings.credit)

    def settled_funds(self) -> Decimal:
        """What the balance check of an order sees: not what other pending orders cost."""
        pending = sum((order.amount for order in self._pending.values()), start=Decimal(0))
        return self.balance + pending + self.settings.credit

    # Orders and numbers

    def listed_orders(self) -> list[Order]:
        """The orders that GET /orders shows by now."""
        now = self.now()
        return [order for order in self.orders.values() if order.listed_from <= now]

    def keep_order(self, order: Order) -> None:
        """Add an order, or put a changed one in the place of the old one."""
        self.orders[order.id] = order
        if order.status == "pending":
            self._pending[order.id] = order
        else:
            self._pending.pop(order.id, None)

    def keep_did(self, did: Did) -> None:
        """Add a number, or put a changed one in the place of the old one."""
        siblings = self.dids_by_order.setdefault(did.order_id, [])
        if did.id in self.dids:
            siblings[next(at for at, old in enumerate(siblings) if old.id == did.id)] = did
        else:
            siblings.append(did)
        self.dids[did.id] = did

    def drop_did(self, did: Did) -> None:
        del self.dids[did.id]
        self.dids_by_order[did.order_id].remove(did)

    # Reservations

    def live_reservations(self) -> list[Reservation]:
        """The reservations that have not lapsed; the numbers of the others go back to stock."""
        now = self.now()
        for reservation in list(self.reservations.values()):
            if reservation.expires_at <= now:
                self.release(reservation)
        return list(self.reservations.values())

    def reservation(self, id: str) -> Reservation | None:
        self.live_reservations()
        return self.reservations.get(id)

    def release(self, reservation: Reservation) -> None:
        """End a reservation; its number can be had again."""
        del self.reservations[reservation.id]
        self.stock.put_back_shown(reservation.available_did)
