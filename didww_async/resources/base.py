"""What all resources share: frozen, keyword-only, and honest about what the server left out.

An attribute's annotation says what the API documents. A value the reply did not contain (sparse
fieldsets, other API versions, or something that can't be read as the documented type) is `UNSET`;
`raw` keeps the resource object exactly as it came, so nothing the server sent is ever lost.
"""

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Never, Self, TypeVar, cast, dataclass_transform

import attrs

from didww_async.errors import InvalidInput
from didww_async.wire.unset import UNSET

__all__ = [
    "FlatNested",
    "Meta",
    "Nested",
    "Resource",
    "Shown",
    "UnknownNested",
    "UnknownResource",
    "attribute",
    "attributes_of",
    "fields_of",
    "is_read_only",
    "is_relationship",
    "is_secret",
    "is_to_many",
    "redacted",
    "related_type",
    "relationship",
    "required_relationship",
    "unfolded_class",
    "value",
    "wire_name",
]

T = TypeVar("T")


class _NothingRaw(Mapping[str, Any]):
    """The empty mapping of resources that did not come from the server.

    Shared, so it can't be a dict; pickled and copied by name, which a MappingProxyType can't be.
    """

    __slots__ = ()

    def __getitem__(self, key: str) -> Never:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "{}"

    def __reduce__(self) -> str:
        return "NOTHING_RAW"


NOTHING_RAW: Mapping[str, Any] = _NothingRaw()

_NO_ATTRIBUTES = frozenset({"id", "meta", "raw", "others"})
_SECRET_WORDS = re.compile(
    r"password|secret|token|credential|api_?key|auth_user|^username$", re.IGNORECASE
)


def attribute(
    *, secret: bool = False, read_only: bool = False, unfolded: "type[Nested] | None" = None
) -> Any:
    """Declare an attribute: `UNSET` until the server, or the caller, gives a value.

    `secret`: not shown in repr. `read_only`: the server sets it and refuses it in requests, so it
    is left out when a nested object that was read is sent back. `unfolded`: the nested class whose
    attributes stand among the resource's own in another API version.
    """
    return attrs.field(
        default=UNSET,
        metadata={"secret": secret, "read_only": read_only, "unfolded": unfolded},
    )


def relationship(type: str | None = None) -> Any:
    """Declare a relationship: `UNSET` while not loaded, None or () for none, else resources.

    Resources whose object is not in the document are stubs: only `id` is set. `type` is needed on
    input classes only, where the caller gives ids.
    """
    return attrs.field(default=UNSET, metadata={"relationship": True, "related_type": type})


def required_relationship(type: str | None = None) -> Any:
    """Declare a relationship that an input can't do without."""
    return attrs.field(metadata={"relationship": True, "related_type": type})


def fields_of(cls: Any) -> "tuple[attrs.Attribute[Any], ...]":
    """The declared fields of a resource, nested or input class."""
    fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(cls)
    return fields


def attributes_of(cls: Any) -> "tuple[attrs.Attribute[Any], ...]":
    """The fields that stand in `attributes` on the wire."""
    return _attributes_of(cls)


@functools.cache
def _attributes_of(cls: Any) -> "tuple[attrs.Attribute[Any], ...]":
    return tuple(
        field
        for field in fields_of(cls)
        if field.name not in _NO_ATTRIBUTES and not is_relationship(field)
    )


def is_relationship(field: "attrs.Attribute[Any]") -> bool:
    """Whether a field was declared with `relationship()`."""
    return bool(field.metadata.get("relationship"))


def is_to_many(field: "attrs.Attribute[Any]") -> bool:
    """Whether a relationship leads to any number of resources, going by its annotation."""
    return str(field.type).startswith("tuple[")


def is_secret(field: "attrs.Attribute[Any]") -> bool:
    """Whether an attribute's value must not be shown."""
    return bool(field.metadata.get("secret"))


def is_read_only(field: "attrs.Attribute[Any]") -> bool:
    """Whether an attribute is the server's alone."""
    return bool(field.metadata.get("read_only"))


def unfolded_class(field: "attrs.Attribute[Any]") -> "type[Nested] | None":
    """The nested class of an attribute whose parts another version has among the resource's."""
    found: type[Nested] | None = field.metadata.get("unfolded")
    return found


