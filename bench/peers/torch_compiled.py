"""PyTorch with `torch.compile` on network and loss; the optimizer's step is fused."""

from __future__ import annotations

import torch

from peers.torch_eager import TorchEager


class TorchCompiled(TorchEager):
    """Forward and backward are compiled at the first step, for its shapes."""

    def prepare(self) -> None:
        super().prepare()
        torch._dynamo.reset()  # noqa: SLF001  (what an earlier case compiled)
        self.batch_loss = torch.compile(self.loss_of_batch, dynamic=False)


CONTENDER = TorchCompiled
