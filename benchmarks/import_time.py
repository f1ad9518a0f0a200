"""What importing costs, beside `import aiohttp`: fresh processes, in turns, medians.

    python -m benchmarks.import_time [--repetitions 21]

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
from collections.abc import Sequence
from typing import Any

__all__ = ["rows"]

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


def rows(*, repetitions: int = 21) -> list[dict[str, Any]]:
    """One row per statement; ratios are relative to `import aiohttp`."""
    told: dict[str, list[tuple[float, float]]] = {"pass": [], **{name: [] for name in CASES}}
    for turn in range(repetitions + 1):
        for name, runs in told.items():
            found = measured(CASES.get(name, name))
            if turn:
                runs.append(found)
    wall, cpu = (
        {name: statistics.median(run[column] for run in runs) for name, runs in told.items()}
        for column in (0, 1)
    )
    return [
        {
            "statement": name,
            "wall_ms": (wall[name] - wall["pass"]) * 1000,
            "cpu_ms": (cpu[name] - cpu["pass"]) * 1000,
            "wall_ratio": (wall[name] - wall["pass"]) / (wall[AIOHTTP] - wall["pass"]),
            "cpu_ratio": (cpu[name] - cpu["pass"]) / (cpu[AIOHTTP] - cpu["pass"]),
        }
        for name in CASES
    ]


def print_table(found: Sequence[dict[str, Any]]) -> None:
    print(f"{'':45}{'wall':>10}{'':7}{'CPU':>10}")
    for row in found:
        print(
            f"{row['statement']:45}{row['wall_ms']:7.0f} ms{row['wall_ratio']:6.2f}x"
            f"{row['cpu_ms']:7.0f} ms{row['cpu_ratio']:6.2f}x"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=21)
    print_table(rows(repetitions=parser.parse_args().repetitions))


if __name__ == "__main__":
    main()
