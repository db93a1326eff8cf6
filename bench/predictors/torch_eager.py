"""PyTorch, eager, in inference mode; tensors share NumPy's memory."""

from __future__ import annotations

from typing import Any

import torch
from peers.case import Array, Weights
from torch import nn

from predictors.predictor import Predictor


class TorchEager(Predictor):
    """`inference_mode` is `no_grad` and does without more bookkeeping."""

    def build(self, weights: Weights) -> None:
        torch.set_num_threads(self.threads)
        layers: list[nn.Module] = []
        for w, b in weights:
            dense = nn.Linear(w.shape[1], w.shape[0])
            with torch.no_grad():
                dense.weight.copy_(torch.from_numpy(w))
                dense.bias.copy_(torch.from_numpy(b))
            layers += [dense, nn.ReLU()]
        self.net: Any = nn.Sequential(*layers[:-1]).eval()

    def predict(self, X: Array) -> Array:
        with torch.inference_mode():
            outputs: Array = self.net(torch.from_numpy(X)).numpy()
        return outputs


CONTENDER = TorchEager
