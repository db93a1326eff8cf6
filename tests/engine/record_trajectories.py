"""Record what PyTorch makes of the runs in trajectories.py: trajectories.json.

Run by hand where torch 2.13.0 is installed:

    PYTHONPATH=tests python tests/engine/record_trajectories.py

Everything is float64, torch's default dtype included.
"""

import dataclasses
import json
from pathlib import Path

import numpy as np

import fastnn as fnn
from engine import trajectories

FILE = Path(__file__).with_name("trajectories.json")


def torch_modules(torch, layers, width=trajectories.FEATURES):
    """Return the torch.nn.Sequential of some layers, and its tensors by our names."""
    modules, names = [], {}
    for i, layer in enumerate(layers):
        first = len(modules)
        if isinstance(layer, fnn.Dense):
            modules.append(torch_linear(torch, layer, width))
            width = layer.units
            if layer.activation is not None:
                modules.append(torch_activation(torch, layer.activation))
        elif isinstance(layer, fnn.Maxout):
            modules.append(torch.nn.Linear(width, layer.pieces * layer.units))
            modules.append(torch.nn.Unflatten(1, (layer.pieces, layer.units)))
            modules.append(torch.nn.MaxPool2d((layer.pieces, 1)))
            modules.append(torch.nn.Flatten())
            width = layer.units
        elif isinstance(layer, fnn.RMSNorm):
            modules.append(torch.nn.RMSNorm(width, layer.eps))
        elif isinstance(layer, fnn.PReLU):
            slopes = width if layer.per_unit else 1
            modules.append(torch.nn.PReLU(slopes, layer.init))
        elif isinstance(layer, fnn.BatchNorm):
            modules.append(torch.nn.BatchNorm1d(width, layer.eps, layer.momentum))
        elif isinstance(layer, fnn.LayerNorm):
            modules.append(torch.nn.LayerNorm(width, layer.eps))
        elif isinstance(layer, fnn.Residual):
            branch, inner = torch_modules(torch, layer.layers, width)
            skip = torch.nn.Identity()
            if layer.projects(width):
                skip = torch.nn.Linear(width, layer.width(width), bias=False)
            modules.append(torch_block(torch, branch, skip))
            width = layer.width(width)
            names |= {f"{first}.branch.{t}": f"{i}.{n}" for t, n in inner.items()}
            if skip.state_dict():
                names[f"{first}.skip.weight"] = f"{i}.projection.weight"
            continue
        else:
            modules.append(torch_activation(torch, layer))
        for name in modules[first].state_dict():
            ours = {WEIGHT_NORM + "0": "weight_g", WEIGHT_NORM + "1": "weight_v"}
            names[f"{first}.{name}"] = f"{i}.{ours.get(name, name)}"
    return torch.nn.Sequential(*modules), names


