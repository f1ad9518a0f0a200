"""What typed, linked resources cost beside the JSON they are made of: whole pages, in turns.

    python -m benchmarks.pages [--repetitions 60] [--json FILE]

The pages are replies of the simulator, byte for byte: 100 DID groups with their SKUs included, and
1,000 cities. Every variant takes the same bytes and ends with its objects thrown away. All take
turns within one process; CPU time, medians, ratios to `orjson.loads` (else `json.loads`) alone.
"""

import argparse
import asyncio
import functools
import gc
import importlib
import importlib.util
import json
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp
import attrs

from didww_async.resources import by_type
from didww_async.simulator import Simulator
from didww_async.versions import aliases
from didww_async.wire.codec import STANDARD, Codec, best_codec
from didww_async.wire.converter import make_converter
from didww_async.wire.document import parse_document
from didww_async.wire.linking import Linker

__all__ = ["rows"]

Variant: TypeAlias = Callable[[bytes], object]
HEADERS = {"Accept": "application/vnd.api+json", "X-DIDWW-API-Version": "2026-04-16"}
SLOW = 8  # the SDK takes many times as long, and is measured that many times less often


@attrs.frozen(kw_only=True)
class Page:
    """One reply: what it is called, where it comes from, and which SDK class reads it."""

    name: str
    path: str
    query: Mapping[str, str]
    sdk_class: str


PAGES = (
    Page(
        name="100 DID groups with SKUs",
        path="did_groups",
        query={"include": "stock_keeping_units", "page[size]": "100"},
        sdk_class="did_group.DidGroup",
    ),
    Page(
        name="1,000 cities",
        path="cities",
        query={"page[size]": "1000"},
        sdk_class="city.City",
    ),
)


async def fetch(pages: Sequence[Page]) -> list[bytes]:
    """The pages as the simulator serves them."""
    async with (
        Simulator(rate_limit=None) as simulator,
        aiohttp.ClientSession(headers={**HEADERS, "Api-Key": simulator.api_key}) as session,
    ):
        found = []
        for page in pages:
            url = f"{simulator.base_url}/{page.path}"
            async with session.get(url, params=page.query) as response:
                response.raise_for_status()
                found.append(await response.read())
        return found


def with_client(codec: Codec) -> Variant:
    """What the client does with a reply: decoded, typed (every attribute, at once) and linked."""
    linker = Linker(converter=make_converter(), classes=by_type(), aliases=aliases())
    return lambda body: linker.many(parse_document(body, codec=codec))


def with_sdk(page: Page, *, all_read: bool) -> Variant:
    """What the official SDK does with a reply: `requests`' JSON, its models, their `meta`.

    Its attributes stay JSON until they are read, and are converted at every reading; included
    objects are looked up when a relationship is followed. With `all_read` each attribute is read
    once and each included relationship followed once, as the client does for the whole page.
    """
    from didww.resources.base import (
        AttributeField,
        JsonApiResponse,
        ReadOnlyRepository,
    )

    included = [name for name in page.query.get("include", "").split(",") if name]
    module, _, name = page.sdk_class.partition(".")
    cls: Any = getattr(importlib.import_module(f"didww.resources.{module}"), name)

    def read(body: bytes) -> object:
        document = json.loads(body)
        found = cls.from_response_content(JsonApiResponse.from_data(document))
        ReadOnlyRepository._attach_resource_meta(document, found)  # noqa: SLF001 - as list() does
        if all_read:
            for model in found:
                touch(model)
                for name in included:
                    for target in getattr(model, name):
                        touch(target)
        return found

    def touch(model: Any) -> None:
        for name in attributes_of(type(model)):
            getattr(model, name)

    @functools.cache
    def attributes_of(model: type) -> list[str]:
        return [name for name, field in vars(model).items() if isinstance(field, AttributeField)]

    return read


def variants(page: Page) -> dict[str, Variant]:
    """Everything that is installed; the first is what the others are compared with."""
    fastest = best_codec()
    found: dict[str, Variant] = {f"{fastest.name}.loads": fastest.loads}
    if fastest is not STANDARD:
        found["json.loads"] = STANDARD.loads
        found["client"] = with_client(fastest)
    found["client, without orjson"] = with_client(STANDARD)
    if importlib.util.find_spec("didww"):
        found["official SDK, unread"] = with_sdk(page, all_read=False)
        found["official SDK"] = with_sdk(page, all_read=True)
    return found


def measure(page: Page, body: bytes, *, repetitions: int) -> list[dict[str, Any]]:
    """One row per variant."""
    reading = variants(page)
    taken: dict[str, list[float]] = {name: [] for name in reading}
    for read in reading.values():
        read(body)  # readers are made on first use
    gc.collect()
    for repetition in range(repetitions):
        names = list(reading) if repetition % 2 else list(reversed(reading))
        for name in names:
            if name.startswith("official SDK"):
                if repetition % SLOW:
                    continue
                gc.collect()  # it makes so many objects that it would pay for those of others
            began = time.process_time()
            reading[name](body)
            taken[name].append(time.process_time() - began)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    alone = next(iter(medians.values()))
    return [
        {
            "page": page.name,
            "bytes": len(body),
            "variant": name,
            "cpu_us": median * 1e6,
            "cpu_ratio": median / alone,
        }
        for name, median in medians.items()
    ]


def rows(*, repetitions: int = 60) -> list[dict[str, Any]]:
    """Measure everything; one row per page and variant."""
    bodies = asyncio.run(fetch(PAGES))
    return [
        row
        for page, body in zip(PAGES, bodies, strict=True)
        for row in measure(page, body, repetitions=repetitions)
    ]


def print_table(found: Sequence[dict[str, Any]]) -> None:
    print(f"{'page':26}{'bytes':>9}  {'':24}{'CPU':>11}{'ratio':>8}")
    for row in found:
        print(
            f"{row['page']:26}{row['bytes']:9}  {row['variant']:24}"
            f"{row['cpu_us']:9.0f}µs{row['cpu_ratio']:7.2f}x"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=60)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    arguments = parser.parse_args()
    found = rows(repetitions=arguments.repetitions)
    print_table(found)
    if arguments.json:
        about = {"python": platform.python_version()}
        arguments.json.write_text(json.dumps({"about": about, "rows": found}, indent=2))


if __name__ == "__main__":
    main()
