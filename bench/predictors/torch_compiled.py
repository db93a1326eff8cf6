"""PyTorch with `torch.compile`, compiled for each number of rows."""

from __future__ import annotations

import torch
from peers.case import Weights

from predictors.torch_eager import TorchEager


class TorchCompiled(TorchEager):
    """Static shapes: the fastest code, as each case is warmed up."""

    def build(self, weights: Weights) -> None:
        super().build(weights)
        torch._dynamo.reset()  # noqa: SLF001  (what an earlier case compiled)
        self.net = torch.compile(self.net, dynamic=False)


CONTENDER = TorchCompiled
