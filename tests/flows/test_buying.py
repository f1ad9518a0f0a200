"""The whole purchase over real HTTP: both ways, in one call, kept as JSON, a thousand at once."""

import asyncio
import datetime as dt
import json
from decimal import Decimal
from typing import Any

import attrs
import pytest
from purchases import HURRIED, NEW_YORK_GROUP, TWO_CHANNELS, paths, posts, simulator_process

from didww_async import AttemptRecord, Client, InvalidInput, RateLimit, RetryPolicy, Unauthorized
from didww_async.simulator import Simulator
from flows import BuyDidFlow, Canceled, Completed, Pending, PurchaseRequest, buy
from flows.errors import (
    BalanceTooLow,
    CancelRefused,
    InvalidFlowData,
    NoMatch,
    OfferChanged,
    OrderRefused,
    OutOfStock,
    PriceOverLimit,
    ReferenceMismatch,
    StepNotPossible,
)

BY_CITY = PurchaseRequest(
    country="US", region="New York", city="New York", sku_id=TWO_CHANNELS, quantity=2
)
BY_PREFIX = PurchaseRequest(
    country="US", region="New York", npa="212", nxx="472", channels=2, prefer="cheapest"
)


async def ready(client: Client, **options: Any) -> BuyDidFlow:
    """A flow that is quoted and could order."""
    flow = BuyDidFlow(client, rules=HURRIED, **options)
    await flow.choose_country("US")
    await flow.choose_region("New York")
    await flow.choose_city("New York")
    await flow.choose_offer(sku_id=TWO_CHANNELS)
    await flow.quote()
    return flow


async def test_by_city(client: Client, sim: Simulator) -> None:
    result = await buy(client, BY_CITY, rules=HURRIED)
    assert isinstance(result, Completed)
    assert (2, 0) == (len(result.numbers), result.shortfall)
    [order] = sim.orders
    assert order.id == result.order.id
    assert {did.number for did in sim.dids} == set(result.numbers)
    assert Decimal("16.0") == result.charged


async def test_by_npa_and_nxx_the_number_has_that_prefix(client: Client, sim: Simulator) -> None:
    result = await buy(client, BY_PREFIX, rules=HURRIED)
    assert isinstance(result, Completed)
    [number] = result.numbers
    assert number.startswith("1212472")
    [post] = [request for request in sim.requests if request.method == "POST"]
    attributes = post.json["data"]["attributes"]
    assert attributes["allow_back_ordering"] is False
    assert attributes["external_reference_id"] == result.purchase.reference
    assert {"sku_id", "qty", "nanpa_prefix_id"} == set(attributes["items"][0]["attributes"])


async def test_what_a_purchase_costs_in_requests(client: Client, sim: Simulator) -> None:
    sim.completes_after = 0
    await buy(client, BY_PREFIX, rules=HURRIED)
    expected = [
        "GET /countries",
        "GET /regions",
        "GET /nanpa_prefixes",
        "GET /did_groups",
        "GET /balance",
        "POST /orders",
    ]
    assert expected == paths(sim)[:6]
    start = len(sim.requests)
    await buy(client, BY_PREFIX, rules=HURRIED)
    assert ["GET /nanpa_prefixes", *expected[3:]] == paths(sim, start=start)[:4]


@pytest.mark.parametrize("version", ["2022-05-10", "2026-04-16"])
async def test_orders_carry_their_reference_whatever_version_the_client_speaks(
    version: str, sim: Simulator
) -> None:
    async with Client(
        api_key=sim.api_key, base_url=sim.base_url, api_version=version, rate_limit=RateLimit(9999)
    ) as client:
        result = await buy(client, BY_CITY, rules=HURRIED)
    assert isinstance(result, Completed)
    assert [result.purchase.reference] == [order.external_reference_id for order in sim.orders]


