"""How a resource is declared: its attributes, relationships, filters, sorts, paging and operations.

The table of all resources is in `resources/`. An entry says with `since` and `until` in which API
versions it exists; `for_version` picks those of one version, so that nothing else knows versions.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import attrs

from didww_async.simulator.errors import bad_filter_value

if TYPE_CHECKING:
    from didww_async.simulator.settings import Settings
    from didww_async.simulator.world import World

Read = Callable[["World", Any], Any]
"""Reads something from a record. Records are frozen values of many classes, hence Any."""
Index = Callable[["World"], Mapping[str, Sequence[Any]]]

MISSING: Any = object()
"""What a `Read` of an attribute returns when the reply leaves the attribute out."""


def column(path: str) -> Read:
    """Read a field of the record, or a field of a field: `column("available_did.id")`."""
    get = attrgetter(path)
    return lambda _world, record: get(record)


class Versioned(Protocol):
    @property
    def since(self) -> str | None: ...
    @property
    def until(self) -> str | None: ...


@attrs.frozen(kw_only=True)
class Attribute:
    name: str = attrs.field(kw_only=False)
    read: Read
    since: str | None = None
    until: str | None = None


@attrs.frozen(kw_only=True)
class Relationship:
    """`read` gives one record or None; with `many`, a sequence. They are of the resource `type`.

    Where a relationship leads to several types, `others` names the rest of them, and `type_of`
    tells that of a record.
    """

    name: str = attrs.field(kw_only=False)
    type: str
    read: Read
    many: bool = False
    others: tuple[str, ...] = ()
    type_of: Callable[[Any], str] | None = None
    since: str | None = None
    until: str | None = None

    @property
    def types(self) -> tuple[str, ...]:
        return (self.type, *self.others)

    def type_name(self, record: Any) -> str:
        return self.type if self.type_of is None else self.type_of(record)


@attrs.frozen
class Target:
    """What a relationship in a request body may name: an existing record of a type."""

    type: str
    table: Callable[["World"], Mapping[str, Any]]


Reads = Callable[[Any], Any]
"""Turns what a request sent into a value, or raises ValueError with the API's message."""


@attrs.frozen(kw_only=True)
class Input:
    """An attribute or a relationship that a request body may contain.

    The rest tells `inputs.read_inputs` how to check it.
    """

    name: str = attrs.field(kw_only=False)
    relationship: bool = False
    reads: Reads | None = None
    targets: tuple[Target, ...] = ()
    many: bool = False
    required: bool = False
    nullable: bool = False
    since: str | None = None
    until: str | None = None


@attrs.frozen(kw_only=True)
class Sort:
    name: str = attrs.field(kw_only=False)
    read: Read
    since: str | None = None
    until: str | None = None


@attrs.frozen(kw_only=True)
class Filter:
    """`parse` turns a request's text into a value (or ValueError); `matches` applies it.

    An `index` finds the records of parsed texts without looking at all of them.
    """

    name: str = attrs.field(kw_only=False)
    parse: Callable[[str], Any]
    matches: Callable[["World", Any, Any], bool]
    index: Index | None = None
    allows: Callable[["World", Any], bool] | None = None
    """Whether the world has an answer for a value; otherwise it is refused like a bad one."""
    since: str | None = None
    until: str | None = None

    def value(self, text: str) -> Any:
        try:
            return self.parse(text)
        except ValueError as error:
            raise bad_filter_value(self.name, text) from error


@attrs.frozen
class Paging:
    default: int
    most: int


PAGES = Paging(50, 100)
LARGE_PAGES = Paging(1000, 1000)

Entry = TypeVar("Entry", bound=Versioned)


