"""The operations a collection can have; each collection has exactly those the API has."""

import itertools
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

import attrs

from didww_async.auth import NoKey
from didww_async.errors import InvalidInput
from didww_async.spelling import NOTHING
from didww_async.transport.call import MEDIA_TYPE, Call, Operation, Repeat, Reply, Timeouts
from didww_async.transport.files import Form
from didww_async.wire.drafts import draft_of
from didww_async.wire.query import Pairs, sendable

if TYPE_CHECKING:  # chapters of resources, and what reads them, load with the first call
    from didww_async.channel import Channel
    from didww_async.resources import Resource

__all__ = [
    "Creates",
    "Deletes",
    "Gets",
    "Lists",
    "ListsWithoutKey",
    "Page",
    "Reads",
    "ReadsCreatesDeletes",
    "ReadsCreatesUpdates",
    "ReadsDeletes",
    "ReadsUpdates",
    "ReadsWrites",
    "Singleton",
    "Updates",
]

R = TypeVar("R", bound="Resource")
F = TypeVar("F", bound=Mapping[str, Any])
S = TypeVar("S", bound=str)
I = TypeVar("I", bound=str)  # noqa: E741 - filter, sort, include
C = TypeVar("C")
U = TypeVar("U")


@attrs.frozen(kw_only=True, eq=False)
class Page(Sequence[R]):
    """One page of a list, a sequence of resources in the server's order.

    `total_records` counts the records on all pages, None where the API does not page; `meta` and
    `links` are those of the document.
    """

    items: tuple[R, ...]
    total_records: int | None
    meta: Mapping[str, Any] = attrs.field(repr=False)
    links: Mapping[str, Any] = attrs.field(repr=False)

    @overload
    def __getitem__(self, index: int) -> R: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[R, ...]: ...
    def __getitem__(self, index: int | slice) -> R | tuple[R, ...]:
        return self.items[index]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[R]:
        return iter(self.items)


_PAGE_DRAFT = draft_of(Page)


class _Collection(Generic[R]):
    """What the operations share: the resource class and the way to the wire."""

    def __init__(self, channel: "Channel", resource: type[R], *, path: str) -> None:
        self._channel = channel
        self._resource = resource
        self._path = path
        self._kinds = frozenset({resource})
        self._reading = Operation(
            method="GET", kind=f"GET {path}", api_version=channel.version.date
        )
        self._writing: dict[tuple[str, type], Operation] = {}

    def _read(self, path: str, query: Pairs, timeouts: Timeouts | None) -> Call:
        version = self._channel.version
        if version.other_paths:
            path = version.path(path)
        return Call(self._reading, path, query, None, timeouts and _checked(timeouts))

    def _write(
        self, method: str, path: str, *, body: bytes | Form | None, timeouts: Timeouts | None
    ) -> Call:
        version = self._channel.version
        kind = method, type(body)
        if (operation := self._writing.get(kind)) is None:
            operation = self._writing[kind] = Operation(
                method=method,
                kind=f"{method} {self._path}",
                api_version=version.date,
                sends=MEDIA_TYPE if isinstance(body, bytes) else None,
                repeat=self._repeats(method),
                fresh=True,
            )
        return Call(operation, version.path(path), body=body, timeouts=_checked(timeouts))

    def _repeats(self, method: str) -> Repeat:
        """When a call that writes may be sent again."""
        return "if not carried out"

    def _body(self, given: object, *, id: str | None = None) -> bytes:
        return self._channel.body(given, type=self._resource.type, id=id)

    def _item(self, id: str) -> str:
        if not isinstance(id, str) or not id or "/" in id or id in {".", ".."}:
            raise InvalidInput(f"not an id of {self._path}: {id!r}")
        return f"{self._path}/{sendable(id)}"

    def _one(self, call: Call, reply: Reply) -> R:
        channel = self._channel
        return self._ours(call, reply, channel.linker.one(channel.sender.read(call, reply)))

    def _ours(self, call: Call, reply: Reply, found: "Resource | None") -> R:
        # An order under another name must not pass for "no such order".
        if not isinstance(found, self._resource):
            got = "null" if found is None else f"{found.raw.get('type')!r}"
            why = f"expected {self._resource.type!r}, got {got}"
            raise self._channel.sender.unreadable(call, why, reply=reply)
        return found

    def _all_ours(self, call: Call, reply: Reply, found: "list[Resource]") -> tuple[R, ...]:
        if self._kinds.issuperset(map(type, found)):  # the same, for a whole page at once
            return tuple(found)  # type: ignore[arg-type]
        return tuple(self._ours(call, reply, item) for item in found)


