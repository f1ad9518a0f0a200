"""What can't be right is refused by name before anything is planned, sent or bought."""

import asyncio
import contextlib
import gc
import math
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from purchases import NEW_YORK_GROUP, TWO_CHANNELS

from didww_async import Client, InvalidInput
from didww_async.simulator import Simulator
from flows import BuyDidFlow, MemoryJournal, OrderRules, PurchaseRequest, buy
from flows.batch import buy_many
from flows.journal import OrderRequest, journal_at
from flows.journal.worker import Worker

REQUEST = PurchaseRequest(country="GB", city="London", channels=2)


async def at_offer(flow: BuyDidFlow) -> None:
    await flow.choose_country("GB")
    await flow.choose_city("London")
    await flow.choose_offer(channels=2)


@pytest.mark.parametrize("given", ["false", "", 0, 1])
async def test_a_back_order_is_asked_for_with_a_bool(client: Client, given: Any) -> None:
    journal = MemoryJournal()
    flow = BuyDidFlow(client, journal=journal)
    await at_offer(flow)
    with pytest.raises(InvalidInput, match="allow_back_ordering is True or False"):
        await flow.quote(allow_back_ordering=given)
    with pytest.raises(InvalidInput, match="allow_back_ordering is True or False"):
        await flow.offers(allow_back_ordering=given)
    with pytest.raises(InvalidInput, match="allow_back_ordering is True or False"):
        OrderRequest.of_one(
            sku_id=TWO_CHANNELS,
            did_group_id=NEW_YORK_GROUP,
            quantity=1,
            allow_back_ordering=given,
        )
    await flow.quote()
    assert "order" in flow.possible


@pytest.mark.parametrize("timeout", [None, "60", -1, math.nan, True])
async def test_a_wrong_timeout_is_told_before_anything_is_ordered(
    sim: Simulator, client: Client, timeout: Any
) -> None:
    journal = MemoryJournal()
    with pytest.raises(InvalidInput, match="timeout is seconds"):
        await buy(client, REQUEST, timeout=timeout)
    with pytest.raises(InvalidInput, match="timeout is seconds"):
        buy_many(client, [REQUEST], journal=journal, batch="b", timeout=timeout)
    flow = BuyDidFlow(client, journal=journal)
    with pytest.raises(InvalidInput, match="timeout is seconds"):
        await buy(client, REQUEST, journal=journal, timeout=timeout)
    assert ([], []) == (sim.orders, await journal.list())
    await at_offer(flow)
    await flow.quote()
    await flow.order()
    with pytest.raises(InvalidInput, match="timeout is seconds"):
        await flow.wait(timeout=timeout)
    with pytest.raises(InvalidInput, match="timeout is seconds"):
        await flow.carry_on(timeout=timeout)
    assert 1 == (await flow.wait(timeout=math.inf)).purchase.request.quantity


@pytest.mark.parametrize(
    "given",
    [
        {"attempts": 0},
        {"attempts": 1.5},
        {"claim_age": 0},
        {"settle_for": "5"},
        {"order_within": 0},
        {"margin": -1},
        {"quote_age": math.nan},
        {"head_start": math.inf},
        {"look_every": (1, 0.5)},
        {"look_every": 0.5},
        {"timeouts": 30},
        {"callback_url": "shop.example/hook"},
    ],
)
def test_rules_that_can_not_be_kept(given: dict[str, Any]) -> None:
    [name] = given
    with pytest.raises(InvalidInput, match=name):
        OrderRules(**given)


@pytest.mark.parametrize(
    "features", [{"voice_in"}, (it for it in ["voice_in"]), "voice_in", None, 5]
)
async def test_features_are_a_list_or_tuple(client: Client, features: Any) -> None:
    with pytest.raises(InvalidInput, match="features is a list or tuple of names"):
        PurchaseRequest(country="GB", features=features)
    flow = BuyDidFlow(client)
    await flow.choose_country("GB")
    with pytest.raises(InvalidInput, match="features is a list or tuple of names"):
        await flow.offers(features=features)


def test_preferences_that_do_not_exist() -> None:
    preferred: Any = []
    with pytest.raises(InvalidInput, match="prefer is 'cheapest' or None"):
        PurchaseRequest(country="GB", prefer=preferred)


@pytest.mark.parametrize("name", [None, "", "  ", 5])
@pytest.mark.parametrize(
    ("step", "what"),
    [
        (BuyDidFlow.choose_country, "country"),
        (BuyDidFlow.choose_region, "region"),
        (BuyDidFlow.choose_city, "city"),
        (BuyDidFlow.choose_number_type, "number type"),
    ],
)
async def test_a_field_of_a_form_that_was_left_empty(
    client: Client, step: Callable[..., Any], what: str, name: Any
) -> None:
    flow = BuyDidFlow(client)
    await flow.choose_country("US")
    with pytest.raises(InvalidInput, match=f"{what} is a name or id, not"):
        await step(flow, name)


@pytest.mark.parametrize(
    "where",
    [
        "postgresql+psycopg://shop:S3CRET@db/shop",
        "POSTGRESQL://shop:S3CRET@db/shop",
        " postgresql://shop:S3CRET@db/shop",
        "postgresql:/shop:S3CRET@db/shop",
        "shop:S3CRET@db/shop",
        "host=db user=shop password=S3CRET dbname=shop",
    ],
)
def test_an_address_is_no_file_and_its_password_is_not_shown(where: str) -> None:
    with pytest.raises(InvalidInput, match="begins with postgresql://") as told:
        journal_at(where)
    assert "S3CRET" not in str(told.value)


async def test_a_path_is_no_journal(client: Client, tmp_path: Path) -> None:
    journal: Any = str(tmp_path / "x.db")
    with pytest.raises(InvalidInput, match="journal_at"):
        await buy(client, REQUEST, journal=journal)


async def test_a_failure_that_nobody_waits_for_is_no_news() -> None:
    loop, told = asyncio.get_running_loop(), list[Any]()
    loop.set_exception_handler(lambda _, context: told.append(context))
    worker, goes_on = Worker("a journal", threads=1), threading.Event()

    def fails() -> None:
        goes_on.wait(5)
        raise OSError("the disk is full")

    async def cancelled() -> None:
        asking = asyncio.create_task(worker.run(fails))
        await asyncio.sleep(0.05)
        asking.cancel()
        loop.call_later(0.05, goes_on.set)
        with contextlib.suppress(asyncio.CancelledError):
            await asking

    await cancelled()
    await worker.aclose(lambda: None)
    gc.collect()
    await asyncio.sleep(0)
    assert [] == told