def entries_of(version: str, entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Pick the entries that exist in a version."""
    return tuple(
        entry
        for entry in entries
        if (entry.since is None or entry.since <= version)
        and (entry.until is None or version <= entry.until)
    )


def _by_name(entries: Sequence[Any]) -> dict[str, Any]:
    return {entry.name: entry for entry in entries}


def _listing(resource: "Resource") -> Callable[["World"], Sequence[Any]] | None:
    table = resource.table
    return None if table is None else lambda world: list(table(world).values())


def _finding(resource: "Resource") -> Callable[["World", str], Any] | None:
    table = resource.table
    return None if table is None else lambda world, record_id: table(world).get(record_id)


@attrs.frozen(kw_only=True, eq=False)
class Resource:
    """One kind of resource and what can be done with it. An operation that is None is missing."""

    type: str
    path: str | None = None
    """The collection's path; None for resources that only come included."""
    singleton: bool = False

    table: Callable[["World"], Mapping[str, Any]] | None = None
    """The records by id: what `all` and `find` look at, unless they are given."""
    all: Callable[["World"], Sequence[Any]] | None = attrs.field(
        default=attrs.Factory(_listing, takes_self=True)
    )
    find: Callable[["World", str], Any] | None = attrs.field(
        default=attrs.Factory(_finding, takes_self=True)
    )
    search: Callable[["World", Mapping[str, Any]], tuple[Sequence[Any], dict[str, Any]]] | None = (
        None
    )
    """Instead of `all`: finds records by parsed filters; returns them and the document's meta."""
    create: Callable[["World", Mapping[str, Any], str], Any] | None = None
    update: Callable[["World", Any, Mapping[str, Any], str], Any] | None = None
    delete: Callable[["World", Any], None] | None = None
    upload: Callable[["World", bytes, str, str], Sequence[Any]] | None = None
    """Instead of `create`: makes records from a form, its content type and the version."""
    download: Callable[["World", str], bytes] | None = None
    """Gives the file of a record: GET of its path and `.csv.gz`."""

    attributes: tuple[Attribute, ...] = ()
    relationships: tuple[Relationship, ...] = ()
    relationships_until: str | None = None
    """Replies of this version and older have no relationships, unless they are included."""
    filters: tuple[Filter, ...] = ()
    sorts: tuple[Sort, ...] = ()
    creates: tuple[Input, ...] = ()
    updates: tuple[Input, ...] = ()
    paging: Paging | None = PAGES
    meta: Callable[["World", Any], dict[str, Any]] | None = None
    """The `meta` member of the resource object."""
    read_meta: Callable[["World"], dict[str, Any]] | None = None
    """More members of the document's meta, in replies to GET."""
    kept_in_order_of: tuple[str, ...] = ()
    """Sorts, of columns by their names, in which lists are found already: saves a long sort."""
    of_coverage: bool = False
    """Lists change only with the stock, objects without `meta` never: both may be remembered."""
    forbidden: Callable[["Settings"], str | None] = lambda _settings: None
    """Why the account may not use the resource (403), or None."""
    is_public: bool = False
    """Served without a key."""
    bare: bool = False
    """Documents have `data` only."""
    since: str | None = None
    until: str | None = None

    quiet: bool = False
    filter_named: dict[str, Filter] = attrs.field(init=False)
    sort_named: dict[str, Sort] = attrs.field(init=False)
    relationship_named: dict[str, Relationship] = attrs.field(init=False)

    @filter_named.default
    def _name_filters(self) -> dict[str, Filter]:
        return _by_name(self.filters)

    @sort_named.default
    def _name_sorts(self) -> dict[str, Sort]:
        return _by_name(self.sorts)

    @relationship_named.default
    def _name_relationships(self) -> dict[str, Relationship]:
        return _by_name(self.relationships)

    def for_version(self, version: str) -> "Resource":
        """The resource as one version knows it."""
        return attrs.evolve(
            self,
            attributes=entries_of(version, self.attributes),
            relationships=entries_of(version, self.relationships),
            filters=entries_of(version, self.filters),
            sorts=entries_of(version, self.sorts),
            creates=entries_of(version, self.creates),
            updates=entries_of(version, self.updates),
            quiet=self.relationships_until is not None and version <= self.relationships_until,
        )


Catalogue = Mapping[str, Resource]
"""The resources of one version by type."""