async def test_a_flow_is_carried_on_from_json_after_every_step(
    client: Client, sim: Simulator
) -> None:
    flow = BuyDidFlow(client, rules=HURRIED)
    reference = flow.reference
    for step in (
        lambda f: f.choose_country("US"),
        lambda f: f.choose_region("New York"),
        lambda f: f.choose_nanpa_prefix(npa="212"),
        lambda f: f.choose_offer(channels=2),
        lambda f: f.quote(quantity=2),
        lambda f: f.order(),
    ):
        text = json.dumps(flow.to_dict())
        assert sim.api_key not in text
        flow = BuyDidFlow.from_dict(client, json.loads(text), rules=HURRIED)
        await step(flow)
    flow = BuyDidFlow.from_dict(client, json.loads(json.dumps(flow.to_dict())), rules=HURRIED)
    result = await flow.wait()
    assert isinstance(result, Completed)
    assert (reference, 2) == (result.purchase.reference, len(result.numbers))
    assert 1 == len(sim.orders)


async def test_a_flow_is_waited_for_in_another_process_that_lost_the_journal(
    client: Client, sim: Simulator
) -> None:
    flow = await ready(client)
    await flow.order()
    async with Client(
        api_key=sim.api_key, base_url=sim.base_url, rate_limit=RateLimit(9999)
    ) as other:
        result = await BuyDidFlow.from_dict(other, flow.to_dict(), rules=HURRIED).wait()
    assert isinstance(result, Completed)
    assert 1 == len(result.numbers)


async def test_the_same_json_ordered_twice_at_once_buys_once(
    client: Client, sim: Simulator
) -> None:
    sim.latency = 0.05
    data = (await ready(client)).to_dict()
    clicks = [BuyDidFlow.from_dict(client, data, rules=HURRIED).order() for _ in range(5)]
    purchases = await asyncio.gather(*clicks)
    assert 1 == len({purchase.order_id for purchase in purchases}) == len(sim.orders) == posts(sim)


async def test_ordering_again_reports_the_same_order(client: Client, sim: Simulator) -> None:
    flow = await ready(client)
    first = await flow.order()
    sim.balance = Decimal(0)  # what was bought needs no money any more
    again = await BuyDidFlow.from_dict(client, flow.to_dict(), rules=HURRIED).order()
    assert first.order_id == again.order_id
    assert 1 == posts(sim)


async def test_a_new_purchase_keeps_the_choices_and_buys_again(
    client: Client, sim: Simulator
) -> None:
    flow = await ready(client)
    first = await flow.order()
    with pytest.raises(StepNotPossible, match="new_purchase"):
        await flow.choose_country("CA")
    assert first.reference != flow.new_purchase()
    await flow.quote()
    second = await flow.order()
    assert first.order_id != second.order_id
    assert 2 == len(sim.orders)


async def test_a_thousand_flows_at_once_on_one_client() -> None:
    """Client and simulator rates are scaled up together, and every request is up to 20 ms late."""
    requests = [
        attrs.evolve(BY_CITY, quantity=1),
        PurchaseRequest(country="GB", city="London", channels=2),
    ]
    attempts: list[AttemptRecord] = []
    async with (
        simulator_process(
            rate_limit=800, balance="100000", completes_after=0.02, jitter=0.02
        ) as base_url,
        Client(
            api_key="simulator",
            base_url=base_url,
            rate_limit=RateLimit(800),
            on_attempt=attempts.append,
        ) as client,
    ):
        results = await asyncio.gather(
            *(buy(client, requests[n % 2], rules=HURRIED, timeout=120) for n in range(1000))
        )
    numbers = [number for result in results for number in getattr(result, "numbers", ())]
    assert 1000 == len(set(numbers)) == len(numbers)
    assert 1000 == len({result.purchase.reference for result in results})
    assert 1000 == len({result.order.id for result in results})
    assert [] == [attempt for attempt in attempts if attempt.status == 429]
    assert 1000 == sum(attempt.method == "POST" for attempt in attempts)


# -- the balance, the price, the stock