def torch_block(torch, branch, skip):
    """Return the module y = skip(x) + branch(x)."""

    class Block(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.branch, self.skip = branch, skip

        def forward(self, x):
            return self.skip(x) + self.branch(x)

    return Block()


WEIGHT_NORM = "parametrizations.weight.original"


def torch_linear(torch, layer, width):
    """Return the module of a Dense without its activation."""
    linear = torch.nn.Linear(width, layer.units, bias=layer.use_bias)
    if layer.weight_norm:
        torch.nn.utils.parametrizations.weight_norm(linear)
    return linear


def torch_activation(torch, layer):
    """Return the module of the same name and settings."""
    settings = [getattr(layer, f.name) for f in dataclasses.fields(layer)]
    return getattr(torch.nn, type(layer).__name__)(*settings)


def torch_losses(torch, loss, out, y):
    """Return the loss of each row."""
    f = torch.nn.functional
    if isinstance(loss, fnn.CrossEntropy):
        smooth = loss.label_smoothing
        return f.cross_entropy(out, y, reduction="none", label_smoothing=smooth)
    if isinstance(loss, fnn.Focal):  # torch has none: by its autograd
        q = y if y.ndim == 2 else f.one_hot(y, out.shape[1])
        p = f.softmax(out, dim=1)
        return -(q * (1 - p) ** loss.gamma * torch.log(p)).sum(dim=1)
    if isinstance(loss, fnn.Hinge):
        return f.relu(1 - (2 * y - 1) * out).mean(dim=1)
    if isinstance(loss, fnn.GaussianNLL):
        mean, log_variance = out.chunk(2, dim=1)
        return f.gaussian_nll_loss(
            mean, y, log_variance.exp(), eps=loss.eps, reduction="none"
        ).mean(dim=1)
    if isinstance(loss, fnn.LogCosh):
        return torch.log(torch.cosh(out - y)).mean(dim=1)
    if isinstance(loss, fnn.Quantile):
        each = loss.q if isinstance(loss.q, tuple) else (loss.q,)
        runs = zip(each, out.chunk(len(each), dim=1), strict=True)
        losses = [torch.maximum(q * (y - o), (q - 1) * (y - o)) for q, o in runs]
        return torch.cat(losses, dim=1).mean(dim=1)
    if isinstance(loss, fnn.BinaryCrossEntropy):
        weight = torch.tensor(loss.pos_weight) if loss.pos_weight else None
        rows = f.binary_cross_entropy_with_logits(
            out, y, reduction="none", pos_weight=weight
        )
    elif isinstance(loss, fnn.PoissonNLL):
        rows = f.poisson_nll_loss(out, y, reduction="none")
    elif isinstance(loss, fnn.losses.SquaredError):
        return 0.5 * f.mse_loss(out, y, reduction="none").sum(dim=1)
    elif isinstance(loss, fnn.Huber):
        rows = f.huber_loss(out, y, reduction="none", delta=loss.delta)
    else:
        rows = {"mse": f.mse_loss, "mae": f.l1_loss}[loss.kind](
            out, y, reduction="none"
        )
    return rows.sum(dim=1) if getattr(loss, "sum_outputs", 0) else rows.mean(dim=1)


def torch_schedule(torch, schedule, optimizer):
    """Return torch's twin of a schedule."""
    family = torch.optim.lr_scheduler
    if isinstance(schedule, fnn.StepDecay):
        return family.StepLR(optimizer, schedule.step_size, schedule.gamma)
    if isinstance(schedule, fnn.Cosine):
        return family.CosineAnnealingLR(optimizer, schedule.total, schedule.min_lr)
    if isinstance(schedule, fnn.Exponential):
        return family.ExponentialLR(optimizer, schedule.gamma)
    return family.OneCycleLR(
        optimizer, schedule.max_lr, schedule.total, cycle_momentum=False
    )


def penalty(linear, options):
    """Return l1 sum |w| + l2 / 2 sum w^2 over the weights of linear layers."""
    return sum(
        options.get("l1", 0.0) * layer.weight.abs().sum()
        + options.get("l2", 0.0) / 2 * layer.weight.square().sum()
        for layer in linear
    )


def constrain_gradients(torch, net, options):
    """Clip by value, then by norm, with torch's functions."""
    if "clip_value" in options:
        torch.nn.utils.clip_grad_value_(net.parameters(), options["clip_value"])
    if "clip_norm" in options:
        torch.nn.utils.clip_grad_norm_(
            net.parameters(), options["clip_norm"], foreach=False
        )


def limit_norms(torch, linear, limit):
    """Scale rows of weights longer than the limit back to it."""
    with torch.no_grad():
        for layer in linear:
            if hasattr(layer, "parametrizations"):
                layer.parametrizations.weight.original0.clamp_(-limit, limit)
                continue
            norms = layer.weight.norm(dim=1, keepdim=True)
            layer.weight *= (limit / norms).clamp(max=1.0)


def torch_run(name, averaging=None):
    """Return the loss of each epoch and the final tensors, as PyTorch has them.

    ``averaging(torch, net, optimizer, data)`` makes what follows the run: see
    record_averages.py.
    """
    import torch

    before = torch.get_default_dtype(), torch.get_num_threads()
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)  # more only get in each other's way in nets so small
    try:
        return _run(torch, *trajectories.problem(name), averaging)
    finally:
        torch.set_default_dtype(before[0])
        torch.set_num_threads(before[1])


def _run(torch, layers, loss, rule, data, options, averaging):
    X, y, weight = data
    if "class_weight" in options:
        weight = np.asarray(options["class_weight"])[y]
    weight = torch.tensor(np.ones(len(X)) if weight is None else weight)
    X, y = torch.tensor(X), torch.tensor(y)
    net, names = torch_modules(torch, layers)
    first = trajectories.state(layers)
    net.load_state_dict({k: torch.tensor(first[v]) for k, v in names.items()})
    linear = [m for m in net.modules() if isinstance(m, torch.nn.Linear)]
    settings = {f.name: getattr(rule, f.name) for f in dataclasses.fields(rule)}
    family = getattr(torch.optim, type(rule).__name__)
    optimizer = family(net.parameters(), foreach=False, **settings)
    schedule = options.get("schedule")
    per_step = schedule is not None and schedule.per == "step"
    scheduler = schedule and torch_schedule(torch, schedule, optimizer)

    average = averaging and averaging(torch, net, optimizer, X)

    losses, val_losses = [], []
    for epoch in range(trajectories.EPOCHS):
        total = 0.0
        if average:
            average.begin_epoch(epoch)
        for rows in torch.arange(len(X)).split(trajectories.BATCH):
            optimizer.zero_grad()
            w = weight[rows]
            each = torch_losses(torch, loss, net(X[rows]), y[rows])
            mean = (w * each).sum() / w.sum()
            (mean + penalty(linear, options)).backward()
            constrain_gradients(torch, net, options)
            optimizer.step()
            if "max_norm" in options:
                limit_norms(torch, linear, options["max_norm"])
            if per_step and scheduler.last_epoch + 1 < schedule_end(schedule):
                scheduler.step()
            if average:
                average.after_step()
            total += float(mean.detach() * w.sum())
        if scheduler and not per_step:
            scheduler.step()
        losses.append(total / float(weight.sum()))
        if average:
            average.after_epoch()
            with average.judged() as judged, torch.no_grad():
                each = torch_losses(torch, loss, judged(X), y)
            val_losses.append(float((weight * each).sum() / weight.sum()))
    final = average.state() if average else net.state_dict()
    run = {"loss": losses, "state": {v: final[k].tolist() for k, v in names.items()}}
    return {**run, "val_loss": val_losses} if average else run


def schedule_end(schedule):
    """Return the step after which torch's twin refuses to go on."""
    return getattr(schedule, "total", float("inf"))


def main():
    """Write the file, a line for each case."""
    lines = [
        json.dumps({"case": name, **torch_run(name)}) for name in trajectories.CASES
    ]
    FILE.write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
