"""Time training steps over batch, width, depth, rows and threads, and predict them.

    python bench/scaling.py                           # all
    python bench/scaling.py --only batch width        # merged into what is kept
    python bench/scaling.py --draw                    # only report what is kept
    python bench/scaling.py --quick                   # few small networks

A model on paper (``step_model``) gets its constants from the machine's ceilings and
some calibration networks, predicts all others, and says what more cores would give;
docs/performance.md explains it. Writes ``scaling.json``, ``.md`` and ``.png`` to
``bench/results``. A run may be made in parts; the ceilings are measured with the part
"calibration", so renew the others soon after it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import ceilings
from report import RESULTS, Sample, duration, machine, write_json
from scaling_cases import (
    CALIBRATION,
    QUICK_CALIBRATION,
    QUICK_SWEEPS,
    SWEEPS,
    Net,
    measure,
)
from scaling_picture import draw
from scaling_report import Study, as_markdown
from step_model import Machine, fit, measure_machine

Content = dict[str, Any]
CALIBRATE = "calibration"
PATIENCE = 5  # seconds for processors to become free; attempts at the ceilings
SLOW_STAGE = 5e-6  # seconds: a thread had no processor, or shared one


def measure_part(
    nets: tuple[Net, ...],
    threads: tuple[int, ...],
    budget: float,
    kept: Content,
    patience: int,
) -> None:
    """Time some networks; the results join those kept, unless others disturbed them."""
    for net in nets:
        samples, good = measure_undisturbed(net, threads, budget, patience)
        told = "  ".join(duration(sample.median) for sample in samples.values())
        note = "" if good else "  disturbed: not kept"
        print(f"  {net.label:44} {told}{note}", file=sys.stderr, flush=True)
        if good:
            each = {n: vars(sample) for n, sample in samples.items()}
            kept["seconds"][net.label] = each


def measure_undisturbed(
    net: Net, threads: tuple[int, ...], budget: float, patience: int
) -> tuple[dict[int, Sample], bool]:
    """Time a network, and a second time if others took a processor meanwhile.

    The processors are tried before and after; between, quartiles far apart tell.
    Returns whether a time is good. Without patience every time is.
    """
    if not patience:
        return measure(net, threads, budget), True
    free = await_processors(max(threads), patience)
    for _ in range(2):
        samples = measure(net, threads, budget)
        before, free = free, await_processors(max(threads), patience)
        if before and free and max(map(spread, samples.values())) < 0.4:
            return samples, True
    return samples, False


def spread(sample: Sample) -> float:
    """Return how far the quartiles are apart, of the median."""
    return (sample.high - sample.low) / sample.median


def await_processors(threads: int, patience: int) -> bool:
    """Wait some seconds for a processor for each thread; False if some were busy."""
    for waited in range(patience):
        alone, together = ceilings.fma_peak(1), ceilings.fma_peak(threads)
        if together > 0.85 * threads * alone:
            return waited == 0
        time.sleep(1)
    return False


def measure_ceilings(threads: int, sizes: tuple[int, ...], patience: int) -> Machine:
    """Measure the machine's ceilings, again if others took a processor meanwhile."""
    for _ in range(patience):
        await_processors(threads, patience)
        found = measure_machine(threads, sizes)
        if await_processors(threads, patience) and found.stage < SLOW_STAGE:
            return found
    if patience:
        raise SystemExit(f"ceilings need {threads} processors that others leave alone")
    return measure_machine(threads, sizes)


def read(path: Path) -> Content:
    """Return the results kept so far."""
    if not path.exists():
        return {"seconds": {}}
    content: Content = json.loads(path.read_text(encoding="utf-8"))
    return content


def study_of(kept: Content, parts: dict[str, tuple[Net, ...]]) -> Study:
    """Fit the model to what is kept of the calibration; gather the rest."""

    def found(nets: tuple[Net, ...]) -> dict[Net, dict[int, Sample]]:
        return {
            net: {int(n): Sample(**s) for n, s in kept["seconds"][net.label].items()}
            for net in nets
            if net.label in kept["seconds"]
        }

    calibration = found(parts[CALIBRATE])
    medians = {
        net: {n: sample.median for n, sample in samples.items()}
        for net, samples in calibration.items()
    }
    model = fit(Machine.from_json(kept["ceilings"]), medians)
    sweeps = {name: found(nets) for name, nets in parts.items() if name != CALIBRATE}
    return Study(model, calibration, {k: v for k, v in sweeps.items() if v})


def write_reports(path: Path, parts: dict[str, tuple[Net, ...]]) -> str:
    """Write the Markdown and the picture of what is kept, and return the first."""
    kept = read(path)
    study = study_of(kept, parts)
    kept["constants"] = {**study.model.constants, "foreign": study.model.foreign}
    kept["within"] = study.within()
    write_json(path, kept)
    report = as_markdown(kept["about"], study)
    path.with_suffix(".md").write_text(report, encoding="utf-8")
    draw(path.with_suffix(".png"), kept["about"], study)
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = {CALIBRATE: CALIBRATION, **SWEEPS}
    parser.add_argument("--only", nargs="+", choices=parts, default=list(parts))
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--budget", type=float, default=1.0, help="seconds a network")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--draw", action="store_true", help="only report what is kept")
    parser.add_argument("--output", type=Path, help="default: bench/results")
    arguments = parser.parse_args()
    sizes, budget, patience = ceilings.SIZES, arguments.budget, PATIENCE
    if arguments.quick:
        parts = {CALIBRATE: QUICK_CALIBRATION, **QUICK_SWEEPS}
        sizes, budget, patience = ceilings.SIZES[:13:3], 0.05, 0
    output = arguments.output or (tempfile.mkdtemp() if arguments.quick else RESULTS)
    path = Path(output) / "scaling.json"
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
    threads = tuple(n for n in arguments.threads if n <= usable)
    kept = read(path)
    for name in [] if arguments.draw else arguments.only:
        if name not in parts:
            continue
        print(name, file=sys.stderr)
        if name == CALIBRATE:
            found = measure_ceilings(max(threads), sizes, patience)
            kept["ceilings"] = found.to_json()
        measure_part(parts[name], threads, budget, kept, patience)
        kept["about"] = machine()
        write_json(path, kept)
    print(write_reports(path, parts))


if __name__ == "__main__":
    main()