@pytest.mark.parametrize(
    ("limit", "price"), [("max_setup", "3.99"), ("max_monthly", "3.99"), ("max_total", "7.99")]
)
async def test_a_price_over_the_limit_is_refused_before_anything_is_sent(
    limit: str, price: str, client: Client, sim: Simulator
) -> None:
    flow = await ready(client)
    start = len(sim.requests)
    with pytest.raises(PriceOverLimit, match=limit):
        await flow.order(**{limit: Decimal(price)})
    assert start == len(sim.requests)
    assert "choose_offer" in flow.possible


async def test_too_low_a_balance_is_refused_before_anything_is_sent(
    client: Client, sim: Simulator
) -> None:
    sim.balance = Decimal("7.99")
    flow = await ready(client)
    assert flow.chosen.quote is not None
    assert not flow.chosen.quote.balance_is_enough
    with pytest.raises(BalanceTooLow, match=r"7\.99"):
        await flow.order()
    assert 0 == posts(sim)
    sim.balance = Decimal("8.00")
    await flow.order()
    assert 1 == len(sim.orders)


async def test_vat_that_the_balance_does_not_cover_is_didwws_refusal(
    client: Client, sim: Simulator
) -> None:
    sim.vat_rate = Decimal("0.21")
    sim.balance = Decimal("8.00")
    flow = await ready(client)
    with pytest.raises(OrderRefused, match="balance"):
        await flow.order()
    assert [] == sim.orders
    sim.balance = Decimal("9.68")
    purchase = await flow.order()
    assert Decimal("9.68") == purchase.amount


async def test_more_than_in_stock_is_refused_with_the_choices_left(
    client: Client, sim: Simulator
) -> None:
    flow = await ready(client)
    with pytest.raises(OutOfStock) as caught:
        await flow.quote(quantity=621)
    assert (620, ("fewer", "another offer", "back-order")) == (
        caught.value.available,
        caught.value.choices,
    )
    assert 0 == posts(sim)


async def test_stock_that_went_meanwhile_is_its_own_error_and_fewer_can_be_ordered(
    client: Client, sim: Simulator
) -> None:
    flow = await ready(client)
    await flow.quote(quantity=5)
    sim.set_stock(group_id=NEW_YORK_GROUP, count=3)
    with pytest.raises(OutOfStock, match="fewer than 5"):
        await flow.order()
    assert [] == sim.orders
    await flow.quote(quantity=3)
    await flow.order()
    assert [3] == [order.qty for order in sim.orders]


async def test_a_back_order_stays_pending_and_is_resumed(client: Client, sim: Simulator) -> None:
    sim.set_stock(group_id=NEW_YORK_GROUP, count=1)
    flow = BuyDidFlow(client, rules=HURRIED)
    await flow.choose_country("US")
    await flow.choose_region("New York")
    await flow.choose_city("New York")
    await flow.offers(quantity=2, allow_back_ordering=True)
    await flow.choose_offer(sku_id=TWO_CHANNELS)
    await flow.quote()
    purchase = await flow.order()
    assert isinstance(await flow.wait(timeout=0.1), Pending)
    sim.complete(str(purchase.order_id))
    result = await BuyDidFlow.from_dict(client, flow.to_dict(), rules=HURRIED).wait()
    assert isinstance(result, Completed)
    assert 2 == len(result.numbers)


@pytest.mark.parametrize("quantity", [0, 1001])
async def test_impossible_quantities_are_refused_before_anything_is_sent(
    quantity: int, client: Client, sim: Simulator
) -> None:
    flow = await ready(client)
    start = len(sim.requests)
    with pytest.raises(InvalidInput, match="1 to 1000"):
        await flow.quote(quantity=quantity)
    with pytest.raises(InvalidInput, match="1 to 1000"):
        await flow.offers(quantity=quantity)
    with pytest.raises(InvalidInput, match="1 to 1000"):
        PurchaseRequest(country="US", quantity=quantity)
    assert start == len(sim.requests)


