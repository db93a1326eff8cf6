"""JAX: the whole epoch is one compiled `lax.scan` whose state is given away."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from peers.case import Array, Weights
from peers.contender import BETAS, EPSILON, MOMENTUM, Contender

EPS = 1e-5  # of batch normalisation
RUNNING = 0.1  # weight of a batch in its running statistics


class JaxScan(Contender):
    """Rows stay on the device; an epoch takes a permutation drawn by NumPy.

    XLA takes its threads from the affinity, which the worker has set.
    """

    def prepare(self) -> None:
        jax.config.update("jax_enable_x64", self.case.dtype == "float64")
        self.X, self.y = jnp.asarray(self.split.X), jnp.asarray(self.split.y)
        self._step = jax.jit(self.one_step, donate_argnums=0)
        self._epoch = jax.jit(self.all_steps, donate_argnums=0)
        self._outputs = jax.jit(partial(self.outputs, training=False))

    def start(self, weights: Weights) -> None:
        one, zero = np.ones_like, np.zeros_like
        params = [
            {"w": w, "b": b, "gamma": one(b), "beta": zero(b)}
            if self.case.batchnorm and i < len(weights) - 1
            else {"w": w, "b": b}
            for i, (w, b) in enumerate(weights)
        ]
        running = [
            (np.zeros(n, self.case.dtype), np.ones(n, self.case.dtype))
            for n in self.case.hidden
            if self.case.batchnorm
        ]
        slots = [jax.tree.map(zero, params) for _ in range(2)]
        key = jax.random.key(int(self.rng.integers(2**31)))
        state = (params, slots, running, jnp.zeros((), jnp.int32), key)
        self.state = jax.tree.map(jnp.array, state)

    def outputs(
        self, params: Any, running: Any, X: Any, key: Any, *, training: bool
    ) -> tuple[Any, Any]:
        """Logits, and the running statistics that a training step leaves."""
        h, fresh = X, []
        for i, layer in enumerate(params[:-1]):
            h = h @ layer["w"].T + layer["b"]
            if self.case.batchnorm:
                h, statistics = _batchnorm(h, layer, running[i], training=training)
                fresh.append(statistics)
            h = jax.nn.relu(h)
            if self.case.dropout and training:
                keep = 1 - self.case.dropout
                mask = jax.random.bernoulli(jax.random.fold_in(key, i), keep, h.shape)
                h = jnp.where(mask, h / keep, 0)
        return h @ params[-1]["w"].T + params[-1]["b"], fresh

    def loss(
        self, params: Any, running: Any, X: Any, y: Any, key: Any
    ) -> tuple[Any, Any]:
        outputs, fresh = self.outputs(params, running, X, key, training=True)
        if self.case.loss == "mse":
            return jnp.mean((outputs - y) ** 2), fresh
        picked = jnp.take_along_axis(jax.nn.log_softmax(outputs), y[:, None], axis=1)
        return -jnp.mean(picked), fresh

    def one_step(self, state: Any, X: Any, y: Any) -> tuple[Any, Any]:
        params, slots, running, t, key = state
        with_slope = jax.value_and_grad(self.loss, has_aux=True)
        mask_key = jax.random.fold_in(key, t)
        (loss, running), grads = with_slope(params, running, X, y, mask_key)
        update = self._adam if self.case.optimizer == "adam" else self._sgd
        params, slots = update(params, grads, slots, t + 1)
        return (params, slots, running, t + 1, key), loss

    def all_steps(self, state: Any, X: Any, y: Any, order: Any) -> tuple[Any, Any]:
        def body(state: Any, rows: Any) -> tuple[Any, Any]:
            return self.one_step(state, X[rows], y[rows])

        state, losses = jax.lax.scan(body, state, order)
        return state, jnp.mean(losses)

    def _adam(self, params: Any, grads: Any, slots: Any, t: Any) -> tuple[Any, Any]:
        (b1, b2), (m, v) = BETAS, slots
        m = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, m, grads)
        v = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, v, grads)
        lr = self.case.lr / (1 - b1**t)
        root = jnp.sqrt(1 - b2**t)
        params = jax.tree.map(
            lambda p, m, v: p - lr * m / (jnp.sqrt(v) / root + EPSILON), params, m, v
        )
        return params, [m, v]

    def _sgd(self, params: Any, grads: Any, slots: Any, _: Any) -> tuple[Any, Any]:
        moved = jax.tree.map(lambda m, g: MOMENTUM * m + g, slots[0], grads)
        params = jax.tree.map(lambda p, m: p - self.case.lr * m, params, moved)
        return params, [moved, slots[1]]

    def step(self, X: Array, y: Array) -> float:
        self.state, loss = self._step(self.state, jnp.asarray(X), jnp.asarray(y))
        return float(loss)

    def epochs(self, n: int) -> None:
        for _ in range(n):
            order = self.rng.permutation(len(self.X)).astype(np.int32)
            batches = order.reshape(-1, self.case.batch)
            self.state, _ = self._epoch(self.state, self.X, self.y, batches)
        jax.block_until_ready(self.state)

    def predict(self, X: Array) -> Array:
        params, _, running, _, key = self.state
        return np.asarray(self._outputs(params, running, jnp.asarray(X), key)[0])


def _batchnorm(
    h: Any, layer: Any, running: Any, *, training: bool
) -> tuple[Any, tuple[Any, Any]]:
    mean, variance = (h.mean(axis=0), h.var(axis=0)) if training else running
    if training:
        n = len(h)
        pairs = zip(running, (mean, variance * n / (n - 1)), strict=True)
        old_mean, old_variance = (
            (1 - RUNNING) * old + RUNNING * new for old, new in pairs
        )
        running = (old_mean, old_variance)
    scale = layer["gamma"] * jax.lax.rsqrt(variance + EPS)
    return (h - mean) * scale + layer["beta"], running


CONTENDER = JaxScan
