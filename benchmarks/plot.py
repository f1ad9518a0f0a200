"""The figures of one run as a picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot

__all__ = ["plot"]

OURS, THEIRS = "#1b6ca8", "#b8b8b8"
OTHERS = ("raw aiohttp", "httpx", "SDK", ".loads", "bytes alone")
Bar = tuple[str, float]


def plot(results: Mapping[str, Any], path: Path) -> None:
    """Draw what was measured: requests, pages, rate limit."""
    panels = [
        ("CPU per request (purchase, 16 in flight), raw aiohttp + orjson = 1", _requests(results)),
        ("CPU per request, didww_async = 1", _others(results)),
        ("Requests per second of 64 flows, answers after 50 ms: 1,280 possible", _latency(results)),
        ("Reading a page, orjson.loads alone = 1", _pages(results)),
        ("Requests per second used, of 20 allowed", _limiter(results)),
    ]
    drawn = [(title, bars) for title, bars in panels if bars]
    if not drawn:
        return
    heights = [1 + len(bars) for _, bars in drawn]
    figure, axes = pyplot.subplots(
        len(drawn),
        1,
        figsize=(9, 0.32 * sum(heights)),
        squeeze=False,
        gridspec_kw={"height_ratios": heights},
    )
    for (title, bars), axis in zip(drawn, axes[:, 0], strict=True):
        _draw(axis, title, bars)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _draw(axis: Any, title: str, bars: Sequence[Bar]) -> None:
    names = [name for name, _ in bars]
    values = [value for _, value in bars]
    colours = [THEIRS if any(other in name for other in OTHERS) else OURS for name in names]
    drawn = axis.barh(names, values, color=colours)
    spelled = [f"{value:.0f}" if value >= 100 else f"{value:.2f}" for value in values]
    axis.bar_label(drawn, labels=spelled, padding=3)
    axis.set_title(title, loc="left", fontsize=10)
    axis.invert_yaxis()
    axis.margins(x=0.1)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def _requests(results: Mapping[str, Any]) -> list[Bar]:
    return [
        (row["variant"], row["cpu_ratio"])
        for row in results.get("request_cost", ())
        if row["scenario"].startswith("purchase (") and row["in_flight"] == 16
    ]


def _others(results: Mapping[str, Any]) -> list[Bar]:
    return [
        (row["variant"], row["cpu_ratio"])
        for row in results.get("others", ())
        if row["scenario"].startswith("purchase")
    ]


def _latency(results: Mapping[str, Any]) -> list[Bar]:
    return [(row["variant"], row["requests_per_second"]) for row in results.get("latency", ())]


def _pages(results: Mapping[str, Any]) -> list[Bar]:
    return [
        (f"{row['page']}: {row['variant']}", row["cpu_ratio"]) for row in results.get("pages", ())
    ]


def _limiter(results: Mapping[str, Any]) -> list[Bar]:
    return [
        (row["server"], 20 * row["used"])
        for row in results.get("limiter", ())
        if "10/s" not in row["server"]
    ]
