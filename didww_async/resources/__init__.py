"""The API's resources: frozen attrs classes, one module per chapter of the API."""

from collections.abc import Mapping

from didww_async.resources import account, coverage, inventory, numbers, orders
from didww_async.resources.account import *  # noqa: F403
from didww_async.resources.base import Meta, Nested, Resource, UnknownNested, UnknownResource
from didww_async.resources.coverage import *  # noqa: F403
from didww_async.resources.inventory import *  # noqa: F403
from didww_async.resources.numbers import *  # noqa: F403
from didww_async.resources.orders import *  # noqa: F403

CHAPTERS = (account, coverage, inventory, numbers, orders)

__all__ = ["Meta", "Nested", "Resource", "UnknownNested", "UnknownResource", "by_type"]
__all__ += account.__all__
__all__ += coverage.__all__
__all__ += inventory.__all__
__all__ += numbers.__all__
__all__ += orders.__all__


def by_type() -> Mapping[str, type[Resource]]:
    """Every resource class by the type the API calls it."""
    return {
        found.type: found
        for chapter in CHAPTERS
        for found in vars(chapter).values()
        if isinstance(found, type) and issubclass(found, Resource) and found.type
    }
