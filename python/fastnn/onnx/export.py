"""A whole network as an ONNX model, in memory or in a file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastnn._native import core
from fastnn._paths import checked_path
from fastnn.io.atomic import write_atomically
from fastnn.onnx.graph import Graph
from fastnn.onnx.layers import Tensors, add_layer
from fastnn.onnx.outputs import Shape, add_meaning, checked_classes

if TYPE_CHECKING:
    from fastnn._network import Network

__all__ = ["OPSET", "to_model", "write"]

OPSET = 20
"""The version of the operators: the first that has Gelu."""

_IR_VERSION = 9  # the file format that came with that opset
_MAX_BYTES = 2**31 - 2**20  # protobuf's limit, less some room for the graph itself


def to_model(
    net: Network, *, classes: Sequence[Any] | npt.NDArray[Any] | None = None
) -> Any:
    """Return a network as an ONNX model.

    Parameters
    ----------
    net : Sequential
        A network that is built. Dropout is left out, BatchNorm takes its running
        statistics.
    classes : array-like of shape (n_classes,), optional
        Labels of the outputs: strings, integers, floats or booleans. The outputs of
        the model are then "label" and "probabilities", in this order, and a single
        yes/no output has the probabilities of both classes, as scikit-learn's
        classifiers have it; if there is one class, it is certain. Where every output is
        a yes/no label of its own, "label" says 0 or 1 for each.

    Returns
    -------
    onnx.ModelProto
        Its input is "X" (n, in_features), n any number, in the network's dtype. Its
        outputs are "outputs" (n, out_features), what ``net.predict`` returns, and by
        the loss last fitted with "probabilities", as ``net.predict_proba``, and
        "label", of int64 numbers: (n,) the most probable class or yes (1) and no (0),
        or (n, out_features) yes and no of each output. "hinge" has a label alone,
        "poisson" has "rates", the exponential of the outputs.

    Raises
    ------
    ImportError
        If onnx is not installed.
    NotBuiltError
        If the width of the input is not known yet.
    TypeError, ValueError
        If classes do not fit the outputs, a parameter is NaN or infinite, or all of
        them take 2 GiB or more.

    Notes
    -----
    onnxruntime has no float64 kernel of erf: it cannot run ``GELU()`` in a float64
    network; ``GELU("tanh")`` and all else it can.

    Examples
    --------
    ``session = onnxruntime.InferenceSession(to_model(net).SerializeToString())``
    """
    native = net._require("to_onnx")  # noqa: SLF001
    in_features, loss = int(native.in_features), net._loss  # noqa: SLF001
    g = Graph(net.dtype)
    width = net.out_features or in_features
    labels = checked_classes(classes, loss, width)
    _check_size(net.n_parameters * g.dtype.itemsize)
    tensors = net.state_dict()
    _check_finite(tensors)
    x = "X"
    for position, layer in enumerate(net.layers):
        x = add_layer(g, x, position, layer, tensors)
    raw = g.output(x, "outputs")
    outputs: dict[str, tuple[Any, Shape]] = {"outputs": (g.dtype, ("n", width))}
    if loss is not None:
        outputs |= add_meaning(g, raw, loss, width, labels)
    if labels is not None:  # in scikit-learn's order
        outputs = {n: outputs[n] for n in ("label", "probabilities") if n in outputs}
    return _model(g, in_features, outputs, repr(net))


def write(
    net: Network,
    path: str | os.PathLike[str],
    *,
    classes: Sequence[Any] | npt.NDArray[Any] | None = None,
) -> None:
    """Write a network to an ONNX file; one of that name is replaced at once, or kept.

    Parameters
    ----------
    net, classes
        As for `to_model`.
    path : str or path-like
        The file, by custom ending in ".onnx".

    Raises
    ------
    OSError
        If the file cannot be written; an older one is then as it was.
    ImportError, NotBuiltError, TypeError, ValueError
        As for `to_model`; no file is written then.

    Examples
    --------
    ``fastnn.onnx.write(net, "net.onnx", classes=["cat", "dog"])``
    """
    target = checked_path(path)
    write_atomically(target, [to_model(net, classes=classes).SerializeToString()])


def _check_size(n_bytes: int) -> None:
    if n_bytes >= _MAX_BYTES:
        raise ValueError(
            f"to_onnx: the parameters take {n_bytes / 2**30:.3g} GiB, but an ONNX file "
            "holds at most 2: make the network smaller, or of dtype float32"
        )


def _check_finite(tensors: Tensors) -> None:
    for name, array in tensors.items():
        if not np.isfinite(array).all():
            raise ValueError(
                f"to_onnx: tensor {name!r} holds NaN or infinity: such a network "
                "cannot predict; take one saved while it was finite"
            )


def _model(
    g: Graph, in_features: int, outputs: dict[str, tuple[Any, Shape]], text: str
) -> Any:
    """Return the finished graph with its input, outputs and where it comes from."""
    helper = g.onnx.helper

    def declared(name: str, dtype: np.dtype[Any], shape: Shape) -> Any:
        kind = (
            g.onnx.TensorProto.STRING
            if dtype.kind == "O"
            else helper.np_dtype_to_tensor_dtype(dtype)
        )
        return helper.make_tensor_value_info(name, kind, shape)

    graph = helper.make_graph(
        g.nodes,
        "fastnn",
        [declared("X", g.dtype, ("n", in_features))],
        [declared(name, dtype, shape) for name, (dtype, shape) in outputs.items()],
        list(g.constants.values()),
    )
    return helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=_IR_VERSION,
        producer_name="fastnn",
        producer_version=core.__version__,
        doc_string=text,
    )
