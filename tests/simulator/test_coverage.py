"""The simulator's coverage: real geography, the documentation's examples, nothing dangling."""

import re
import time
from collections import Counter
from decimal import Decimal
from uuid import UUID

import attrs
import pytest

from didww_async.simulator.coverage import Coverage, GroupRow, SkuRow, load

US = "1f6fc2bd-f081-4202-9b1a-d9cb88d942b9"
CA = "24eb6e85-f628-4765-bbb2-420e48de76f2"
NEW_YORK = "368bf92f-c36e-473f-96fc-d53ed1b4028b"
NEW_YORK_STATE = "ab7e83bc-814b-4cfa-a14c-d2df3de2a545"
PREFIX_212_111 = "48b91ed5-13db-4920-a4cb-d0260d692053"
LONDON = "e696dec7-9c65-4e99-aab7-55a1f98154f0"


@pytest.fixture(scope="module")
def coverage() -> Coverage:
    return load()


@pytest.fixture(scope="module")
def groups(coverage: Coverage) -> dict[str, GroupRow]:
    return {group.id: group for group in coverage.groups}


def country_ids(coverage: Coverage) -> dict[str, str]:
    return {country.iso: country.id for country in coverage.countries}


def region_isos(coverage: Coverage) -> dict[str | None, str | None]:
    return {region.id: region.iso for region in coverage.regions}


def available(group: GroupRow) -> int:
    return sum(group.stock.values())


# ---- how much there is


def test_is_large_enough_to_page_through(coverage: Coverage) -> None:
    assert len(coverage.countries) >= 60
    assert len(coverage.cities) >= 2_000
    assert len(coverage.prefixes) >= 15_000
    assert len(coverage.groups) >= 5_000


def test_loads_quickly() -> None:
    started = time.perf_counter()
    load()
    assert time.perf_counter() - started < 3


def test_is_the_same_each_time(coverage: Coverage) -> None:
    assert load() == coverage


def test_ids_are_unique_uuids(coverage: Coverage) -> None:
    tables = attrs.astuple(coverage, recurse=False)
    ids = [row.id for table in tables for row in table]
    ids += [sku.id for group in coverage.groups for sku in group.skus]
    assert len(set(ids)) == len(ids)
    assert all(str(UUID(id_)) == id_ for id_ in ids)


# ---- geography


def test_regions_exist_in_three_countries_only(coverage: Coverage) -> None:
    ids = country_ids(coverage)
    count = Counter(region.country_id for region in coverage.regions)
    assert count == {ids["US"]: 51, ids["CA"]: 13, ids["GB"]: 4}
    names = {region.iso: region.name for region in coverage.regions}
    assert names["US-NY"] == "New York"
    assert names["US-DC"] == "District of Columbia"
    assert names["CA-QC"] == "Quebec"
    assert names["GB-WLS"] == "Wales"


def test_every_state_and_province_has_prefixes(coverage: Coverage) -> None:
    regions = {region.id for region in coverage.regions if region.country_id in {US, CA}}
    assert {prefix.region_id for prefix in coverage.prefixes} - {None} == regions


@pytest.mark.parametrize(
    ("npa", "region"),
    [
        ("212", "US-NY"),
        ("213", "US-CA"),
        ("312", "US-IL"),
        ("214", "US-TX"),
        ("202", "US-DC"),
        ("416", "CA-ON"),
        ("514", "CA-QC"),
        ("787", None),
        ("876", None),
    ],
)
def test_area_codes_are_where_they_are(coverage: Coverage, npa: str, region: str | None) -> None:
    isos = region_isos(coverage) | {None: None}
    found = {isos[prefix.region_id] for prefix in coverage.prefixes if prefix.npa == npa}
    assert found == {region}


def test_prefixes_are_valid_and_unique(coverage: Coverage) -> None:
    others = [prefix for prefix in coverage.prefixes if prefix.id != PREFIX_212_111]
    assert all(re.fullmatch(r"[2-9]\d\d", prefix.npa) for prefix in others)
    assert all(re.fullmatch(r"(?!\d11$)[2-9]\d{2}", prefix.nxx) for prefix in others)
    numbers = [prefix.npa + prefix.nxx for prefix in coverage.prefixes]
    assert len(set(numbers)) == len(numbers)


def test_countries_of_code_1_without_regions_have_prefixes(coverage: Coverage) -> None:
    ids = country_ids(coverage)
    for iso in ("PR", "JM", "DO", "BS"):
        prefixes = [prefix for prefix in coverage.prefixes if prefix.country_id == ids[iso]]
        assert prefixes, iso
        assert {prefix.region_id for prefix in prefixes} == {None}