# -- old quotes


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda sim: None, None),
        (lambda sim: sim.set_price(TWO_CHANNELS, monthly_price=Decimal("4.01")), OfferChanged),
        (lambda sim: sim.set_price(TWO_CHANNELS, setup_price=Decimal(0)), OfferChanged),
    ],
    ids=["same", "dearer", "cheaper"],
)
async def test_an_old_quote_is_read_again_before_ordering(
    change: Any, error: type[Exception] | None, client: Client, sim: Simulator
) -> None:
    now = dt.datetime.now(dt.UTC)
    flow = await ready(client, clock=lambda: now)
    now += dt.timedelta(minutes=6)
    change(sim)
    start = len(sim.requests)
    if error is None:
        await flow.order()
        assert "GET /did_groups" in paths(sim, start=start)[0]
    else:
        with pytest.raises(error, match=TWO_CHANNELS):
            await flow.order()
        assert 0 == posts(sim)


async def test_a_fresh_quote_is_not_read_again(client: Client, sim: Simulator) -> None:
    flow = await ready(client)
    start = len(sim.requests)
    await flow.order()
    assert ["POST /orders"] == paths(sim, start=start)


# -- after the order


async def test_a_pending_order_is_cancelled(client: Client, sim: Simulator) -> None:
    sim.completes_after = None
    flow = await ready(client)
    await flow.order()
    assert isinstance(await flow.cancel(), Canceled)
    assert Decimal(1000) == sim.balance
    assert isinstance(await flow.wait(), Canceled)


async def test_a_completed_order_is_not_cancelled_and_says_so(
    client: Client, sim: Simulator
) -> None:
    flow = await ready(client)
    await flow.order()
    await flow.wait()
    with pytest.raises(CancelRefused, match="is completed and was not cancelled"):
        await flow.cancel()


async def test_an_order_that_didww_cancels_is_reported(client: Client, sim: Simulator) -> None:
    sim.completes_after = None
    flow = await ready(client)
    purchase = await flow.order()
    sim.cancel(str(purchase.order_id))
    assert isinstance(await flow.wait(), Canceled)


# -- what does not belong together


async def test_a_flow_of_another_api_is_not_carried_on(client: Client, sim: Simulator) -> None:
    data = (await ready(client)).to_dict()
    async with Client(api_key="k", environment="sandbox") as sandbox:
        with pytest.raises(InvalidFlowData, match="belongs to http://127"):
            BuyDidFlow.from_dict(sandbox, data)
    async with Client(api_key="k", base_url=sim.base_url, account="second") as second:
        with pytest.raises(InvalidFlowData, match="account 'default'"):
            BuyDidFlow.from_dict(second, data)


async def test_a_wrong_key_is_told_at_the_first_step(sim: Simulator) -> None:
    async with Client(api_key="wrong-key", base_url=sim.base_url) as client:
        with pytest.raises(Unauthorized) as caught:
            await BuyDidFlow(client).choose_country("US")
    assert "wrong-key" not in str(caught.value)
    assert "Check the API key" in str(caught.value)


@pytest.mark.parametrize(
    "bad",
    [
        {"nxx": "555"},
        {"npa": "1"},
        {"npa": "212", "nxx": "011"},
        {"npa": "212", "city": "New York"},
        {"quantity": 0},
        {"reference": "a b"},
    ],
)
def test_a_request_that_cannot_be_right_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        PurchaseRequest(country="US", **bad)


async def test_nothing_fitting_is_refused_with_what_there_is(client: Client) -> None:
    with pytest.raises(NoMatch, match="channels 77") as caught:
        await buy(client, attrs.evolve(BY_CITY, sku_id=None, channels=77))
    assert caught.value.candidates


async def test_a_worker_uses_the_retry_policy_for_reads(client: Client, sim: Simulator) -> None:
    from didww_async.simulator import DropAfter, ServerFault, TooMany

    sim.inject_randomly([DropAfter(), ServerFault(), TooMany("0")], rate=0.3, seed=7, method="GET")
    async with Client(
        api_key=sim.api_key,
        base_url=sim.base_url,
        rate_limit=RateLimit(9999),
        retry=RetryPolicy.without_waiting(attempts=12),
    ) as stubborn:
        result = await buy(stubborn, BY_CITY, rules=HURRIED)
    assert isinstance(result, Completed)
    assert 1 == posts(sim)


