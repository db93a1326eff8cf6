"""PyTorch, eager: rows as one tensor, batches gathered by index, fused optimizers."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from peers.case import Array, Weights
from peers.contender import BETAS, EPSILON, MOMENTUM, Contender


class TorchEager(Contender):
    """No DataLoader, no `.item()` a step: neither would make it faster."""

    def prepare(self) -> None:
        torch.set_num_threads(self.threads)
        self.X = torch.from_numpy(self.split.X)
        self.y = torch.from_numpy(self.split.y)
        self.net = self._network().to(getattr(torch, self.case.dtype))
        self.batch_loss: Any = self.loss_of_batch

    def _network(self) -> nn.Sequential:
        layers: list[nn.Module] = []
        widths = self.case.widths
        for m, n in pairwise(widths[:-1]):
            layers.append(nn.Linear(m, n))
            if self.case.batchnorm:
                layers.append(nn.BatchNorm1d(n))
            layers.append(nn.ReLU())
            if self.case.dropout:
                layers.append(nn.Dropout(self.case.dropout))
        layers.append(nn.Linear(widths[-2], widths[-1]))
        return nn.Sequential(*layers)

    def loss_of_batch(self, X: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        outputs = self.net(X)
        if self.case.loss == "mse":
            return functional.mse_loss(outputs, y)
        return functional.cross_entropy(outputs, y)

    def start(self, weights: Weights) -> None:
        torch.manual_seed(int(self.rng.integers(2**31)))
        for module in self.net:
            if isinstance(module, nn.BatchNorm1d):
                module.reset_parameters()
        dense = [module for module in self.net if isinstance(module, nn.Linear)]
        with torch.no_grad():
            for module, (w, b) in zip(dense, weights, strict=True):
                module.weight.copy_(torch.from_numpy(w))
                module.bias.copy_(torch.from_numpy(b))
        self.optimizer = self._optimizer()

    def _optimizer(self) -> torch.optim.Optimizer:
        parameters, lr = self.net.parameters(), self.case.lr
        if self.case.optimizer == "adam":
            return torch.optim.Adam(parameters, lr, BETAS, EPSILON, fused=True)
        return torch.optim.SGD(parameters, lr=lr, momentum=MOMENTUM, fused=True)

    def update(self, X: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        loss: torch.Tensor = self.batch_loss(X, y)
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return loss

    def step(self, X: Array, y: Array) -> float:
        return self.update(torch.from_numpy(X), torch.from_numpy(y)).item()

    def epochs(self, n: int) -> None:
        for _ in range(n):
            for rows in torch.randperm(len(self.X)).split(self.case.batch):
                self.update(self.X.index_select(0, rows), self.y.index_select(0, rows))

    def predict(self, X: Array) -> Array:
        self.net.eval()
        with torch.inference_mode():
            outputs: Array = np.asarray(self.net(torch.from_numpy(X)))
        self.net.train()
        return outputs


CONTENDER = TorchEager