class Lists(_Collection[R], Generic[R, F, S, I]):
    """Reading a list."""

    async def list(
        self,
        *,
        filter: F | None = None,
        sort: S | Sequence[S] = (),
        include: I | Sequence[I] = (),
        fields: Mapping[str, Sequence[str]] | None = None,
        page: int | None = None,
        page_size: int | None = None,
        timeouts: Timeouts | None = None,
    ) -> Page[R]:
        """Read one page of the list (the whole of it where the API does not page): one request.

        `filter`: the API's keys; a sequence means "any of" ("all of" for features), None asks for
        blank values. `sort`: names, "-" in front for descending. `include`: relationships to
        load. `fields`: by type, the attributes and relationships to return, all others stay
        UNSET. `page`: from 1. `page_size`: at most 100 (cities and areas: 1000).

        Returns a `Page`. Raises BadRequest for a filter, sort or page the API does not know, and
        every other ApiError or NoAnswer as it comes. For all pages use `iterate`.
        """
        if filter and type(filter) is not dict and not isinstance(filter, Mapping):
            raise InvalidInput(f"filter is a mapping, key -> value, not {filter!r}")
        channel = self._channel
        query = channel.version.query(
            self._resource.type,
            filter=filter or NOTHING,
            sort=_names("sort", sort) if sort else (),
            include=_names("include", include) if include else (),
            fields=_by_type(fields) if fields else NOTHING,
            page=page,
            page_size=page_size,
        )
        call = self._read(self._path, query, timeouts)
        reply = await channel.sender.send(call)
        document = channel.sender.read(call, reply)
        found = channel.linker.many(document)
        it = _PAGE_DRAFT()
        it.items = self._all_ours(call, reply, found)
        it.total_records = document.total_records
        it.meta = document.meta
        it.links = document.links
        it.__class__ = Page
        made: Page[R] = it
        return made

    async def iterate(
        self,
        *,
        filter: F | None = None,
        sort: S | Sequence[S] = (),
        include: I | Sequence[I] = (),
        fields: Mapping[str, Sequence[str]] | None = None,
        page_size: int | None = None,
        timeouts: Timeouts | None = None,
    ) -> AsyncIterator[R]:
        """Walk over all pages, each resource once, in the order of `sort`.

        Arguments and errors as for `list`. Without `sort` a stable one is used, because pages of
        an unsorted list drift. The walk ends when `total_records` have arrived, not when
        `links.next` is absent: the API often leaves it out. Where the total is missing too, it
        ends with a page that is shorter than others or has nothing new.
        """
        resource = self._resource
        if not resource.paged:
            for item in await self.list(
                filter=filter, sort=sort, include=include, fields=fields, timeouts=timeouts
            ):
                yield item
            return
        sort = _names("sort", sort) or cast(
            "tuple[S, ...]", _names("sort", tuple((resource.walk_by or "").split(",")))
        )
        size = resource.max_page_size if page_size is None else page_size
        seen: set[str] = set()
        arrived = longest = 0
        for number in itertools.count(1):
            page = await self.list(
                filter=filter,
                sort=sort,
                include=include,
                fields=fields,
                page=number,
                page_size=size,
                timeouts=timeouts,
            )
            known = len(seen)
            for item in page:
                if item.id not in seen:
                    seen.add(item.id)
                    yield item
            arrived += len(page)
            # The server may give less than `size`, so that a short first page proves nothing.
            longest = max(longest, len(page))
            if page.total_records is not None:
                enough = arrived >= page.total_records
            else:
                enough = len(page) < longest or len(seen) == known
            if enough or not page:
                return

    async def first(
        self,
        *,
        filter: F | None = None,
        sort: S | Sequence[S] = (),
        include: I | Sequence[I] = (),
        fields: Mapping[str, Sequence[str]] | None = None,
        timeouts: Timeouts | None = None,
    ) -> R | None:
        """Read the first resource of the list, None when it is empty: one request."""
        page = await self.list(
            filter=filter,
            sort=sort,
            include=include,
            fields=fields,
            page_size=1 if self._resource.paged else None,
            timeouts=timeouts,
        )
        return page[0] if page else None


class ListsWithoutKey(Lists[R, F, S, I]):
    """Reading a list that is open to everybody: the key is not sent there."""

    def __init__(self, channel: "Channel", resource: type[R], *, path: str) -> None:
        if channel.version.credentials == "key":
            channel = attrs.evolve(channel, sender=channel.sender.acting_as(NoKey()))
        super().__init__(channel, resource, path=path)


