"""The steps of a purchase: which one needs what, what it drops, and the saved IDs.

    choose_country -> [choose_number_type] -> choose_city | choose_region -> choose_city
                                            | choose_region -> choose_nanpa_prefix | (nothing more)
    -> choose_offer -> quote -> order -> wait / cancel

Pure: the table is data, `check` and `drop` read it.
"""

from collections.abc import Collection, Mapping

import attrs

from flows.errors import StepNotPossible

__all__ = ["STEPS", "SavedIds", "StepRule", "check", "dropped_by", "possible_steps"]


@attrs.frozen(kw_only=True)
class SavedIds:
    """The ids chosen so far: what each step saves for the next one. None: not chosen."""

    country_id: str | None = None
    number_type_id: str | None = None
    region_id: str | None = None
    city_id: str | None = None
    nanpa_prefix_id: str | None = None
    did_group_id: str | None = None
    sku_id: str | None = None
    order_id: str | None = None


@attrs.frozen(kw_only=True)
class StepRule:
    """`needs`: what must be chosen before; `drops`: what hung on an earlier choice and goes.

    `before_order`: not possible any more once the order was given.
    """

    needs: tuple[str, ...] = ()
    drops: tuple[str, ...] = ()
    before_order: bool = True


AFTER_PLACE = ("offer", "quote")

STEPS: Mapping[str, StepRule] = {
    "choose_country": StepRule(
        drops=("number_type", "region", "city", "nanpa_prefix", *AFTER_PLACE)
    ),
    "choose_number_type": StepRule(needs=("country",), drops=AFTER_PLACE),
    "choose_region": StepRule(needs=("country",), drops=("city", "nanpa_prefix", *AFTER_PLACE)),
    "choose_city": StepRule(needs=("country",), drops=("nanpa_prefix", *AFTER_PLACE)),
    "choose_nanpa_prefix": StepRule(needs=("country",), drops=("city", *AFTER_PLACE)),
    "offers": StepRule(needs=("country",)),
    "choose_offer": StepRule(needs=("country",), drops=("quote",)),
    "quote": StepRule(needs=("offer",)),
    "order": StepRule(needs=("quote",), before_order=False),
    "wait": StepRule(needs=("order",), before_order=False),
    "cancel": StepRule(needs=("order",), before_order=False),
    "new_purchase": StepRule(before_order=False),
}


def possible_steps(chosen: Collection[str], *, ordering: bool) -> list[str]:
    """The steps that can be taken when `chosen` is there; `ordering`: the order was given."""
    return [
        step
        for step, rule in STEPS.items()
        if all(need in chosen for need in rule.needs) and not (ordering and rule.before_order)
    ]


def check(step: str, chosen: Collection[str], *, ordering: bool) -> None:
    """Raise StepNotPossible unless the step can be taken now."""
    possible = possible_steps(chosen, ordering=ordering)
    if step in possible:
        return
    missing = [need for need in STEPS[step].needs if need not in chosen]
    why = (
        f"it needs {' and '.join(missing)} first"
        if missing
        else "the order was given; new_purchase() begins another one"
    )
    raise StepNotPossible(step, why=why, possible=possible)


def dropped_by(step: str) -> tuple[str, ...]:
    """What an earlier choice left behind and this step makes void."""
    return STEPS[step].drops
