"""Which DID groups serve which NANPA prefix, found out in few questions (pure).

A DID group does not name its prefixes. What can be asked is: which groups serve any of these
prefixes? An answer is no proof that a group serves one of them in particular; but a group that is
missing from it surely serves none. So every prefix begins with all groups as candidates, and each
question it was part of strikes off those that were not in the answer.

First questions. Prefixes are sorted into families by a guess (region and area code) and each family
is part of another half of the questions, so that no family's questions are all among another's
(Sperner): m questions keep C(m, m/2) families apart, 8 questions 70, 10 questions 252. If the guess
was right, what is left as candidates is the family's own groups.

Second questions. Prefixes whose candidates have nothing in common may be asked together: of each
answer, every group is the candidate of one of them only. That holds whatever the guess was worth.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

__all__ = ["Candidates", "after", "first_questions", "questions_for", "second_questions", "settled"]

Question = tuple[str, ...]
Candidates = Mapping[str, frozenset[str]]
"""Prefix id -> ids of the groups that may serve it."""


def questions_for(families: int) -> int:
    """How many questions keep so many families apart."""
    return next(m for m in itertools.count(1) if math.comb(m, m // 2) >= families)


def first_questions(
    prefixes: Iterable[str], *, family: Callable[[str], Hashable]
) -> list[Question]:
    """Questions that keep the families apart; each prefix is part of at least one."""
    families: defaultdict[Hashable, list[str]] = defaultdict(list)
    for prefix in sorted(set(prefixes)):
        families[family(prefix)].append(prefix)
    count = questions_for(len(families))
    questions: list[list[str]] = [[] for _ in range(count)]
    parts = set(itertools.combinations(range(count), max(1, count // 2)))
    for members in sorted(families.values(), key=lambda each: (-len(each), each)):
        # Of the halves that are left, the one that makes the longest question least long.
        part = min(parts, key=lambda half: (sum(len(questions[n]) for n in half), half))
        parts.remove(part)
        for number in part:
            questions[number] += members
    return [tuple(question) for question in questions if question]


def after(
    questions: Sequence[Question],
    answers: Sequence[Iterable[str]],
    *,
    before: Candidates | None = None,
) -> dict[str, frozenset[str]]:
    """The candidates that the answers leave: `answers` are the ids of the groups found."""
    left: dict[str, frozenset[str]] = dict(before or {})
    for question, answer in zip(questions, answers, strict=True):
        found = frozenset(answer)
        for prefix in question:
            left[prefix] = left[prefix] & found if prefix in left else found
    return left


def settled(
    candidates: Candidates, questions: Iterable[Question], *, served: frozenset[str]
) -> frozenset[str]:
    """The prefixes whose candidates are proven: none at all, what was asked for one prefix alone,
    or the only candidate of a prefix that is surely served by some group."""
    alone = {question[0] for question in questions if len(question) == 1}
    return frozenset(
        prefix
        for prefix, groups in candidates.items()
        if not groups or prefix in alone or (len(groups) == 1 and prefix in served)
    )


def second_questions(candidates: Candidates) -> list[Question]:
    """Questions after which each prefix's candidates are exactly the groups that serve it."""
    questions: list[tuple[list[str], set[str]]] = []
    # Those with most candidates first: they are the hardest to place.
    for prefix in sorted(candidates, key=lambda each: (-len(candidates[each]), each)):
        groups = candidates[prefix]
        for members, taken in questions:
            if not taken & groups:
                members.append(prefix)
                taken.update(groups)
                break
        else:
            questions.append(([prefix], set(groups)))
    return [tuple(members) for members, _ in questions]
