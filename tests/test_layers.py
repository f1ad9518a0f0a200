"""Every module of the client has its place in the order that `.importlinter` keeps."""

import pkgutil
from configparser import ConfigParser
from pathlib import Path

import didww_async
from didww_async import wire

RULES = Path(__file__).parent.parent / ".importlinter"
# Layers that are packages, but whose modules are layers of their own.
SPREAD = {"didww_async.wire"}


def modules() -> set[str]:
    """The modules and packages right below the client, and the modules of what is spread."""
    found = [
        *pkgutil.iter_modules(didww_async.__path__, "didww_async."),
        *pkgutil.iter_modules(wire.__path__, "didww_async.wire."),
    ]
    return {module.name for module in found} - SPREAD


def section(name: str, option: str) -> set[str]:
    rules = ConfigParser()
    rules.read(RULES)
    text = rules[f"importlinter:contract:{name}"][option]
    return {word.removesuffix(".*") for word in text.split() if word != "|"}


def test_every_module_of_the_client_is_a_layer() -> None:
    assert modules() | {"flows"} == section("client-downhill", "layers")


def test_what_flows_may_not_import_is_all_but_the_public_names() -> None:
    """Of packages that are public by themselves only the modules inside are forbidden."""
    top = {name for name in modules() if name.count(".") == 1} | SPREAD
    assert top - {"didww_async.errors"} == section("public-names", "forbidden_modules")
    own = {"didww_async.simulator"}
    others = top - own | {"flows"}
    assert others == section("simulator-alone", "forbidden_modules")
