"""What importing costs, beside `import aiohttp`: fresh processes, in turns, medians.

    python -m benchmarks.import_time [--rounds 21]

Wall time and CPU time of a whole process, less those of one that imports nothing. The first
process of each kind, which may have to compile, is not counted.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time

AIOHTTP = "import aiohttp"
CLIENT = "from didww_async import Client; c = Client(api_key='k', environment='sandbox')"
CASES = {
    AIOHTTP: AIOHTTP,
    "import didww_async": "import didww_async",
    "import didww_async, aiohttp": "import didww_async, aiohttp",
    "from didww_async import Client": "from didww_async import Client",
    "... and Client(...)": CLIENT,
    "... and the four collections of a purchase": f"{CLIENT}; c.countries; c.did_groups; "
    "c.orders; c.dids",
    "all chapters of resources": "from didww_async.resources import *",
}


def measured(code: str) -> tuple[float, float]:
    """Wall and CPU seconds of a fresh process that runs `code`."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    before, started = _spent(), time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    return time.perf_counter() - started, _spent() - before


def _spent() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    rounds = parser.parse_args().rounds
    told: dict[str, list[tuple[float, float]]] = {"pass": [], **{name: [] for name in CASES}}
    for turn in range(rounds + 1):
        for name, runs in told.items():
            found = measured(CASES.get(name, name))
            if turn:
                runs.append(found)
    medians = {
        name: [statistics.median(column) for column in zip(*runs, strict=True)]
        for name, runs in told.items()
    }
    nothing = medians.pop("pass")
    costs = {
        name: [found - base for found, base in zip(times, nothing, strict=True)]
        for name, times in medians.items()
    }
    print(f"{'':45} {'wall':>8} {'CPU':>8}   times {AIOHTTP!r} (wall, CPU)")
    for name, (wall, cpu) in costs.items():
        ratios = (found / base for found, base in zip((wall, cpu), costs[AIOHTTP], strict=True))
        print(
            f"{name:45} {wall * 1000:5.0f} ms {cpu * 1000:5.0f} ms   ",
            *map("{:.2f}".format, ratios),
        )


if __name__ == "__main__":
    main()
