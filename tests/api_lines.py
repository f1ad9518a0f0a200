"""The client's lines, `collection: operations[resource, ...]`, as types."""

import typing
from collections.abc import Mapping
from typing import Any

from resources.samples import names

from didww_async import collection, downloads, prepared, uploads
from didww_async.api import Api
from didww_async.resources import Resource

LINES: Mapping[str, Any] = typing.get_type_hints(
    Api,
    localns={
        **vars(collection),
        **names(),
        "downloads": downloads,
        "prepared": prepared,
        "uploads": uploads,
    },
)


def methods(line: Any) -> set[str]:
    """The public methods of a line's collection."""
    operations = typing.get_origin(line)
    return {name for name in dir(operations) if not name.startswith("_")}


def arguments(line: Any) -> dict[str, Any]:
    """What a line names behind its resource, by the letter operations call it: F, S, I, C, U."""
    parameters = (found.__name__ for found in typing.get_origin(line).__parameters__)
    _, *named = zip(parameters, typing.get_args(line), strict=True)
    return dict(named)


def resource_of(name: str) -> type[Resource]:
    """The class of a collection's resources."""
    found: type[Resource] = typing.get_args(LINES[name])[0]
    return found
