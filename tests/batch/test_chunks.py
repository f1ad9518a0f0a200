"""Cutting lists for addresses, and area codes into blocks: nothing is lost, nothing is too long."""

import urllib.parse

from hypothesis import given
from hypothesis import strategies as st

from flows.batch.chunks import chunks
from flows.batch.merged_prefixes import FULL, blocks

NPAS = st.sampled_from([f"{number}" for number in range(201, 260)])
NXXS = st.sets(st.sampled_from([f"{number}" for number in range(220, 299)]), min_size=1)


@given(st.lists(st.text(min_size=1, max_size=40)), st.integers(30, 300))
def test_parts_are_whole_and_short(values: list[str], longest: int) -> None:
    parts = list(chunks(values, longest=longest))
    assert values == [value for part in parts for value in part]
    for part in parts:
        assert 1 == len(part) or len(urllib.parse.quote_plus(",".join(part), safe=",")) <= longest


@given(st.dictionaries(NPAS, NXXS, min_size=1), st.floats(0.01, 1.0))
def test_blocks_hold_every_prefix_once_and_about_a_page(
    wanted: dict[str, set[str]], share: float
) -> None:
    cut = list(blocks(wanted, share=share))
    assert sorted(wanted) == sorted(npa for npas, _ in cut for npa in npas)
    for npas, nxxs in cut:
        assert all(wanted[npa] <= set(nxxs) for npa in npas)
        named = sum(len(wanted[npa]) for npa in npas)
        expected = named + (len(npas) * len(nxxs) - named) * share
        assert 1 == len(npas) or expected <= FULL
