"""One purchase, three API versions: the flow, `buy`, number types, bearer tokens that end."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from purchases import HURRIED, NEW_YORK_GROUP, TWO_CHANNELS, posts

from didww_async import (
    BearerToken,
    Client,
    KeyRefused,
    RateLimit,
    ReadOnlyToken,
    RetryPolicy,
    TokenNotFetched,
    TokenRejected,
)
from didww_async.simulator import (
    DropBefore,
    Fault,
    ReceivedRequest,
    Redirect,
    ServerFault,
    Simulator,
    TooMany,
)
from flows import BuyDidFlow, Completed, PurchaseRequest, buy
from flows.errors import NoMatch
from flows.journal import Limits, MemoryJournal, OrderRequest, Purchase, State
from flows.ordering import Ordering

VERSIONS = ("2022-05-10", "2026-04-16", "2026-11-19")
BEARER = VERSIONS[-1]
REQUEST = OrderRequest.of_one(sku_id=TWO_CHANNELS, did_group_id=NEW_YORK_GROUP, quantity=1)
BY_CITY = {"region": "New York", "city": "New York", "sku_id": TWO_CHANNELS, "quantity": 2}
BY_PREFIX = {"region": "New York", "npa": "212", "nxx": "472", "prefer": "cheapest"}


def client_of(sim: Simulator, version: str, **options: Any) -> Client:
    options = {"api_key": sim.api_key, "token_url": sim.token_url, **options}
    return Client(
        base_url=sim.base_url,
        api_version=version,
        rate_limit=RateLimit(100_000),
        retry=RetryPolicy.without_waiting(),
        **options,
    )


@pytest.fixture(params=VERSIONS)
async def spoken(request: pytest.FixtureRequest, sim: Simulator) -> AsyncIterator[Client]:
    """A client of each version."""
    async with client_of(sim, request.param) as made:
        yield made


@pytest.fixture
async def bearer(sim: Simulator) -> AsyncIterator[Client]:
    async with client_of(sim, BEARER) as made:
        yield made


def asked(sim: Simulator, path: str) -> list[ReceivedRequest]:
    return [request for request in sim.requests if request.path == path]


# -- buying


@pytest.mark.parametrize("kind", [None, "Local"])
@pytest.mark.parametrize("place", [BY_CITY, BY_PREFIX], ids=["city", "prefix"])
async def test_buy_is_the_same_at_every_version(
    place: dict[str, Any], kind: str | None, spoken: Client, sim: Simulator
) -> None:
    request = PurchaseRequest(country="US", number_type=kind, **place)
    result = await buy(spoken, request, rules=HURRIED)
    assert isinstance(result, Completed)
    [order] = sim.orders
    assert request.quantity == len(result.numbers)
    assert order.external_reference_id == result.purchase.reference
    # Orders need the external reference: an older client orders at 2026-04-16.
    expected = max(spoken.api_version, "2026-04-16")
    assert expected == order.version
    assert expected == asked(sim, "/orders")[0].headers["X-DIDWW-API-Version"]


async def test_the_flow_step_by_step(spoken: Client, sim: Simulator) -> None:
    flow = BuyDidFlow(spoken, rules=HURRIED)
    await flow.choose_country("US")
    kinds = await flow.number_types()
    assert ["Local", "Toll-free"] == [kind.name for kind in kinds]
    filters = await flow.filters()
    assert kinds == filters.number_types
    await flow.choose_number_type("local")
    await flow.choose_region("New York")
    await flow.choose_city("New York")
    offers = await flow.offers()
    assert {"Local"} == {offer.number_type for offer in offers}
    await flow.choose_offer(sku_id=TWO_CHANNELS)
    await flow.quote()
    again = await BuyDidFlow.from_dict(spoken, flow.to_dict(), rules=HURRIED).order()
    assert 1 == len(sim.orders)
    assert sim.orders[0].id == again.order_id


@pytest.mark.parametrize("which", ["Toll-free", "toll_free", "tollfree", "TOLL FREE"])
async def test_a_number_type_by_any_name(which: str, spoken: Client) -> None:
    flow = BuyDidFlow(spoken, rules=HURRIED)
    await flow.choose_country("US")
    chosen = await flow.choose_number_type(which)
    assert "Toll-free" == chosen.chosen.name
    offers = await flow.offers()
    assert {"Toll-free"} == {offer.number_type for offer in offers}


@pytest.mark.parametrize("first", VERSIONS)
async def test_a_flow_goes_on_at_another_version(first: str, spoken: Client) -> None:
    begun = BuyDidFlow(spoken.at_version(first), rules=HURRIED)
    await begun.choose_country("US")
    await begun.choose_number_type("Toll-free")
    kept = json.loads(json.dumps(begun.to_dict()))
    offers = await BuyDidFlow.from_dict(spoken, kept, rules=HURRIED).offers()
    assert {"Toll-free"} == {offer.number_type for offer in offers}


async def test_a_number_type_that_is_not_there(spoken: Client) -> None:
    flow = BuyDidFlow(spoken, rules=HURRIED)
    await flow.choose_country("US")
    with pytest.raises(NoMatch, match="number type") as caught:
        await flow.choose_number_type("Lokal")
    assert "Local" in str(caught.value)


async def test_every_number_type_has_one_name_in_all_versions(sim: Simulator) -> None:
    names = []
    for version in VERSIONS:
        async with client_of(sim, version) as client:
            flow = BuyDidFlow(client)
            await flow.choose_country("GB")
            names.append([kind.name for kind in await flow.number_types()])
    assert names[0] == names[1] == names[2]
    assert len(names[0]) > 1


async def test_views_of_one_client_do_not_mix_their_number_types(bearer: Client) -> None:
    for version in VERSIONS:
        flow = BuyDidFlow(bearer.at_version(version))
        await flow.choose_country("US")
        await flow.number_types()
        await flow.choose_number_type("Local")
        assert len(await flow.offers(limit=10)) > 0


# -- tokens that end


async def place(client: Client, journal: MemoryJournal, reference: str = "ref-1") -> Purchase:
    ordering = Ordering(client, journal, rules=HURRIED)
    return await ordering.place(REQUEST, reference=reference, limits=Limits(), born_here=True)


async def test_an_order_with_a_revoked_token_is_placed_once_under_a_new_claim(
    bearer: Client, sim: Simulator
) -> None:
    await bearer.balance.get()
    sim.revoke_tokens()
    journal = MemoryJournal()
    purchase = await place(bearer, journal)
    assert (State.ORDERED, 2) == (purchase.state, purchase.attempt)
    assert 1 == len(sim.orders)
    assert [401, 201] == [each.status for each in asked(sim, "/orders")]
    assert 2 == len(asked(sim, "/token"))


async def test_many_orders_with_a_revoked_token_are_placed_once_each(
    bearer: Client, sim: Simulator
) -> None:
    await bearer.balance.get()
    sim.revoke_tokens()
    journal = MemoryJournal()
    names = [f"ref-{number}" for number in range(12)]
    bought = await asyncio.gather(*(place(bearer, journal, name) for name in names))
    assert {State.ORDERED} == {purchase.state for purchase in bought}
    assert sorted(names) == sorted(str(order.external_reference_id) for order in sim.orders)
    assert 2 == len(asked(sim, "/token"))


async def test_a_token_that_expires_on_the_way_buys_once(sim: Simulator) -> None:
    # The service gives shorter lives than it says: each token is good for one moment only.
    now = [1000.0]
    token = BearerToken(api_key=sim.api_key, token_url=sim.token_url, clock=lambda: now[0])
    async with client_of(sim, BEARER, api_key=token, token_url=None) as client:
        await client.balance.get()
        now[0] += 900  # expired by the client's clock as well: renewed before the claim
        purchase = await place(client, MemoryJournal())
        assert (State.ORDERED, 1) == (purchase.state, purchase.attempt)
    assert (1, 1) == (len(sim.orders), len(asked(sim, "/orders")))


async def test_a_whole_purchase_survives_tokens_revoked_at_every_step(
    bearer: Client, sim: Simulator
) -> None:
    flow = BuyDidFlow(bearer, rules=HURRIED)
    steps = [
        lambda: flow.choose_country("US"),
        lambda: flow.choose_region("New York"),
        lambda: flow.choose_city("New York"),
        lambda: flow.choose_offer(sku_id=TWO_CHANNELS),
        flow.quote,
        flow.order,
        lambda: flow.wait(timeout=10),
    ]
    for step in steps:
        sim.revoke_tokens()
        result = await step()
    assert isinstance(result, Completed)
    assert 1 == len(sim.orders)


@pytest.mark.parametrize("fault", [ServerFault(503), TooMany("0"), DropBefore(), Redirect(307)])
async def test_an_order_waits_for_a_token_service_that_is_away_for_a_moment(
    fault: Fault, bearer: Client, sim: Simulator
) -> None:
    sim.inject(fault, path="/token", times=2)
    purchase = await place(bearer, MemoryJournal())
    assert (State.ORDERED, 1) == (purchase.state, purchase.attempt)
    assert (1, 3) == (len(asked(sim, "/orders")), len(asked(sim, "/token")))


async def test_tokens_that_are_never_accepted_buy_nothing(bearer: Client, sim: Simulator) -> None:
    journal = MemoryJournal()
    sim.inject(Unaccepted(), path="/orders", times=None)
    with pytest.raises(TokenRejected):
        await place(bearer, journal)
    assert [] == sim.orders
    found = await journal.read(Ordering(bearer, journal).key("ref-1"))
    assert found is not None
    assert State.EXPIRED == found.state
    assert HURRIED.attempts == posts(sim) - len(asked(sim, "/token"))


def Unaccepted() -> ServerFault:
    return ServerFault(401, body=b"")


async def test_a_read_only_token_buys_nothing(sim: Simulator) -> None:
    token = BearerToken(api_key=sim.api_key, token_url=sim.token_url, scope="read")
    async with client_of(sim, BEARER, api_key=token, token_url=None) as client:
        request = PurchaseRequest(country="US", **BY_CITY)
        with pytest.raises(ReadOnlyToken, match="read-only"):
            await buy(client, request, rules=HURRIED)
    assert [] == sim.orders
    assert 1 == len(asked(sim, "/orders"))


async def test_a_wrong_key_and_a_token_service_that_is_away_buy_nothing(sim: Simulator) -> None:
    for wrong, error in (
        ({"api_key": "wrong-key"}, KeyRefused),
        ({"token_url": "http://127.0.0.1:1/token"}, TokenNotFetched),
    ):
        async with client_of(sim, BEARER, **wrong) as client:
            journal = MemoryJournal()
            with pytest.raises(error):
                await place(client, journal)
            found = await journal.read(Ordering(client, journal).key("ref-1"))
            assert found is not None
            assert (State.EXPIRED, 0) == (found.state, found.attempt)
    assert [] == sim.orders
    assert [] == asked(sim, "/orders")
