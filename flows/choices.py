"""What was chosen, as small JSON-friendly values, and matching names whatever their case (pure)."""

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, Protocol, TypeVar

import attrs

from didww_async import InvalidInput
from flows.errors import Ambiguous, NoMatch
from flows.states import SavedIds

__all__ = [
    "Chosen",
    "CityChoice",
    "CountryChoice",
    "Filters",
    "NanpaPrefixChoice",
    "NumberTypeChoice",
    "RegionChoice",
    "check_name",
    "check_npa",
    "check_nxx",
    "folded",
    "nearest",
    "the_one",
]

T = TypeVar("T")
NPA = re.compile(r"[2-9]\d\d", re.ASCII)
NXX = re.compile(r"(?!\d11)[2-9]\d\d", re.ASCII)


@attrs.frozen(kw_only=True)
class CountryChoice:
    """A country; `prefix` is its dialling code."""

    id: str
    name: str
    iso: str
    prefix: str | None

    def __str__(self) -> str:
        return f"{self.name} ({self.iso})"


@attrs.frozen(kw_only=True)
class NumberTypeChoice:
    """A number type: Local, National, Mobile, Toll-free, ..."""

    id: str
    name: str

    def __str__(self) -> str:
        return self.name


@attrs.frozen(kw_only=True)
class RegionChoice:
    """A state or province."""

    id: str
    name: str
    iso: str | None

    def __str__(self) -> str:
        return self.name


@attrs.frozen(kw_only=True)
class CityChoice:
    """A city; `region` is its region's name where known."""

    id: str
    name: str
    region: str | None

    def __str__(self) -> str:
        return f"{self.name}, {self.region}" if self.region else self.name


@attrs.frozen(kw_only=True)
class NanpaPrefixChoice:
    """An area code (NPA) with a central office code (NXX)."""

    id: str
    npa: str
    nxx: str

    def __str__(self) -> str:
        return f"{self.npa}-{self.nxx}"


@attrs.frozen(kw_only=True)
class Filters:
    """The filters that fit a country, and only those: what is empty or False does not apply."""

    number_types: tuple[NumberTypeChoice, ...]
    regions: tuple[RegionChoice, ...]
    cities: bool
    nanpa_prefixes: bool


@attrs.frozen(kw_only=True)
class Chosen(Generic[T]):
    """What a step returns: the saved ids for the next step, and what was chosen."""

    ids: SavedIds
    chosen: T


class _Named(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=_Named)


def folded(text: str) -> str:
    """Text as it is compared: case, blanks, hyphens and underscores do not matter."""
    return "".join(c for c in text.casefold() if c.isalnum())


def nearest(which: str, names: Iterable[str]) -> list[str]:
    """The names nearest to what was asked for, else all of them in order."""
    listed = list(names)
    by_folded = {folded(name): name for name in listed}
    close = difflib.get_close_matches(folded(which), by_folded, n=8, cutoff=0.6)
    return [by_folded[name] for name in close] or listed


def the_one(
    which: str,
    candidates: Sequence[N],
    *,
    what: str,
    also: Callable[[N], str | None] = lambda _: None,
) -> N:
    """The one candidate whose name, id (or `also`) is `which`.

    Raises NoMatch with the nearest candidates, or Ambiguous with those that fit.
    """
    asked = folded(which)
    found = [
        item
        for item in candidates
        if item.id == which or asked in {folded(item.name), folded(also(item) or "")} - {""}
    ]
    if not found:
        near = nearest(which, [str(item) for item in candidates])
        raise NoMatch(f"no {what} is called {which!r}", candidates=near)
    if len(found) > 1:
        listed = [f"{item} [{item.id}]" for item in found]
        raise Ambiguous(f"{len(found)} {what} entries are called {which!r}", candidates=listed)
    return found[0]


def check_name(which: str, *, what: str) -> str:
    """Return a name, code or id without blanks around it. Raises InvalidInput without any text."""
    if not isinstance(which, str) or not which.strip():
        raise InvalidInput(f"{what} is a name or id, not {which!r}")
    return which.strip()


def check_npa(npa: str) -> str:
    """Return an area code. Raises InvalidInput unless it is 2-9 and two digits."""
    if not isinstance(npa, str) or not NPA.fullmatch(npa):
        raise InvalidInput(f"NPA is an area code such as '212', not {npa!r}")
    return npa


def check_nxx(nxx: str) -> str:
    """Return a central office code. Raises InvalidInput unless it is 2-9, two digits, not N11."""
    if not isinstance(nxx, str) or not NXX.fullmatch(nxx):
        raise InvalidInput(f"NXX is a central office code such as '555' (never N11), not {nxx!r}")
    return nxx
