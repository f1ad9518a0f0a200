"""Offers, quotes and limits: pure, as tables."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from didww_async import UNSET, InvalidInput
from didww_async.resources import DidGroup, DidGroupMeta, DidGroupType, Feature, StockKeepingUnit
from flows.errors import Ambiguous, NoMatch, OutOfStock, PriceOverLimit
from flows.journal import Limits
from flows.offers import (
    Offers,
    check_quantity,
    choose,
    has_stock,
    offers_from,
    plain_text,
    quote,
)

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


def sku(id: str, monthly: Any, *, setup: Any = "0", channels: int = 0) -> StockKeepingUnit:
    return StockKeepingUnit(
        id=id,
        setup_price=setup if setup is UNSET else Decimal(setup),
        monthly_price=monthly if monthly is UNSET else Decimal(monthly),
        channels_included_count=channels,
    )


def group(id: str = "g", *, skus: tuple[StockKeepingUnit, ...], **meta: Any) -> DidGroup:
    return DidGroup(
        id=id,
        prefix="212",
        area_name="New York",
        features=(Feature.VOICE_IN, Feature.T38),
        did_group_type=DidGroupType(id="t", name="Local"),
        stock_keeping_units=skus,
        meta=DidGroupMeta(**{"total_count": 10, "needs_registration": False, **meta}),
    )


def test_offers_come_cheapest_month_first() -> None:
    skus = (sku("c", "4", channels=2), sku("b", "1", setup="2"), sku("a", "1", setup="1"))
    assert ["a", "b", "c"] == [o.sku_id for o in offers_from([group(skus=skus)])]


@pytest.mark.parametrize(
    ("expected", "arguments"),
    [
        (1, {}),
        (1, {"features": ("voice_in",)}),
        (1, {"features": ("voice_in", "t38")}),
        (0, {"features": ("voice_in", "sms_in")}),
        (1, {"needs_registration": False}),
        (0, {"needs_registration": True}),
    ],
)
def test_offers_fit_the_criteria(expected: int, arguments: dict[str, Any]) -> None:
    assert expected == len(offers_from([group(skus=(sku("a", "1"),))], **arguments))


@pytest.mark.parametrize("broken", [sku("a", UNSET), sku("a", "1", setup=UNSET), sku("a", "-1")])
def test_what_has_no_usable_price_is_no_offer(broken: StockKeepingUnit) -> None:
    assert () == offers_from([group(skus=(broken,))])


def test_a_group_the_server_said_little_about_is_still_an_offer() -> None:
    bare = DidGroup(id="g", stock_keeping_units=(sku("a", "1"),))
    [offer] = offers_from([bare])
    assert (None, "", (), 0) == (offer.in_stock, offer.area_name, offer.features, offer.channels)


OFFERS = Offers(
    offers=offers_from(
        [
            group("g1", skus=(sku("s0", "1"), sku("s2", "3", channels=2))),
            group("g2", skus=(sku("t2", "2", channels=2),)),
        ]
    ),
    short=offers_from([group("g3", skus=(sku("u5", "2", channels=5),), total_count=3)]),
    groups_read=3,
    groups_total=3,
)


@pytest.mark.parametrize(
    ("expected", "how"),
    [
        ("s0", {"sku_id": "s0"}),
        ("s0", {"channels": 0}),
        ("t2", {"channels": 2, "prefer": "cheapest"}),
        ("s2", {"sku_id": "s2", "channels": 2}),
    ],
)
def test_choosing_an_offer(expected: str, how: dict[str, Any]) -> None:
    chosen = choose(OFFERS, **{"sku_id": None, "channels": None, "prefer": None, **how})
    assert expected == chosen.sku_id


def test_several_fitting_offers_are_listed_not_guessed() -> None:
    with pytest.raises(Ambiguous) as caught:
        choose(OFFERS, sku_id=None, channels=2, prefer=None)
    assert ["t2", "s2"] == [text.split(":")[0] for text in caught.value.candidates]


def test_no_fitting_offer_lists_what_there_is() -> None:
    with pytest.raises(NoMatch, match="channels 7") as caught:
        choose(OFFERS, sku_id=None, channels=7, prefer="cheapest")
    assert 3 == len(caught.value.candidates)


@pytest.mark.parametrize("how", [{"sku_id": "u5"}, {"channels": 5, "prefer": "cheapest"}])
def test_an_offer_with_too_few_in_stock_is_told_apart_from_none(how: dict[str, Any]) -> None:
    with pytest.raises(OutOfStock, match="only 3 numbers") as caught:
        choose(OFFERS, **{"sku_id": None, "channels": None, "prefer": None, **how})
    assert 3 == caught.value.available


@pytest.mark.parametrize(("expected", "count"), [(True, 5), (True, UNSET), (False, 4), (False, 0)])
def test_stock_is_enough_where_the_api_does_not_say(expected: bool, count: Any) -> None:
    [offer] = offers_from([group(skus=(sku("a", "1"),), total_count=count)])
    assert expected is has_stock(offer, 5)


def test_a_quote_adds_up() -> None:
    offer = offers_from([group(skus=(sku("a", "0.09", setup="4.00"),))])[0]
    quoted = quote(
        offer, quantity=3, allow_back_ordering=False, balance=Decimal("12.27"), made_at=NOON
    )
    assert (Decimal("12.27"), Decimal("0.27")) == (quoted.total, quoted.monthly_total)
    assert quoted.balance_is_enough


@pytest.mark.parametrize(
    ("limit", "allowed", "refused"),
    [("max_setup", "4", "3.99"), ("max_monthly", "1", "0.99"), ("max_total", "10", "9.99")],
)
def test_limits_are_inclusive(limit: str, allowed: str, refused: str) -> None:
    offer = offers_from([group(skus=(sku("a", "1", setup="4"),))])[0]
    quoted = quote(offer, quantity=2, allow_back_ordering=False, balance=Decimal(0), made_at=NOON)
    quoted.check(Limits(**{limit: Decimal(allowed)}))
    with pytest.raises(PriceOverLimit, match=f"{limit}={refused}"):
        quoted.check(Limits(**{limit: Decimal(refused)}))


@pytest.mark.parametrize("quantity", [0, -1, 1001, True, 1.5, "3", None])
def test_impossible_quantities_are_refused(quantity: Any) -> None:
    with pytest.raises(InvalidInput, match="quantity"):
        check_quantity(quantity)


@pytest.mark.parametrize(
    ("expected", "markup"),
    [
        ("", ""),
        ("Tom & Jerry", "<b>Tom</b> &amp; Jerry"),
        ("one\ntwo", "one<br>two"),
        (
            "see Campaign (https://x.y/#/z?a=b) first",
            'see <a href="https://x.y/#/z?a=b">Campaign</a> first',
        ),
        ("a\nb", "<ul><li>a</li><li>b</li></ul>"),
        ("shown", "<script>alert(1)</script>shown<style>p{}</style>"),
        ("no [2J escape", "no \x1b[2J escape"),
        ("unclosed link (u)", "<a href=u>unclosed <i>link</a>"),
        ("a < b", "a < b"),
    ],
)
def test_restrictions_become_plain_text(expected: str, markup: str) -> None:
    assert expected == plain_text(markup)