def test_a_name_may_be_that_of_several_cities(coverage: Coverage) -> None:
    springfields = [city for city in coverage.cities if city.name == "Springfield"]
    assert len({city.region_id for city in springfields}) >= 5


@pytest.mark.parametrize(
    ("iso", "city", "prefix"),
    [
        ("DE", "Berlin", "30"),
        ("FR", "Paris", "1"),
        ("IT", "Milan", "02"),
        ("ES", "Madrid", "91"),
        ("GB", "Manchester", "161"),
        ("NL", "Amsterdam", "20"),
        ("AU", "Sydney", "2"),
        ("BR", "São Paulo", "11"),
    ],
)
def test_cities_have_their_area_code(coverage: Coverage, iso: str, city: str, prefix: str) -> None:
    country = country_ids(coverage)[iso]
    names = {row.id: row.name for row in coverage.cities if row.country_id == country}
    found = {group.prefix for group in coverage.groups if names.get(group.city_id or "") == city}
    assert found == {prefix}


def test_some_european_cities_have_a_regulatory_area(coverage: Coverage) -> None:
    areas = {area.id: area for area in coverage.areas}
    linked = [(city, areas[city.area_id]) for city in coverage.cities if city.area_id]
    assert ("Milan", "Milano") in {(city.name, area.name) for city, area in linked}
    assert all(city.country_id == area.country_id for city, area in linked)
    isos = country_ids(coverage)
    assert {area.country_id for _, area in linked} == {isos["DE"], isos["ES"], isos["IT"]}


# ---- how the rows hang together


def test_nothing_dangles(coverage: Coverage) -> None:
    countries = {row.id for row in coverage.countries}
    regions = {row.id: row.country_id for row in coverage.regions}
    cities = {row.id: row for row in coverage.cities}
    types = {row.id for row in coverage.number_types}
    assert {row.country_id for row in coverage.regions} <= countries
    assert {row.country_id for row in coverage.areas} <= countries
    places = [(row.country_id, row.region_id) for row in coverage.cities]
    places += [(row.country_id, row.region_id) for row in coverage.prefixes]
    for country_id, region_id in places:
        assert country_id in countries
        assert region_id is None or regions[region_id] == country_id
    for group in coverage.groups:
        assert group.number_type_id in types
        assert group.country_id in countries
        assert group.region_id is None or regions[group.region_id] == group.country_id
        if group.city_id:
            city = cities[group.city_id]
            assert (city.country_id, city.region_id) == (group.country_id, group.region_id)
            assert city.name == group.area_name


def test_stock_is_counted_by_the_prefixes_of_the_group(coverage: Coverage) -> None:
    prefixes = {row.id: row for row in coverage.prefixes}
    for group in coverage.groups:
        assert all(count >= 0 for count in group.stock.values())
        if set(group.stock) == {""}:
            continue
        found = [prefixes[id_] for id_ in group.stock]
        assert {prefix.npa for prefix in found} == {group.prefix}
        assert {prefix.country_id for prefix in found} == {group.country_id}
        assert {prefix.region_id for prefix in found} == {group.region_id}


def test_every_prefix_belongs_to_a_group(coverage: Coverage) -> None:
    used = {id_ for group in coverage.groups for id_ in group.stock}
    assert {prefix.id for prefix in coverage.prefixes} <= used


def test_groups_differ_in_what_they_sell(coverage: Coverage) -> None:
    features = {feature for group in coverage.groups for feature in group.features}
    known = {"voice_in", "voice_out", "t38", "sms_in", "p2p", "a2p", "emergency", "cnam_out"}
    assert features == known
    assert {len(group.skus) for group in coverage.groups} == {1, 2, 3}
    channels = {sku.channels_included_count for group in coverage.groups for sku in group.skus}
    assert channels == {0, 2, 5}
    for flag in (
        "is_metered",
        "allow_additional_channels",
        "needs_registration",
        "available_dids_enabled",
    ):
        assert {getattr(group, flag) for group in coverage.groups} == {True, False}, flag
    totals = Counter(available(group) for group in coverage.groups)
    assert totals[0] > 50
    assert totals[3] > 50


def test_number_types(coverage: Coverage) -> None:
    names = {row.id: row.name for row in coverage.number_types}
    expected = {"Local", "National", "Mobile", "Toll-free", "Shared Cost", "Global"}
    assert set(names.values()) == expected
    assert {names[group.number_type_id] for group in coverage.groups} == expected


