"""DID groups with their SKUs, and the single numbers that can be selected."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from didww_async.simulator.coverage import GroupRow
from didww_async.simulator.errors import bad_filter_value
from didww_async.simulator.filters import at_least, flag, texts
from didww_async.simulator.records import AvailableDid
from didww_async.simulator.resources.coverage import COUNTRY, REGION
from didww_async.simulator.resources.features import FEATURES, OLD_FEATURES
from didww_async.simulator.schema import (
    MISSING,
    Attribute,
    Filter,
    Input,
    Relationship,
    Resource,
    Sort,
    column,
)
from didww_async.simulator.search import matching
from didww_async.simulator.selecting import find_available, reserve, select_available
from didww_async.simulator.text import old_time_text, price_text, time_text
from didww_async.simulator.versions import BEARER, V2022, V2026

if TYPE_CHECKING:
    from didww_async.simulator.settings import Settings
    from didww_async.simulator.world import World

NUMBER_TYPES = ("local", "national", "mobile", "toll_free", "shared_cost", "global")

# DID groups


def _npanxx(world: "World", group: GroupRow) -> set[str]:
    found = (world.atlas.prefixes.get(key) for key in group.stock)
    return {prefix.npa + prefix.nxx for prefix in found if prefix is not None}


def _prefix_ids(_world: "World", group: GroupRow) -> set[str]:
    return {key for key in group.stock if key}


def _is_available(world: "World", group: GroupRow) -> bool:
    return world.stock.total(group.id) > 0


def _features(_world: "World", group: GroupRow) -> list[str]:
    return [feature for feature in group.features if feature in FEATURES]


def _number_type(world: "World", group: GroupRow) -> str:
    """What 2026-11-19 writes in the place of the number type's name: toll_free for Toll-free."""
    name = world.atlas.number_types[group.number_type_id].name
    return name.lower().replace("-", "_").replace(" ", "_")


def _group_meta(world: "World", group: GroupRow) -> dict[str, Any]:
    total = world.stock.total(group.id)
    return {
        "available_dids_enabled": group.available_dids_enabled,
        "needs_registration": group.needs_registration,
        "is_available": total > 0,
        "total_count": total,
    }


def _requirement(world: "World", group: GroupRow) -> Any:
    return world.regulation.address_requirement_of(group)


def _stated_restrictions(_world: "World", group: GroupRow) -> Any:
    """2022-05-10 leaves the attribute out where there is nothing to say."""
    return MISSING if group.service_restrictions is None else group.service_restrictions


DID_GROUPS = Resource(
    type="did_groups",
    path="did_groups",
    all=lambda world: world.atlas.coverage.groups,
    of_coverage=True,
    find=lambda world, record_id: world.atlas.groups.get(record_id),
    attributes=(
        Attribute("number_type", read=_number_type, since=BEARER),
        Attribute("prefix", read=column("prefix")),
        Attribute("features", read=lambda _world, group: list(group.features), until=V2022),
        Attribute("features", read=_features, since=V2026),
        Attribute("is_metered", read=column("is_metered")),
        Attribute("area_name", read=column("area_name")),
        Attribute("allow_additional_channels", read=column("allow_additional_channels")),
        Attribute("service_restrictions", read=_stated_restrictions, until=V2022),
        Attribute("service_restrictions", read=column("service_restrictions"), since=V2026),
    ),
    relationships=(
        COUNTRY,
        Relationship(
            "city",
            type="cities",
            read=lambda world, group: world.atlas.cities.get(group.city_id or ""),
        ),
        Relationship(
            "did_group_type",
            type="did_group_types",
            read=lambda world, group: world.atlas.number_types.get(group.number_type_id),
            until=V2026,
        ),
        REGION,
        Relationship(
            "stock_keeping_units",
            type="stock_keeping_units",
            many=True,
            read=lambda world, group: world.skus(group),
        ),
        Relationship("requirement", type="requirements", read=_requirement, until=V2022),
        Relationship(
            "address_requirement", type="address_requirements", read=_requirement, since=V2026
        ),
    ),
    meta=_group_meta,
    filters=(
        texts("id", column("id")),
        texts("prefix", column("prefix"), blank=True),
        texts("area_name", column("area_name"), blank=True, ignore_case=True),
        flag("is_metered", column("is_metered")),
        flag("allow_additional_channels", column("allow_additional_channels")),
        flag("available_dids_enabled", column("available_dids_enabled")),
        texts("features", column("features"), every=True, allowed=OLD_FEATURES, until=V2022),
        texts("features", column("features"), every=True, allowed=FEATURES, since=V2026),
        flag("needs_registration", column("needs_registration")),
        flag("is_available", _is_available),
        texts(
            "country.id",
            column("country_id"),
            blank=True,
            index=lambda world: world.atlas.groups_by_country,
        ),
        texts(
            "region.id",
            column("region_id"),
            blank=True,
            index=lambda world: world.atlas.groups_by_region,
        ),
        texts(
            "city.id",
            column("city_id"),
            blank=True,
            index=lambda world: world.atlas.groups_by_city,
        ),
        texts(
            "nanpa_prefix.id",
            _prefix_ids,
            blank=True,
            index=lambda world: world.atlas.groups_by_prefix,
        ),
        texts(
            "nanpa_prefix.npanxx",
            _npanxx,
            blank=True,
            index=lambda world: world.atlas.groups_by_npanxx,
        ),
        texts("did_group_type.id", column("number_type_id"), blank=True, until=V2026),
        texts("number_type", _number_type, allowed=NUMBER_TYPES, since=BEARER),
        at_least(
            "meta.total_count_gteq",
            lambda world, group: world.stock.total(group.id),
            since=V2026,
        ),
    ),
    sorts=(
        Sort(
            "country.name",
            read=lambda world, group: world.atlas.countries[group.country_id].name,
        ),
        Sort(
            "did_group_type.name",
            read=lambda world, group: world.atlas.number_types[group.number_type_id].name,
            until=V2026,
        ),
        Sort("number_type", read=_number_type, since=BEARER),
        Sort("prefix", read=column("prefix")),
        Sort("local_prefix", read=column("prefix")),
        Sort("is_metered", read=column("is_metered")),
        Sort("area_name", read=column("area_name")),
        Sort("allow_additional_channels", read=column("allow_additional_channels")),
        Sort("service_restrictions", read=column("service_restrictions"), since=V2026),
    ),
)

