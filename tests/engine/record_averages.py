"""Record what torch.optim.swa_utils makes of some runs: averages.json.

Run by hand where torch 2.13.0 is installed:

    PYTHONPATH=tests python tests/engine/record_averages.py

The runs are those of trajectories.py, with an average beside them.
"""

import contextlib
import functools
import json
from pathlib import Path

import fastnn as fnn
from engine import record_trajectories, trajectories

FILE = Path(__file__).with_name("averages.json")

# name: a run of trajectories.py, the average
CASES = {
    "ema": ("plain", fnn.EMA(0.9)),
    "ema, long": ("adam", fnn.EMA(0.99)),
    "ema, batchnorm": ("batchnorm", fnn.EMA(0.8)),
    "ema, both norms": ("both norms", fnn.EMA()),
    "ema, weights": ("weighted numbers", fnn.EMA(0.5)),
    "ema, of nothing": ("mse", fnn.EMA(0.0)),
    "swa": ("plain", fnn.SWA(0)),
    "swa, late": ("adam", fnn.SWA(0.75)),
    "swa, last": ("layernorm", fnn.SWA(9)),
    "swa, batchnorm": ("batchnorm, adam", fnn.SWA(0.3)),
    "swa, slow": ("batchnorm, slow", fnn.SWA(6)),
    "swa, linear": ("both norms", fnn.SWA(4, fnn.Linear(1.0, 0.2, 4))),
    "swa, per step": ("mse", fnn.SWA(5, fnn.Exponential(0.8, per="step"))),
}


class TorchEMA:
    """An exponential average, updated after each step."""

    def __init__(self, rule, torch, net, optimizer, X):
        del optimizer, X
        swa_utils = torch.optim.swa_utils
        self.net = net
        self.model = swa_utils.AveragedModel(
            net,
            multi_avg_fn=swa_utils.get_ema_multi_avg_fn(rule.decay),
            use_buffers=True,
        )

    def begin_epoch(self, epoch):
        """Nothing is to be done."""

    def after_step(self):
        """Take the weights in."""
        self.model.update_parameters(self.net)

    def after_epoch(self):
        """Nothing is to be done."""

    @contextlib.contextmanager
    def judged(self):
        """Validation sees the average."""
        self.model.eval()
        yield self.model

    def state(self):
        """Return the average; counts of batches are counts, which torch averages."""
        final, counts = self.model.module.state_dict(), self.net.state_dict()
        return {
            name: counts[name] if name.endswith("tracked") else value
            for name, value in final.items()
        }


class TorchSWA:
    """The mean of the weights at the ends of the last epochs."""

    def __init__(self, rule, torch, net, optimizer, X):
        self.rule = rule
        self.start = rule.for_fit(trajectories.EPOCHS)["start"]
        self.swa_utils = torch.optim.swa_utils
        self.net, self.optimizer, self.X = net, optimizer, X
        self.lr = optimizer.param_groups[0]["lr"]
        self.model = self.swa_utils.AveragedModel(net)
        self.t = 0

    def begin_epoch(self, epoch):
        """Begin to average with this epoch, or go on."""
        self.averages = epoch >= self.start
        self._set_rate()

    def after_step(self):
        """Count the step; set the rate of the next one."""
        if getattr(self.rule.schedule, "per", None) == "step" and self.averages:
            self.t += 1
            self._set_rate()

    def _set_rate(self):
        if self.averages and self.rule.schedule is not None:
            for group in self.optimizer.param_groups:
                group["lr"] = self.rule.schedule.at(self.t, self.lr)

    def after_epoch(self):
        """Take the weights in."""
        if self.averages:
            self.model.update_parameters(self.net)
            if getattr(self.rule.schedule, "per", None) == "epoch":
                self.t += 1

    @contextlib.contextmanager
    def judged(self):
        """Validation sees the weights."""
        self.net.eval()
        yield self.net
        self.net.train()

    def state(self):
        """Return the average, with the statistics of a pass over the rows."""
        batches = self.X.split(trajectories.BATCH)
        self.swa_utils.update_bn(batches, self.model)
        return self.model.module.state_dict()


def torch_run(name):
    """Return losses, validation losses and final tensors, as PyTorch has them."""
    run, rule = CASES[name]
    twin = TorchEMA if isinstance(rule, fnn.EMA) else TorchSWA
    return record_trajectories.torch_run(run, functools.partial(twin, rule))


def main():
    """Write the file, a line for each case."""
    lines = [json.dumps({"case": name, **torch_run(name)}) for name in CASES]
    FILE.write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
