"""All benchmarks in one run: a table each, and with --out a JSON file and a plot.

    python -m benchmarks [--quick] [--only request_cost ...] [--out FOLDER]

They run one after the other, because they would disturb each other; it takes about eight minutes,
with --quick two. `benchmarks/README.md` says how to read the figures.
"""

import argparse
import importlib
import json
import multiprocessing
import os
import platform
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import Any

# Name -> what it asks, and the arguments of its rows() in a quick run.
ALL: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "import_time": ("What importing costs", {"repetitions": 5}),
    "pages": ("Reading a page: bytes to typed, linked resources", {"repetitions": 15}),
    "request_cost": ("A request, beside raw aiohttp", {"repetitions": 5}),
    "latency": ("What 64 flows get of a slow server", {"repetitions": 2, "seconds": 1.5}),
    "others": ("A request, beside httpx and the official SDK", {"repetitions": 3}),
    "memory": ("Memory of calls that wait for their turn", {}),
    "journal_cost": ("What the journal costs", {"repetitions": 3}),
    "limiter": ("How much of 20 requests per second is used", {"seconds": 15.0}),
    "batch": ("1,000 numbers in a batch", {}),
}
PACKAGES = ("aiohttp", "attrs", "cattrs", "orjson", "yarl", "httpx", "didww")


def about() -> dict[str, Any]:
    """What the figures were taken with."""
    found: dict[str, Any] = {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
    }
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = None
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument("--only", nargs="+", choices=ALL, default=list(ALL))
    parser.add_argument("--out", type=Path, help="a folder for results.json and results.png")
    given = parser.parse_args()
    results: dict[str, Any] = {"about": about()}
    for name in given.only:
        question, quick = ALL[name]
        module = importlib.import_module(f"benchmarks.{name}")
        arguments = quick if given.quick else {}
        print(f"\n{question} ({name})\n", flush=True)
        began = time.perf_counter()
        # In a process of its own: what one leaves in memory would slow the next.
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
            results[name] = process.submit(module.rows, **arguments).result()
        module.print_table(results[name])
        print(f"({time.perf_counter() - began:.0f} s)", flush=True)
    if given.out is not None:
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / "results.json").write_text(json.dumps(results, indent=2) + "\n")
        _plot(results, given.out / "results.png")


def _plot(results: Mapping[str, Any], path: Path) -> None:
    try:
        from benchmarks.plot import plot
    except ImportError:
        print("no plot: pip install matplotlib", file=sys.stderr)
        return
    plot(results, path)


if __name__ == "__main__":
    main()
