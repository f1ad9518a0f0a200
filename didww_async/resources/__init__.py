"""The API's resources: frozen attrs classes, one module per chapter of the API.

A chapter loads when one of its names is asked for, or when a reply holds one of its types.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, cast

from didww_async.resources.base import Meta, Nested, Resource, UnknownNested, UnknownResource

# Chapter -> the API's type -> its class, and the names that belong to it.
CONTENTS: Mapping[str, Mapping[str, str]] = {
    "coverage": {
        "countries": "Country CountryFilter CountrySort CountryInclude",
        "regions": "Region RegionFilter RegionSort RegionInclude",
        "cities": "City CityFilter CitySort CityInclude",
        "areas": "Area AreaFilter AreaSort AreaInclude",
        "nanpa_prefixes": "NanpaPrefix NanpaPrefixFilter NanpaPrefixSort NanpaPrefixInclude",
        "did_group_types": "DidGroupType DidGroupTypeFilter DidGroupTypeSort",
        "": "NothingToInclude",
    },
    "inventory": {
        "did_groups": "DidGroup DidGroupFilter DidGroupSort DidGroupInclude DidGroupMeta Feature",
        "stock_keeping_units": "StockKeepingUnit",
        "available_dids": "AvailableDid AvailableDidFilter AvailableDidSort AvailableDidInclude",
        "did_reservations": "DidReservation DidReservationFilter DidReservationSort "
        "DidReservationInclude DidReservationCreate",
    },
    "orders": {
        "orders": "Order OrderFilter OrderSort OrderCreate OrderUpdate OrderStatus CallbackMethod",
        "": "NewOrderItem DidOrderItem AvailableDidOrderItem ReservedDidOrderItem "
        "CapacityOrderItem OrderItem DidOrderLine CapacityOrderLine EmergencyOrderLine "
        "GenericOrderLine",
    },
    "numbers": {
        "dids": "Did DidFilter DidSort DidInclude DidUpdate",
    },
    "account": {
        "balances": "Balance",
    },
}

_CHAPTERS: Mapping[str, str] = {
    name: chapter
    for chapter, types in CONTENTS.items()
    for names in types.values()
    for name in names.split()
}
_CLASSES: Mapping[str, str] = {
    type_: names.split()[0]
    for types in CONTENTS.values()
    for type_, names in types.items()
    if type_
}

__all__ = ["Meta", "Nested", "Resource", "UnknownNested", "UnknownResource", "by_type"]

if TYPE_CHECKING:
    from didww_async.resources import account, coverage, inventory, numbers, orders
    from didww_async.resources.account import *  # noqa: F403
    from didww_async.resources.coverage import *  # noqa: F403
    from didww_async.resources.inventory import *  # noqa: F403
    from didww_async.resources.numbers import *  # noqa: F403
    from didww_async.resources.orders import *  # noqa: F403

    __all__ += account.__all__
    __all__ += coverage.__all__
    __all__ += inventory.__all__
    __all__ += numbers.__all__
    __all__ += orders.__all__
else:  # a __getattr__ that type checkers see would let a misspelt name pass
    __all__ += list(_CHAPTERS)

    def __getattr__(name: str) -> object:
        if name in CONTENTS:
            return import_module(f"{__name__}.{name}")
        if name in _CHAPTERS:
            return getattr(import_module(f"{__name__}.{_CHAPTERS[name]}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__, *CONTENTS})


class _ByType(Mapping[str, type[Resource]]):
    """Resource classes by type; a chapter loads when one of its types is looked up."""

    def __getitem__(self, type_: str) -> type[Resource]:
        name = _CLASSES[type_]
        return cast("type[Resource]", getattr(import_module(f"{__name__}.{_CHAPTERS[name]}"), name))

    def __iter__(self) -> Iterator[str]:
        return iter(_CLASSES)

    def __len__(self) -> int:
        return len(_CLASSES)


def by_type() -> Mapping[str, type[Resource]]:
    """Every resource class by the type the API calls it."""
    return _ByType()