class Gets(_Collection[R], Generic[R, I]):
    """Reading one resource."""

    async def get(
        self,
        id: str,
        *,
        include: I | Sequence[I] = (),
        fields: Mapping[str, Sequence[str]] | None = None,
        timeouts: Timeouts | None = None,
    ) -> R:
        """Read one resource by its id. Raises NotFound when the account has no such record."""
        query: Pairs = ()
        if include or fields:
            query = self._channel.version.query(
                self._resource.type, include=_names("include", include), fields=_by_type(fields)
            )
        call = self._read(self._item(id), query, timeouts)
        return self._one(call, await self._channel.sender.send(call))


class Creates(_Collection[R], Generic[R, C]):
    """Creating a resource."""

    async def create(self, new: C, *, timeouts: Timeouts | None = None) -> R:
        """Create a resource and return it as the server made it.

        Raises ValidationFailed (its `pointer` names the field) or InsufficientBalance when the
        server refuses, OutcomeUnknown when it may have been created without an answer.
        """
        call = self._write("POST", self._path, body=self._body(new), timeouts=timeouts)
        return self._one(call, await self._channel.sender.send(call))


class Updates(_Collection[R], Generic[R, U]):
    """Changing a resource."""

    async def update(self, id: str, changes: U, *, timeouts: Timeouts | None = None) -> R:
        """Send the changed fields only and return the resource as it is now.

        What is UNSET in `changes` stays as it is; None sends null. Raises NotFound,
        ValidationFailed.
        """
        call = self._write(
            "PATCH",
            self._item(id),
            body=self._body(changes, id=id),
            timeouts=timeouts,
        )
        return self._one(call, await self._channel.sender.send(call))


class Deletes(_Collection[R]):
    """Deleting a resource."""

    async def delete(self, id: str, *, timeouts: Timeouts | None = None) -> None:
        """Delete a resource. Raises NotFound when it is not there (any more)."""
        call = self._write("DELETE", self._item(id), body=None, timeouts=timeouts)
        await self._channel.sender.send(call)


class Singleton(_Collection[R]):
    """Reading the one resource of its kind."""

    async def get(self, *, timeouts: Timeouts | None = None) -> R:
        """Read it; it is never cached."""
        call = self._read(self._path, (), timeouts)
        return self._one(call, await self._channel.sender.send(call))


class Reads(Lists[R, F, S, I], Gets[R, I]):
    """Reading lists and single resources."""


class ReadsUpdates(Reads[R, F, S, I], Updates[R, U], Generic[R, F, S, I, U]):
    """Reading and changing what the API itself makes and removes."""


class ReadsDeletes(Reads[R, F, S, I], Deletes[R], Generic[R, F, S, I]):
    """Reading and deleting."""


class ReadsCreatesDeletes(Reads[R, F, S, I], Creates[R, C], Deletes[R], Generic[R, F, S, I, C]):
    """Everything but changing."""


class ReadsCreatesUpdates(
    Reads[R, F, S, I], Creates[R, C], Updates[R, U], Generic[R, F, S, I, C, U]
):
    """Everything but deleting."""


class ReadsWrites(
    Reads[R, F, S, I], Creates[R, C], Updates[R, U], Deletes[R], Generic[R, F, S, I, C, U]
):
    """Everything: list, get, create, update, delete."""


def _checked(timeouts: Timeouts | None) -> Timeouts | None:
    if timeouts is not None and not isinstance(timeouts, Timeouts):
        raise InvalidInput(f"timeouts is a Timeouts(connect=, read=, total=), not {timeouts!r}")
    return timeouts


def _by_type(fields: Mapping[str, Sequence[str]] | None) -> Mapping[str, tuple[str, ...]]:
    if not fields:
        return {}
    if not isinstance(fields, Mapping):
        raise InvalidInput(f"fields is a mapping, type -> names, not {fields!r}")
    return {type_: _names("fields", names) for type_, names in fields.items()}


def _names(what: str, given: str | Sequence[str]) -> tuple[Any, ...]:
    if not given:
        return ()
    if isinstance(given, str):
        return (given,)
    names = tuple(given) if isinstance(given, Iterable) else (given,)
    if not all(isinstance(name, str) for name in names):
        raise InvalidInput(f"{what} takes a name or several, not {given!r}")
    return tuple(name for name in names if name)