def test_some_countries_sell_nothing(coverage: Coverage) -> None:
    with_groups = {group.country_id for group in coverage.groups}
    in_stock = {group.country_id for group in coverage.groups if available(group)}
    ids = country_ids(coverage)
    assert ids["AQ"] not in with_groups
    assert ids["GL"] in with_groups - in_stock
    assert {country.iso for country in coverage.countries if country.prefix is None} == {"AQ", "TF"}


# ---- the documentation's examples


def test_documented_countries_and_places(coverage: Coverage) -> None:
    ids = country_ids(coverage)
    assert (ids["US"], ids["CA"]) == (US, CA)
    cities = {row.id: row for row in coverage.cities}
    assert (cities[NEW_YORK].name, cities[NEW_YORK].region_id) == ("New York", NEW_YORK_STATE)
    assert cities[LONDON].name == "London"
    assert cities[LONDON].country_id == ids["GB"]
    assert region_isos(coverage)[NEW_YORK_STATE] == "US-NY"
    [prefix] = [row for row in coverage.prefixes if row.id == PREFIX_212_111]
    assert (prefix.npa, prefix.nxx, prefix.country_id) == ("212", "111", US)
    assert prefix.region_id == NEW_YORK_STATE


def test_documented_group_of_new_york(groups: dict[str, GroupRow]) -> None:
    group = groups["ef7c258f-19b9-478b-ab68-d6b30d00c9f9"]
    assert (group.prefix, group.area_name, group.city_id) == ("212", "New York", NEW_YORK)
    assert group.features == ("voice_in",)
    assert group.service_restrictions is not None
    assert group.service_restrictions.startswith("\nTo enable SMS features on US numbers")
    assert available(group) == 620
    assert group.stock[PREFIX_212_111] > 0
    assert len(group.stock) > 1
    assert group.skus == (
        SkuRow("a7ecfee0-693e-459c-8eff-244121847ac2", Decimal("4.0"), Decimal("4.00"), 0),
        SkuRow("e2406add-fd8a-475c-b959-81e9619d7a4b", Decimal("4.0"), Decimal("4.0"), 2),
    )
    assert [str(sku.monthly_price) for sku in group.skus] == ["4.00", "4.0"]


def test_documented_prefix_is_in_stock_in_one_group(groups: dict[str, GroupRow]) -> None:
    found = [group.id for group in groups.values() if PREFIX_212_111 in group.stock]
    assert found == ["ef7c258f-19b9-478b-ab68-d6b30d00c9f9"]


def test_documented_group_with_available_dids(
    coverage: Coverage, groups: dict[str, GroupRow]
) -> None:
    group = groups["916c8f4d-2108-4d79-853b-7c545ee83f8c"]
    assert (group.prefix, group.city_id, group.available_dids_enabled) == ("212", NEW_YORK, True)
    assert group.features == ("voice_in", "t38")
    assert available(group) == 8
    [prefix] = [row for row in coverage.prefixes if (row.npa, row.nxx) == ("212", "472")]
    assert group.stock[prefix.id] > 0  # the documentation's available DID is 12124727604
    assert group.skus == (
        SkuRow("af589936-3e8d-498c-b127-8054ef026dfa", Decimal("0.0"), Decimal("0.09"), 0),
        SkuRow("5dec9d3e-f25a-4ac3-a9b0-efcdd9ec744b", Decimal("0.0"), Decimal("0.19"), 2),
        SkuRow("e48e981f-ab6d-48a6-aaf6-e75539fc1011", Decimal("4.42"), Decimal("4.42"), 5),
    )


def test_documented_group_of_the_second_order(groups: dict[str, GroupRow]) -> None:
    [sku] = groups["7f3a4f3f-8aba-4447-9cb5-66a4e8e4f6ff"].skus
    assert (sku.setup_price, sku.monthly_price) == (Decimal("0.0"), Decimal("0.09"))


def test_documented_group_of_london(groups: dict[str, GroupRow]) -> None:
    found = [group for group in groups.values() if group.city_id == LONDON and group.prefix == "20"]
    [group] = found
    assert group.id == "fc271bcc-1f9c-4c19-8174-28b7c55a208a"
    assert group.features == ("voice_in", "voice_out", "t38")
    assert available(group) == 932
    assert group.skus == (
        SkuRow("0ba87a94-7143-48cb-a0f6-d50a6a0c8cfa", Decimal("0.0"), Decimal("0.3"), 0),
        SkuRow("1a86de53-3131-491f-9e4b-3392da45d441", Decimal("0.0"), Decimal("0.8"), 2),
    )


def test_several_groups_fit_new_york(groups: dict[str, GroupRow]) -> None:
    local = [group.features for group in groups.values() if group.city_id == NEW_YORK]
    assert len(set(local)) > 2
