"""The fewest requests a plan of this kind can do with, worked out from what was found (pure).

A request lists at most 100 records (1,000 cities), a list filter takes what fits into an address,
and every choice is proven as `buy()` proves it. So a batch needs at least

- 1 request for its countries, 1 for its regions and 1 for its number types, where lines name them;
- 1 per 1,000 cities and per address full of names;
- for P prefixes NPA-NXX of N area codes with X different NXXs: NPAs and NXXs are asked as a cross
  product, of which a share s exists beside the P. In k blocks of equal size that is
  P + (N X / k - P) s rows, on at least k pages: the least k with as many rows as fit on k pages;
- for the DID groups of cities, regions and countries: 1 per 100 groups and per address full of ids;
- for the DID groups of prefixes: groups do not name their prefixes, so they are told apart by
  questions (`which_group`). Sperner's theorem gives the least number that keeps F area codes apart:
  the least m with C(m, m/2) >= F. If an area code has several groups among its prefixes, these
  share their candidates and must be asked one by one: as many more as the largest such area code
  has prefixes;
- 1 for the balance;
- 1 per order, with as many items as an order may have.

Waiting for orders and reading their numbers is not in it.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import attrs

from flows.batch.chunks import chunks
from flows.batch.resolving import ResolvedLine
from flows.batch.which_group import questions_for

__all__ = ["Bound", "bound_of"]

PAGE: Final = 100
CITIES: Final = 1000


@attrs.frozen(kw_only=True)
class Bound:
    """Requests by purpose."""

    places: int
    prefixes: int
    groups: int
    groups_of_prefixes: int
    balance: int
    orders: int

    @property
    def total(self) -> int:
        """All of them."""
        return sum(attrs.astuple(self))


def bound_of(
    lines: Iterable[ResolvedLine], *, share_on_sale: float, max_items_per_order: int
) -> Bound:
    """The bound for lines that can be bought.

    `share_on_sale`: the part of all NPA-NXX that is on sale, as seen (`Merged.share_on_sale`).
    """
    found = list(lines)
    by_prefix = [line for line in found if line.npanxx is not None]
    others = [line for line in found if line.npanxx is None]
    items = {(line.sku_id, line.nanpa_prefix_id) for line in found}
    return Bound(
        places=_places(found),
        prefixes=_prefixes(by_prefix, share_on_sale),
        groups=_groups(others),
        groups_of_prefixes=_groups_of_prefixes(by_prefix),
        balance=1,
        orders=math.ceil(len(items) / max_items_per_order),
    )


def _places(lines: Sequence[ResolvedLine]) -> int:
    requests = [line.line.request for line in lines]
    cities = {request.city for request in requests if request.city}
    addresses = len(list(chunks(sorted(cities))))
    return (
        bool(requests)
        + any(request.region for request in requests)
        + any(request.number_type for request in requests)
        + max(addresses, math.ceil(len(cities) / CITIES))
    )


def _prefixes(lines: Sequence[ResolvedLine], share: float) -> int:
    named = {line.npanxx or "" for line in lines if line.line.request.nxx}
    pairs, npas = len(named), len({digits[:3] for digits in named})
    crossed = npas * len({digits[3:] for digits in named})
    blocks = 1
    while pairs + max(0.0, crossed / blocks - pairs) * share > PAGE * blocks:
        blocks += 1
    unnamed = any(not line.line.request.nxx for line in lines)
    return (blocks if named else 0) + unnamed


def _groups(lines: Sequence[ResolvedLine]) -> int:
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for line in lines:
        request = line.line.request
        kind = "city" if request.city else "region" if request.region else "country"
        groups[kind].add(line.did_group_id)
    return sum(math.ceil(len(ids) / PAGE) for ids in groups.values())


def _groups_of_prefixes(lines: Sequence[ResolvedLine]) -> int:
    if not lines:
        return 0
    prefixes: defaultdict[str, set[str]] = defaultdict(set)
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for line in lines:
        npa = (line.npanxx or "")[:3]
        prefixes[npa].add(line.npanxx or "")
        groups[npa].add(line.did_group_id)
    one_by_one = [len(prefixes[npa]) for npa in prefixes if len(groups[npa]) > 1]
    return questions_for(len(prefixes)) + max(one_by_one, default=0)