STOCK_KEEPING_UNITS = Resource(
    type="stock_keeping_units",
    attributes=(
        Attribute("setup_price", read=lambda _world, sku: price_text(sku.setup_price)),
        Attribute("monthly_price", read=lambda _world, sku: price_text(sku.monthly_price)),
        Attribute("channels_included_count", read=column("channels_included_count")),
    ),
)


# Available DIDs and reservations


_GROUP_FILTERS = {
    "id": "did_group.id",
    "did_group_type.id": "did_group_type.id",
    "number_type": "did_group.number_type",
    "needs_registration": "did_group.needs_registration",
    "features": "did_group.features",
    "country.id": "country.id",
    "region.id": "region.id",
    "city.id": "city.id",
    "nanpa_prefix.id": "nanpa_prefix.id",
}
"""How the filters of DID groups are called where they narrow the groups whose numbers are shown."""

_SHOWN_GROUPS = attrs.evolve(
    DID_GROUPS,
    filters=tuple(
        attrs.evolve(entry, name=_GROUP_FILTERS[entry.name])
        for entry in DID_GROUPS.filters
        if entry.name in _GROUP_FILTERS
    ),
)


def _not_selecting(settings: "Settings") -> str | None:
    return None if settings.available_dids else "The account may not select single numbers."


def _search_available(
    world: "World", filters: Mapping[str, Any]
) -> tuple[Sequence[AvailableDid], dict[str, Any]]:
    """List single numbers in random order, up to the cap, and tell how many there are."""
    narrowing = {
        name: value for name, value in filters.items() if name in _SHOWN_GROUPS.filter_named
    }
    digits = filters.get("number_contains", "")
    if digits and len(digits) < 3 and not narrowing:
        raise bad_filter_value("number_contains", digits)
    groups = matching(world, _SHOWN_GROUPS, narrowing)
    dids, total = select_available(
        world,
        groups,
        ids=filters.get("id"),
        digits=digits,
        prefix_ids=filters.get("nanpa_prefix.id"),
    )
    return dids, {"total_count": total}


def _digits(text: str) -> str:
    if not text.isascii() or not text.isdigit():
        raise ValueError(text)
    return text


def _passes(_world: "World", _record: Any, _wanted: Any) -> bool:
    """The search has applied the filter already."""
    return True


AVAILABLE_DIDS = Resource(
    type="available_dids",
    path="available_dids",
    search=_search_available,
    find=find_available,
    forbidden=_not_selecting,
    paging=None,
    attributes=(Attribute("number", read=column("number")),),
    relationships=(
        Relationship(
            "did_group",
            type="did_groups",
            read=lambda world, did: world.atlas.groups.get(did.group_id),
        ),
        Relationship(
            "nanpa_prefix",
            type="nanpa_prefixes",
            read=lambda world, did: world.atlas.prefixes.get(did.prefix_id or ""),
        ),
    ),
    filters=(
        *_SHOWN_GROUPS.filters,
        texts("id", column("id")),
        Filter("number_contains", parse=_digits, matches=_passes),
    ),
    sorts=(Sort("number", read=column("number"), since=V2026),),
)


def _reservations_left(world: "World") -> dict[str, Any]:
    return {"available_count": world.settings.max_reservations - len(world.live_reservations())}


DID_RESERVATIONS = Resource(
    type="did_reservations",
    path="did_reservations",
    all=lambda world: world.live_reservations(),
    find=lambda world, record_id: world.reservation(record_id),
    create=reserve,
    delete=lambda world, reservation: world.release(reservation),
    forbidden=_not_selecting,
    read_meta=_reservations_left,
    attributes=(
        Attribute("description", read=column("description")),
        Attribute("created_at", read=lambda _world, row: time_text(row.created_at)),
        Attribute("expire_at", read=lambda _world, row: old_time_text(row.expires_at), until=V2022),
        Attribute("expires_at", read=lambda _world, row: time_text(row.expires_at), since=V2026),
    ),
    relationships=(
        Relationship("available_did", type="available_dids", read=column("available_did")),
    ),
    filters=(texts("id", column("id")), texts("description", column("description"))),
    sorts=(
        Sort("created_at", read=column("created_at")),
        Sort("description", read=column("description")),
        Sort("expire_at", read=column("expires_at")),
        Sort("expires_at", read=column("expires_at"), since=V2026),
    ),
    creates=(Input("description"), Input("available_did", relationship=True)),
)
