"""Number types in every API version: resources up to 2026-04-16, an attribute since 2026-11-19."""

from collections.abc import Sequence
from typing import Final, Literal

import attrs

from didww_async import Client
from didww_async.resources import DidGroup, DidGroupSort, NumberType
from flows.choices import NumberTypeChoice

__all__ = ["NumberTypeSpelling", "number_type_of", "number_types_of", "spelled_for"]

ATTRIBUTE_SINCE = "2026-11-19"


@attrs.frozen(kw_only=True)
class NumberTypeSpelling:
    """How the number type of a DID group is asked for in an API version.

    `filter`: the filter that takes a choice's id. `sort`: what brings the types apart. `include`,
    `fields`: what of a group must be loaded. `known`: every type, where that needs no request.
    """

    filter: Literal["did_group_type.id", "number_type"]
    sort: DidGroupSort
    include: tuple[Literal["did_group_type"], ...] = ()
    fields: tuple[str, ...]
    known: tuple[NumberTypeChoice, ...] | None = None

    def has(self, kind: NumberTypeChoice) -> bool:
        """Whether a choice was made with this spelling: its id is a word like toll_free, or not."""
        return kind.id.replace("_", "").isalpha() is (self.known is not None)


def _named(kind: NumberType) -> NumberTypeChoice:
    name = NAMES.get(kind) or str(kind).replace("_", " ").capitalize()
    return NumberTypeChoice(id=str(kind), name=name)


# As the resources of older versions are called.
NAMES: Final = {NumberType.TOLL_FREE: "Toll-free", NumberType.SHARED_COST: "Shared Cost"}
BY_RESOURCE: Final = NumberTypeSpelling(
    filter="did_group_type.id",
    sort="-did_group_type.name",
    include=("did_group_type",),
    fields=("did_group_type",),
)
BY_ATTRIBUTE: Final = NumberTypeSpelling(
    filter="number_type",
    sort="-number_type",
    fields=("number_type",),
    known=tuple(_named(kind) for kind in NumberType),
)


def spelled_for(client: Client) -> NumberTypeSpelling:
    """How the API version that a client speaks spells number types."""
    return BY_ATTRIBUTE if client.api_version >= ATTRIBUTE_SINCE else BY_RESOURCE


def number_type_of(group: DidGroup) -> NumberTypeChoice | None:
    """The number type of a DID group, whichever version spelled it; None where it is not loaded."""
    if group.number_type:
        return _named(group.number_type)
    kind = group.did_group_type
    return NumberTypeChoice(id=kind.id, name=kind.name or "") if kind else None


def number_types_of(groups: Sequence[DidGroup]) -> dict[str, NumberTypeChoice]:
    """The number types of DID groups, by id."""
    found = (number_type_of(group) for group in groups)
    return {kind.id: kind for kind in found if kind is not None}
