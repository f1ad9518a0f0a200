"""What was not sent says so, wherever it is used as if it had been."""

import copy
import pickle

import pytest

from didww_async import UNSET, Client, InvalidInput, Unset, is_set


async def test_a_relationship_that_was_not_included_has_no_name(client: Client) -> None:
    city = await client.cities.first(filter={"name": "London"})
    assert city is not None
    assert not is_set(city.country)
    for attribute in ("name", "iso", "id", "value"):
        with pytest.raises(AttributeError, match=f"no '{attribute}': this was not sent"):
            getattr(city.country, attribute)
    with_country = await client.cities.first(filter={"name": "London"}, include=["country"])
    assert with_country is not None
    assert is_set(with_country.country)
    assert is_set(None)


async def test_it_is_no_value_of_a_filter(client: Client) -> None:
    city = await client.cities.first(filter={"name": "London"})
    assert city is not None
    unset: object = city.region
    with pytest.raises(InvalidInput, match="what it was taken from was not loaded"):
        await client.cities.list(filter={"region.id": unset})  # type: ignore[typeddict-item]


def test_there_is_one_of_it() -> None:
    assert UNSET is pickle.loads(pickle.dumps(UNSET))  # noqa: S301
    assert UNSET is copy.deepcopy(UNSET)
    assert UNSET is Unset("UNSET")
    assert {UNSET: 1} == {Unset.UNSET: 1}
    assert ("UNSET", "UNSET", False) == (repr(UNSET), f"{UNSET}", bool(UNSET))
