"""Networks as ONNX models, for runtimes that know nothing of fastnn.

`Sequential.to_onnx` writes a file; `to_model` returns the model in memory. The graph
speaks opset 20 (onnx 1.15, onnxruntime 1.17), whatever onnx is installed. Needs the
extra ``fastnn[onnx]``.
"""

from fastnn.onnx.export import OPSET, to_model, write

__all__ = ["OPSET", "to_model", "write"]
