"""Waiting for orders: many waiters, few requests, and nobody hangs."""

import asyncio

import pytest
from purchases import HURRIED, TWO_CHANNELS

from didww_async import Client, Unauthorized
from didww_async.resources import DidOrderItem, OrderCreate, OrderStatus
from didww_async.simulator import DropAfter, ServerFault, Simulator
from flows.watching import OrderWatcher, pause_for


@pytest.mark.parametrize(
    ("expected", "age"),
    [(0.5, 0), (0.5, 5), (6, 60), (60, 600), (300, 3000), (300, 3600), (300, 86_400 * 9)],
)
def test_old_orders_are_looked_at_seldom_but_always(expected: float, age: float) -> None:
    assert expected == pause_for(age, first=0.5)


async def order(client: Client) -> str:
    made = await client.orders.create(
        OrderCreate(items=(DidOrderItem(sku_id=TWO_CHANNELS, qty=1),))
    )
    return made.id


def looks(sim: Simulator) -> int:
    return sum(request.method == "GET" for request in sim.requests)


@pytest.fixture
def watcher(client: Client) -> OrderWatcher:
    return OrderWatcher(client, rules=HURRIED)


async def wait(watcher: OrderWatcher, order_id: str, within: float = 5) -> OrderStatus | None:
    with watcher.watching(order_id, age=0) as watched:
        found = await watched.final(within=within)
    return found.status if found else None


async def test_many_waiters_share_the_requests(
    client: Client, sim: Simulator, watcher: OrderWatcher
) -> None:
    sim.completes_after = None
    ids = [await order(client) for _ in range(150)]
    waiters = [asyncio.create_task(wait(watcher, order_id)) for order_id in ids * 2]
    await asyncio.sleep(0.1)
    before = looks(sim)
    for order_id in ids:
        sim.complete(order_id)
    assert {OrderStatus.COMPLETED} == set(await asyncio.gather(*waiters))
    assert looks(sim) - before <= 6
    assert before <= 40


async def test_a_single_order_is_found_before_lists_show_it(
    client: Client, sim: Simulator, watcher: OrderWatcher
) -> None:
    sim.orders_visible_after = 60
    assert OrderStatus.COMPLETED == await wait(watcher, await order(client))


async def test_new_orders_among_others_are_found_before_lists_show_them(
    client: Client, sim: Simulator, watcher: OrderWatcher
) -> None:
    sim.orders_visible_after = 60
    ids = [await order(client) for _ in range(3)]
    found = await asyncio.gather(*(wait(watcher, order_id) for order_id in ids))
    assert [OrderStatus.COMPLETED] * 3 == found


async def test_a_hint_makes_it_look_at_once(client: Client, sim: Simulator) -> None:
    sim.completes_after = None
    order_id = await order(client)
    watcher = OrderWatcher(client, rules=HURRIED)
    with watcher.watching(order_id, age=3600) as watched:
        assert await watched.final(within=0.1) is None
        before = looks(sim)
        sim.complete(order_id)
        assert await watched.final(within=0.2) is None
        assert before == looks(sim)  # an hour old: not due for minutes
        watcher.hint(order_id)
        found = await watched.final(within=2)
    assert found is not None
    assert OrderStatus.COMPLETED == found.status
    watcher.hint("somebody else's order")


async def test_a_server_that_fails_for_a_while_is_asked_again(
    client: Client, sim: Simulator, watcher: OrderWatcher
) -> None:
    order_id = await order(client)
    sim.inject(ServerFault(503), method="GET", times=4)
    sim.inject(DropAfter(), method="GET", times=4)
    assert OrderStatus.COMPLETED == await wait(watcher, order_id)


async def test_what_looking_again_will_not_mend_is_raised_in_every_waiter(sim: Simulator) -> None:
    async with Client(api_key="wrong", base_url=sim.base_url) as stranger:
        watcher = OrderWatcher(stranger, rules=HURRIED)
        results = await asyncio.gather(
            *(wait(watcher, order_id) for order_id in "ab"), return_exceptions=True
        )
    assert [Unauthorized, Unauthorized] == [type(result) for result in results]


async def test_an_order_nobody_waits_for_any_more_is_not_polled(
    client: Client, sim: Simulator, watcher: OrderWatcher
) -> None:
    sim.completes_after = None
    order_id = await order(client)
    waiter = asyncio.create_task(wait(watcher, order_id))
    await asyncio.sleep(0.05)
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    before = looks(sim)
    await asyncio.sleep(0.15)
    assert looks(sim) - before <= 1
