"""onnxruntime: a model of Gemm and Relu nodes, all graph optimisations on."""

from __future__ import annotations

import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from peers.case import Array, Weights

from predictors.predictor import Predictor

_OPSET = 17


def model_of(weights: Weights) -> onnx.ModelProto:
    """Return dense layers with relu between them as an ONNX model: x -> y."""
    nodes, tensors, name = [], [], "x"
    for i, (w, b) in enumerate(weights):
        tensors += [
            numpy_helper.from_array(w, f"w{i}"),
            numpy_helper.from_array(b, f"b{i}"),
        ]
        last = i == len(weights) - 1
        out = "y" if last else f"z{i}"
        inputs = [name, f"w{i}", f"b{i}"]
        nodes.append(helper.make_node("Gemm", inputs, [out], transB=1))
        if not last:
            name = f"h{i}"
            nodes.append(helper.make_node("Relu", [out], [name]))
    shapes = (("x", weights[0][0].shape[1]), ("y", weights[-1][0].shape[0]))
    ends = [
        helper.make_tensor_value_info(end, TensorProto.FLOAT, ["rows", width])
        for end, width in shapes
    ]
    graph = helper.make_graph(nodes, "mlp", ends[:1], ends[1:], tensors)
    opsets = [helper.make_opsetid("", _OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(model)
    return model


class OnnxRuntime(Predictor):
    """The CPU provider."""

    def build(self, weights: Weights) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            model_of(weights).SerializeToString(),
            options,
            providers=["CPUExecutionProvider"],
        )

    def predict(self, X: Array) -> Array:
        outputs: Array = self.session.run(None, {"x": X})[0]
        return outputs


CONTENDER = OnnxRuntime