def wire_name(field: "attrs.Attribute[Any]") -> str:
    """The API's word for a field: `from_` is `from`, which Python keeps for itself."""
    return field.name.removesuffix("_")


def related_type(field: "attrs.Attribute[Any]") -> str | None:
    """The resource type an input class's relationship points at."""
    return field.metadata.get("related_type")


@dataclass_transform(
    frozen_default=True, kw_only_default=True, field_specifiers=(required_relationship,)
)
def value(cls: type[T]) -> type[T]:
    """Make a class a frozen value with keyword-only arguments."""
    return attrs.frozen(cls, kw_only=True, eq=False, repr=False, weakref_slot=False)


class Shown:
    """Equality and repr by what is set; relationships are left out, because they may be cyclic.

    `raw` counts only where there is nothing else to go by (`only_raw`): links differ by request.
    """

    __slots__ = ()

    only_raw: ClassVar[bool] = False

    def _set_fields(self) -> dict[str, Any]:
        return {
            field.name: found
            for field in fields_of(type(self))
            if (field.name != "raw" or self.only_raw) and not is_relationship(field)
            if (found := getattr(self, field.name)) is not UNSET
        }

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed, such as `configuration.replace(port=5061)`.

        Raises InvalidInput for a field that there is not.
        """
        names = {field.name for field in fields_of(type(self))}
        if unknown := changes.keys() - names:
            raise InvalidInput(f"{type(self).__name__} has no {', '.join(sorted(unknown))}")
        whole: Any = self
        return cast("Self", attrs.evolve(whole, **changes))

    __replace__ = replace

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._set_fields() == other._set_fields()

    def __hash__(self) -> int:
        return hash((type(self), getattr(self, "id", None)))

    def __repr__(self) -> str:
        secrets = {field.name for field in fields_of(type(self)) if is_secret(field)}
        shown = (
            f"{name}={'<hidden>' if found and name in secrets else repr(redacted(found))}"
            for name, found in self._set_fields().items()
            if name != "meta"
        )
        return f"{type(self).__name__}({', '.join(shown)})"


def redacted(found: Any) -> Any:
    """What is shown of a value as it came: a type this library does not know has secrets too."""
    if isinstance(found, Mapping):
        return {
            key: "<hidden>" if value and _SECRET_WORDS.search(str(key)) else redacted(value)
            for key, value in found.items()
        }
    if type(found) in {list, tuple}:
        return type(found)(redacted(item) for item in found)
    return found


@value
class Meta(Shown):
    """A resource's `meta` object; `raw` holds every key, subclasses type the documented ones."""

    only_raw: ClassVar[bool] = True

    raw: Mapping[str, Any] = NOTHING_RAW


@value
class Resource(Shown):
    """One resource object of a JSON:API document.

    `id` is the server's id (usually, not always, a UUID); `raw` the object exactly as received.
    """

    type: ClassVar[str] = ""
    paged: ClassVar[bool] = True
    max_page_size: ClassVar[int] = 100
    walk_by: ClassVar[str | None] = None  # the sort that keeps pages from drifting

    id: str
    meta: Meta = Meta()
    raw: Mapping[str, Any] = NOTHING_RAW


@value
class UnknownResource(Resource):
    """A resource of a type this library does not know; everything is in `raw`."""

    only_raw: ClassVar[bool] = True

    @property
    def attributes(self) -> Mapping[str, Any]:
        """The attributes as received."""
        found = self.raw.get("attributes")
        return found if isinstance(found, Mapping) else NOTHING_RAW


@value
class Nested(Shown):
    """A typed object inside an attribute, such as an order item."""

    type: ClassVar[str] = ""
    raw: Mapping[str, Any] = NOTHING_RAW


@value
class UnknownNested(Nested):
    """A nested object of a type this library does not know; everything is in `raw`."""

    only_raw: ClassVar[bool] = True


@value
class FlatNested(Shown):
    """A typed object inside an attribute, without a type of its own, such as an export's filters.

    `others`: what this library does not name, as the API spells it; sent along.
    """

    others: Mapping[str, Any] = NOTHING_RAW
    raw: Mapping[str, Any] = NOTHING_RAW
