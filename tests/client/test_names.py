"""The names users import: complete, resolvable, and loaded only when they are asked for."""

import ast
import inspect
import subprocess
import sys

import attrs
import pytest

import didww_async
from didww_async import Client, resources
from didww_async.api import Api
from didww_async.resources import CONTENTS, Resource, by_type, names_on


@pytest.mark.parametrize("package", [didww_async, resources], ids=lambda found: found.__name__)
def test_every_public_name_resolves_and_is_listed(package: object) -> None:
    names: list[str] = package.__all__
    assert sorted(set(names)) == sorted(names)
    assert [] == [name for name in names if getattr(package, name, None) is None]
    assert [] == [name for name in names if name not in dir(package)]


@pytest.mark.parametrize("package", [didww_async, resources], ids=lambda found: found.__name__)
def test_a_misspelt_name_is_an_error(package: object) -> None:
    with pytest.raises(AttributeError, match="Contry"):
        _ = package.Contry


def test_type_checkers_see_the_names_that_there_are_when_it_runs() -> None:
    seen = {
        alias.asname or alias.name
        for block in ast.walk(ast.parse(inspect.getsource(didww_async)))
        if isinstance(block, ast.If)
        for line in block.body
        if isinstance(line, ast.ImportFrom)
        for alias in line.names
    }
    assert set(didww_async.__all__) == seen


@pytest.mark.parametrize("chapter", CONTENTS)
def test_contents_name_exactly_what_a_chapter_offers(chapter: str) -> None:
    told = [name for shelf in CONTENTS[chapter].values() for name in names_on(shelf)]
    assert sorted(getattr(resources, chapter).__all__) == sorted(told)


@pytest.mark.parametrize("chapter", CONTENTS)
def test_type_checkers_see_every_chapter(chapter: str) -> None:
    source = inspect.getsource(resources)
    assert f"from didww_async.resources.{chapter} import *" in source
    assert f"__all__ += {chapter}.__all__" in source
    assert f"from didww_async.resources.{chapter} import *" in inspect.getsource(
        sys.modules["didww_async.api"]
    )


def test_every_class_is_found_by_its_type() -> None:
    assert {type_: type_ for type_ in by_type()} == {
        type_: cls.type for type_, cls in by_type().items()
    }
    assert len(by_type()) == len(set(by_type().values()))
    assert {
        found
        for chapter in CONTENTS
        for found in vars(getattr(resources, chapter)).values()
        if isinstance(found, type) and issubclass(found, Resource) and found.type
    } == set(by_type().values())


def test_every_resource_is_frozen_and_keyword_only() -> None:
    for cls in by_type().values():
        assert all(field.kw_only for field in attrs.fields(cls)), cls
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            cls(id="1").id = "2"


async def test_a_collection_opens_once_and_each_version_has_its_own() -> None:
    async with Client(api_key="k", environment="sandbox") as client:
        older = client.at_version("2022-05-10")
        for name in Api.__annotations__:
            assert name in dir(client)
            assert getattr(client, name) is getattr(client, name)
            assert getattr(client, name) is not getattr(older, name)
        assert getattr(client, "contries", None) is None


def loaded_after(code: str) -> set[str]:
    """The modules a fresh process has loaded."""
    told = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(told.stdout.split())


def seconds(code: str) -> float:
    """CPU time of a fresh process, the least of three."""
    timed = f"import time; start = time.process_time(); {code}; print(time.process_time() - start)"
    return min(
        float(subprocess.check_output([sys.executable, "-c", timed], text=True)) for _ in range(3)
    )


def test_importing_takes_at_most_a_fifth_more_than_importing_aiohttp() -> None:
    assert seconds("import didww_async") <= 1.2 * seconds("import aiohttp")


def test_importing_loads_next_to_nothing() -> None:
    loaded = loaded_after("import didww_async")
    assert {"didww_async"} == {name for name in loaded if name.startswith("didww_async")}
    assert not {"aiohttp", "attrs", "cattrs", "tenacity", "asyncio"} & loaded


def test_a_client_loads_neither_chapters_nor_what_reads_replies() -> None:
    loaded = loaded_after(
        "from didww_async import Client; Client(api_key='k', environment='sandbox')"
    )
    assert "aiohttp" in loaded
    assert not {"cattrs", "tenacity", "didww_async.channel", "didww_async.simulator"} & loaded
    assert not {f"didww_async.resources.{chapter}" for chapter in CONTENTS} & loaded


def test_a_name_loads_its_own_chapter_only() -> None:
    loaded = loaded_after("from didww_async.resources import Country")
    assert {"coverage"} == {
        chapter for chapter in CONTENTS if f"didww_async.resources.{chapter}" in loaded
    }
