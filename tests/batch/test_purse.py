"""The purse: whatever is set aside at one time is covered by the balance, VAT included."""

import asyncio
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from didww_async import ErrorObject, InsufficientBalance
from flows.batch.purse import Purse
from flows.errors import BalanceTooLow, PriceOverLimit


class Account:
    """An account at DIDWW: every order is checked by itself, as DIDWW does it."""

    def __init__(self, balance: Decimal, vat: Decimal) -> None:
        self.balance = balance
        self.vat = vat
        self.reads = 0
        self.on_their_way = Decimal(0)

    async def read(self) -> Decimal:
        self.reads += 1
        await asyncio.sleep(0)
        return self.balance


@given(
    balance=st.integers(1, 400),
    prices=st.lists(st.integers(1, 90), min_size=1, max_size=12),
    vat=st.sampled_from(["1", "1.07", "1.21", "1.27"]),
    at_once=st.integers(1, 5),
)
@settings(deadline=None)
def test_orders_that_are_on_their_way_together_never_overrun(
    balance: int, prices: list[int], vat: str, at_once: int
) -> None:
    asyncio.run(orders(Decimal(balance), list(map(Decimal, prices)), Decimal(vat), at_once))


async def orders(balance: Decimal, prices: list[Decimal], vat: Decimal, at_once: int) -> None:
    account = Account(balance, vat)
    purse = Purse(account.read)
    source = iter(enumerate(prices))
    together: dict[str, Decimal] = {}
    refused_alone = 0

    async def worker() -> None:
        nonlocal refused_alone
        for number, price in source:
            name = str(number)
            try:
                await purse.set_aside(name, price)
            except BalanceTooLow:
                assert price > account.balance / vat or together
                continue
            together[name] = price * vat
            # Only who goes alone may find out that VAT makes it too much.
            if sum(together.values()) > account.balance:
                assert 1 == len(together)
            await asyncio.sleep(0)
            del together[name]
            if price * vat > account.balance:
                refused_alone += 1
                purse.not_bought(name, price)
            else:
                account.balance -= price * vat
                purse.paid(name, price, amount=price * vat)

    await asyncio.gather(*(worker() for _ in range(at_once)))
    assert account.balance >= 0
    assert purse.ordered == (balance - account.balance) / vat


async def test_a_balance_that_is_enough_is_read_once() -> None:
    account = Account(Decimal(1000), Decimal(1))
    purse = Purse(account.read)
    for number in range(20):
        await purse.set_aside(str(number), Decimal(10))
        purse.paid(str(number), Decimal(10), amount=Decimal(10))
    assert 1 == account.reads


async def test_a_balance_that_was_topped_up_is_noticed() -> None:
    account = Account(Decimal(10), Decimal(1))
    purse = Purse(account.read)
    await purse.set_aside("a", Decimal(10))
    purse.paid("a", Decimal(10), amount=Decimal(10))
    account.balance = Decimal(50)
    await purse.set_aside("b", Decimal(40))
    assert 2 == account.reads


async def test_what_may_have_been_bought_stays_set_aside() -> None:
    account = Account(Decimal(30), Decimal(1))
    purse = Purse(account.read)
    await purse.set_aside("a", Decimal(20))
    purse.unknown("a")
    with pytest.raises(BalanceTooLow):
        await purse.set_aside("b", Decimal(20))


async def test_the_limit_counts_what_is_ordered_and_what_is_not_given_back() -> None:
    account = Account(Decimal(1000), Decimal(1))
    purse = Purse(account.read, max_total=Decimal(50), spent=Decimal(20))
    await purse.set_aside("a", Decimal(20))
    with pytest.raises(PriceOverLimit, match="max_total=50"):
        await purse.set_aside("b", Decimal(11))
    purse.not_bought("a", Decimal(20))
    await purse.set_aside("b", Decimal(30))


@pytest.mark.parametrize(
    ("understood", "meta"),
    [
        (True, {"available_balance": "30.0", "total_cost": "50.0"}),
        (True, {"available_balance": 30, "total_cost": 50}),
        (False, {}),
        (False, {"available_balance": "much", "total_cost": "50.0"}),
        (False, {"available_balance": None, "total_cost": None}),
        (False, {"available_balance": "NaN", "total_cost": "50"}),
    ],
)
async def test_what_a_refusal_says_of_the_balance_is_taken_over(
    understood: bool, meta: dict[str, object]
) -> None:
    account = Account(Decimal(45), Decimal(1))
    purse = Purse(account.read)
    refusal = InsufficientBalance(
        method="POST", url="/orders", status=400, errors=(ErrorObject(meta=meta),)
    )
    assert understood is purse.corrected(Decimal(40), refusal)
    if understood:
        assert Decimal(24) == purse.left_of_balance()