# -- a reference that was ordered before


async def test_a_known_reference_is_reported_whatever_stock_and_balance_are_by_now(
    client: Client, sim: Simulator
) -> None:
    request = attrs.evolve(BY_CITY, reference="po-1")
    first = await buy(client, request, rules=HURRIED)
    sim.set_stock(group_id=NEW_YORK_GROUP, count=0)
    sim.balance = Decimal(0)
    again = await buy(client, request, rules=HURRIED)
    assert isinstance(first, Completed)
    assert isinstance(again, Completed)
    assert first.numbers == again.numbers
    assert 1 == posts(sim)


@pytest.mark.parametrize(
    "other", [{"quantity": 3}, {"sku_id": "another"}, {"allow_back_ordering": True}]
)
async def test_a_known_reference_for_another_request_is_refused(
    other: dict[str, Any], client: Client, sim: Simulator
) -> None:
    request = attrs.evolve(BY_CITY, reference="po-1")
    await buy(client, request, rules=HURRIED)
    with pytest.raises(ReferenceMismatch, match="po-1"):
        await buy(client, attrs.evolve(request, **other), rules=HURRIED)
    assert 1 == posts(sim)


async def test_a_flow_knows_its_purchase_from_the_order_on(client: Client) -> None:
    flow = await ready(client)
    assert await flow.purchase() is None
    with pytest.raises(StepNotPossible, match="no purchase"):
        await flow.carry_on()
    await flow.order()
    known = await flow.purchase()
    assert known is not None
    assert flow.reference == known.reference
    assert isinstance(await flow.carry_on(), Completed)


async def test_asking_for_more_than_any_offer_has_is_out_of_stock_not_no_match(
    client: Client, sim: Simulator
) -> None:
    with pytest.raises(OutOfStock, match="only 620"):
        await buy(client, attrs.evolve(BY_CITY, quantity=621), rules=HURRIED)
    assert 0 == posts(sim)


async def test_the_cheapest_of_a_big_country_is_the_cheapest_of_all(
    client: Client, sim: Simulator
) -> None:
    flow = BuyDidFlow(client)
    await flow.choose_country("GB")
    first_page = await flow.offers()
    assert not first_page.is_complete
    chosen = (await flow.choose_offer(prefer="cheapest")).chosen
    everything = await flow.offers(limit=10_000)
    assert everything.is_complete
    assert everything[0] == chosen


@pytest.mark.parametrize(
    "other", [{"city": None}, {"region": "Vermont", "city": None}, {"features": ("voice_in",)}]
)
async def test_a_known_reference_for_another_place_or_offer_is_refused(
    other: dict[str, Any], client: Client, sim: Simulator
) -> None:
    request = attrs.evolve(BY_CITY, reference="po-1")
    await buy(client, request, rules=HURRIED)
    with pytest.raises(ReferenceMismatch, match="po-1"):
        await buy(client, attrs.evolve(request, **other), rules=HURRIED)
    again = attrs.evolve(request, country="us", max_total=Decimal(99))  # the same, spelled anew
    assert isinstance(await buy(client, again, rules=HURRIED), Completed)
    assert 1 == posts(sim)


@pytest.mark.parametrize(
    "bad",
    [
        {"prefer": "cheap"},
        {"max_monthly": True},
        {"max_monthly": "5"},
        {"max_total": Decimal("NaN")},
        {"max_setup": Decimal(-1)},
        {"features": "voice_in"},
        {"channels": "2"},
        {"allow_back_ordering": "no"},
        {"city": 7},
    ],
)
def test_requests_made_from_json_are_checked(bad: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(bad))):
        PurchaseRequest(**{"country": "US", **bad})


def test_features_may_be_a_list() -> None:
    listed = PurchaseRequest(country="GB", features=["voice_in", "sms_in"])
    assert PurchaseRequest(country="GB", features=("voice_in", "sms_in")) == listed
    assert 1 == len({listed})
