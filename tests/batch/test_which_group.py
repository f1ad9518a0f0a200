"""Which groups serve which prefix: never guessed, whatever the world looks like."""

import math
from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.batch.which_group import (
    after,
    first_questions,
    questions_for,
    second_questions,
    settled,
)

PREFIXES = tuple(f"p{n}" for n in range(12))
GROUPS = tuple(f"g{n}" for n in range(6))
worlds = st.dictionaries(
    st.sampled_from(PREFIXES), st.frozensets(st.sampled_from(GROUPS), max_size=3), min_size=1
)
guesses = st.fixed_dictionaries({prefix: st.integers(0, 4) for prefix in PREFIXES})


def serving(world: Mapping[str, frozenset[str]], asked: Iterable[str]) -> set[str]:
    return set().union(*(world[prefix] for prefix in asked))


@given(world=worlds, guess=guesses, told=st.booleans())
def test_every_prefix_gets_exactly_its_groups_whatever_was_guessed(
    world: dict[str, frozenset[str]], guess: dict[str, int], told: bool
) -> None:
    first = first_questions(world, family=guess.__getitem__)
    left = after(first, [serving(world, each) for each in first])
    assert all(groups <= left[prefix] for prefix, groups in world.items())
    served = (
        frozenset(prefix for prefix, groups in world.items() if groups) if told else frozenset()
    )
    proven = settled(left, first, served=served)
    assert all(world[prefix] == left[prefix] for prefix in proven)
    second = second_questions({each: left[each] for each in set(left) - proven})
    left = after(second, [serving(world, each) for each in second], before=left)
    assert world == left


def test_a_right_guess_needs_the_first_questions_only() -> None:
    world = {f"{npa}-{n}": frozenset({f"g{npa}"}) for npa in range(50) for n in range(4)}
    first = first_questions(world, family=lambda prefix: prefix.split("-")[0])
    left = after(first, [serving(world, each) for each in first])
    assert 8 == len(first)
    assert world == left
    assert set(world) == settled(left, first, served=frozenset(world))


def test_one_family_with_two_groups_is_asked_prefix_by_prefix() -> None:
    world = {"a": frozenset({"g"}), "b": frozenset({"h"}), "c": frozenset({"g", "h"})}
    first = first_questions(world, family=lambda _: 0)
    left = after(first, [serving(world, each) for each in first])
    assert [("a", "b", "c")] == first
    assert [["a"], ["b"], ["c"]] == sorted(map(list, second_questions(left)))


@pytest.mark.parametrize(
    ("families", "questions"), [(1, 1), (2, 2), (3, 3), (6, 4), (7, 5), (70, 8), (252, 10)]
)
def test_so_many_questions_keep_so_many_families_apart(families: int, questions: int) -> None:
    assert questions == questions_for(families)
    assert math.comb(questions, questions // 2) >= families
    asked = first_questions(map(str, range(families)), family=lambda prefix: prefix)
    for one in map(str, range(families)):
        for other in map(str, range(families)):
            apart = any(one in each and other not in each for each in asked)
            assert (one != other) == apart
