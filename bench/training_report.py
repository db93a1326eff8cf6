"""The results of the training benchmark: merging them, and their Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peers import ENTRANTS
from report import duration, markdown_table
from training_cases import CASES, GOALS, HEADLINE, QUICK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Entry = dict[str, Any]  # a case at a number of threads: who took how long

METHOD = """\
Times are of one training step: rows gathered by a random permutation, forward, loss,
backward, update; medians of epochs, contenders in turns, each in its own process with
the same number of threads. A ratio says how many times fastnn is faster; ratios of
different cases stem from different minutes, those of one case from the same.
"""


def identity(entry: Entry) -> tuple[str, str, int]:
    case = entry["case"]
    return case["group"], case["label"], entry["threads"]


def merged(old: Iterable[Entry], new: Iterable[Entry]) -> list[Entry]:
    """Return old entries with the new in their place, in the order of the table.

    An entry is replaced whole: ratios stay within one race.
    """
    order = {case.key: i for i, case in enumerate((*QUICK, *CASES))}
    entries = {identity(entry): entry for entry in (*old, *new)}

    def place(entry: Entry) -> tuple[int, int]:
        group, label, threads = identity(entry)
        return -threads, order.get(f"{group}: {label}", len(order))

    return sorted(entries.values(), key=place)


def ratio(entry: Entry, key: str) -> float | None:
    """How many times longer than fastnn a contender took, if it took part."""
    seconds = entry["seconds"]
    if key not in seconds:
        return None
    return float(seconds[key]["median"] / seconds["fastnn"]["median"])


def share_of_peak(entry: Entry) -> float:
    return float(entry["flops"] / entry["seconds"]["fastnn"]["median"]) / float(
        entry["fma_peak"]
    )


def as_markdown(about: dict[str, Any], entries: Sequence[Entry]) -> str:
    """Return the report: the machine, the headline with its goals, then the rest."""
    text = "# Training beside peers\n\n" + METHOD + "\n"
    text += in_short(entries)
    text += "".join(f"* {key}: {value}\n" for key, value in about.items())
    for threads in dict.fromkeys(entry["threads"] for entry in entries):
        part = [entry for entry in entries if entry["threads"] == threads]
        text += f"\n## {threads} thread{'s' * (threads > 1)}\n\n{_ceilings(part)}"
        for group in dict.fromkeys(entry["case"]["group"] for entry in part):
            rows = [entry for entry in part if entry["case"]["group"] == group]
            text += f"\n### {group.capitalize()}\n\n{_table(rows)}"
            if group == HEADLINE:
                text += "\nIn brackets the goals, which are for two threads.\n"
    return text


def in_short(entries: Sequence[Entry]) -> str:
    """Return the table of the README: the headline at the most threads."""
    most = max(entry["threads"] for entry in entries)
    shown = [
        entry
        for entry in entries
        if entry["threads"] == most and entry["case"]["group"] == HEADLINE
    ]
    if not shown:
        return ""
    peers = peers_in(shown)
    header = ["network", "batch", "fastnn", *(ENTRANTS[key].short for key in peers)]
    rows = [_row_in_short(entry, peers) for entry in shown]
    return markdown_table([*header, "of FMA peak"], rows) + "\n"


def _row_in_short(entry: Entry, peers: Sequence[str]) -> list[str]:
    case, ours = entry["case"], duration(entry["seconds"]["fastnn"]["median"])
    ratios = [times(ratio(entry, key)) for key in peers]
    share = f"{share_of_peak(entry):.0%}"
    return [case["label"], str(case["batch"]), ours, *ratios, share]


def peers_in(entries: Sequence[Entry]) -> list[str]:
    """Return who took part beside fastnn, in the order of the table."""
    told = {key for entry in entries for key in entry["seconds"]}
    return [key for key in ENTRANTS if key in told and key != "fastnn"]


def times(value: float | None) -> str:
    """Write 0.95x, 1.82x, 2.7x, 18x; nothing for who did not take part."""
    if value is None:
        return ""
    return f"{value:.{0 if value >= 9.95 else 1 if value >= 1.95 else 2}f}x"


def _ceilings(entries: Sequence[Entry]) -> str:
    peaks = sorted(e["fma_peak"] for e in entries if e["case"]["dtype"] == "float32")
    streams = sorted(e["bandwidth"] for e in entries)
    if not peaks:
        return ""
    middle = len(peaks) // 2, len(streams) // 2
    return (
        f"float32 FMA peak {peaks[middle[0]] / 1e9:.0f} GFLOP/s "
        f"({peaks[0] / 1e9:.0f} to {peaks[-1] / 1e9:.0f}), stream bandwidth "
        f"{streams[middle[1]] / 1e9:.0f} GB/s, measured beside each case.\n"
    )


def _table(entries: Sequence[Entry]) -> str:
    peers = peers_in(entries)
    header = ["network", "batch", "fastnn", "quartiles"]
    header += [f"of {ENTRANTS[key].label}" for key in peers] + ["share of FMA peak"]
    return markdown_table(header, [_row(entry, peers) for entry in entries])


def _row(entry: Entry, peers: Sequence[str]) -> list[str]:
    case, ours = entry["case"], entry["seconds"]["fastnn"]
    goals = GOALS.get(case["label"], {}) if case["group"] == HEADLINE else {}
    ratios = []
    for key in peers:
        value = ratio(entry, key)
        goal = f" ({goals[key]:g})" if key in goals else ""
        ratios.append("" if value is None else f"{value:.2f}x{goal}")
    goal = f" ({goals['peak']:.0%})" if "peak" in goals else ""
    quartiles = f"{duration(ours['low'])} to {duration(ours['high'])}"
    return [
        case["label"],
        str(case["batch"]),
        duration(ours["median"]),
        quartiles,
        *ratios,
        f"{share_of_peak(entry):.0%}{goal}",
    ]
