"""The scaling study as Markdown: measured, predicted, and foretold for more cores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from report import Sample, duration, markdown_table
from scaling_cases import TARGETS, Net
from step_model import Model, Prediction

Measured = dict[Net, dict[int, Sample]]

WITHIN = 0.25  # how far a prediction may be off
CORES = (1, 2, 4, 16, 64, 128)
# What a server's socket streams, read and written, when all its cores do: eight
# channels of DDR5-4800 move 307 GB/s at most. Assumed, as few cores cannot tell.
SOCKET = 250e9
MORE_ROWS = (
    *TARGETS,
    Net((784, 256, 128, 10), 4096),
    Net((784, 1024, 1024, 10), 8192),
    Net((1024, 2048, 2048, 2048, 100), 16384),
)


@dataclass(frozen=True)
class Study:
    """A fitted model, the networks it was fitted to, and those it predicts."""

    model: Model
    calibration: Measured
    sweeps: dict[str, Measured]

    def errors(self, measured: Measured) -> Iterator[tuple[Net, int, float]]:
        """Yield predicted over measured seconds, for each network and thread count."""
        for net, samples in measured.items():
            for n, sample in samples.items():
                yield net, n, self.model.predict(net, n).seconds / sample.median

    def held_out(self) -> Measured:
        """Return the networks of all sweeps, each once, that calibrated nothing."""
        together = {k: v for nets in self.sweeps.values() for k, v in nets.items()}
        return {k: v for k, v in together.items() if k not in self.calibration}

    def within(self) -> dict[str, list[int]]:
        """Return for each thread count how many predictions hold, and of how many."""
        counts: dict[str, list[int]] = {}
        for _, n, ratio in self.errors(self.held_out()):
            count = counts.setdefault(str(n), [0, 0])
            count[0] += abs(ratio - 1) <= WITHIN
            count[1] += 1
        return counts

    def on_many_cores(self) -> Model:
        """Return the model with the assumed ceiling of a socket."""
        return replace(self.model, machine=replace(self.model.machine, socket=SOCKET))


def limit(study: Study, net: Net, cores: int) -> str:
    """Name what costs most of the step beyond a fair share of one core's time."""
    model = study.on_many_cores()
    step = model.predict(net, cores)
    if step.threads == 1:
        return "" if cores == 1 else "too small a step: one thread is chosen"
    unbound = study.model.predict(net, cores)
    losses = {
        "too few tiles": step.waiting,
        "memory bandwidth": step.seconds - unbound.seconds,
        "sequential part": step.sequential * (1 - 1 / step.threads),
        "hand-over of stages": step.hand_over,
        "what other cores wrote": step.foreign,
    }
    name = max(losses, key=lambda key: losses[key])
    return f"{name} ({losses[name] / step.seconds:.0%})"


def as_markdown(about: dict[str, Any], study: Study) -> str:
    """Return the report."""
    text = "# Scaling of a training step\n\n"
    text += "Seconds of a step are those of an epoch over its steps, medians; fits of\n"
    text += "1 and 2 threads take turns. Written by `python bench/scaling.py`; the\n"
    text += "model is explained in docs/performance.md.\n\n"
    text += "".join(f"* {key}: {value}\n" for key, value in about.items())
    text += f"\n## Model\n\n{_verdict(study)}\n{_ceilings(study)}\n{_constants(study)}"
    for name, measured in study.sweeps.items():
        text += f"\n## {name.capitalize()}\n\n" + _table(study, measured)
    text += "\n## Calibration\n\nThe model has seen these.\n\n"
    text += _table(study, study.calibration)
    return text + _many_cores(study)


def _verdict(study: Study) -> str:
    return "".join(
        f"* {n} thread{'s' if n != '1' else ''}: {good} of {all_} networks that the "
        f"model has not seen are predicted within {WITHIN:.0%}.\n"
        for n, (good, all_) in study.within().items()
    )


def _ceilings(study: Study) -> str:
    machine = study.model.machine
    rows = [("FMA peak", f"{machine.peak / 1e9:.0f} GFLOP/s")]
    rows += [
        (f"stream, {size >> 10:,} KiB", f"{rate / 1e9:.1f} GB/s")
        for size, rate in machine.stream.items()
    ]
    rows += [
        (f"exchange, {size >> 10:,} KiB for two", f"{rate / 1e9:.1f} GB/s")
        for size, rate in machine.exchange.items()
    ]
    rows.append(("Adam in cache", f"{machine.update * 1e9:.2f} ns a parameter"))
    rows.append(("hand-over to a second thread", f"{machine.stage * 1e9:.0f} ns"))
    return markdown_table(("ceiling of a core", "measured"), rows)


def _constants(study: Study) -> str:
    of_ceiling = ("product", "update", "gather", "weights")
    rows = [
        (kind, f"{value:.2f}", "times its ceiling" if kind in of_ceiling else "ns")
        for kind, value in study.model.constants.items()
    ]
    rows.append(("foreign bytes", f"{study.model.foreign:.2f}", "times its ceiling"))
    return markdown_table(("kind of work", "constant", "unit"), rows)


def _table(study: Study, measured: Measured) -> str:
    rows = []
    for net, samples in measured.items():
        cells = [net.label]
        for n, sample in samples.items():
            ratio = study.model.predict(net, n).seconds / sample.median
            spread = (sample.high - sample.low) / sample.median
            cells += [f"{duration(sample.median)} ({spread:.0%})", f"{ratio:.2f}"]
        medians = [sample.median for sample in samples.values()]
        cells.append(f"{medians[0] / medians[-1]:.2f}")
        rate = net.flops / medians[-1] / 1e9
        rows.append([*cells, f"{rate:.0f} GFLOP/s"])
    header = ["network"]
    for n in next(iter(measured.values())):
        header += [f"{n} thread{'s' if n > 1 else ''} (quartiles)", "predicted"]
    return markdown_table([*header, "speed-up", "rate"], rows)


def _many_cores(study: Study) -> str:
    """Return predictions nobody has measured, said to be such."""
    model = study.on_many_cores()
    text = "\n## A prediction for more cores\n\n"
    text += "**Not measured**: the model with this machine's cores, assuming that\n"
    text += "all run at this peak and read what they share as fast as these; that\n"
    text += (
        f"{SOCKET / 1e9:.0f} GB/s are all they have together for parameters and data\n"
    )
    text += "beyond their own caches; that handing over a stage takes time in\n"
    text += "proportion to the threads; and that the engine cuts steps into the same\n"
    text += "tiles. In brackets the efficiency.\n\n"
    rows = []
    for net in MORE_ROWS:
        steps = {n: model.predict(net, n) for n in CORES}
        cells = [_cell(steps[1], step, n) for n, step in steps.items()]
        rows.append([net.label, *cells, limit(study, net, CORES[-1])])
    header = ["network", *(f"{n} core{'s' if n > 1 else ''}" for n in CORES)]
    return text + markdown_table([*header, f"what limits at {CORES[-1]}"], rows)


def _cell(one: Prediction, step: Prediction, cores: int) -> str:
    if cores == 1:
        return duration(step.seconds)
    faster = one.seconds / step.seconds
    return f"{faster:.1f}x ({faster / cores:.0%})"
