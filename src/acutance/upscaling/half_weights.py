"""An ONNX file of half the size: weights in 16 bits, computed with in 32."""

from pathlib import Path

import numpy as np

LEAST = 64  # numbers in a tensor from which it is worth a node of its own


def store_in_half(path: Path) -> None:
    """Store the float32 weights of an ONNX file that 16 bits hold exactly in these, in place.

    A Cast stands behind each, which runtimes work out once when they open the file.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(path)
    graph, casts = model.graph, []
    for place, tensor in enumerate(graph.initializer):
        if tensor.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(tensor)
        half = values.astype(np.float16)
        if values.size < LEAST or not np.array_equal(half.astype(np.float32), values):
            continue
        name, stored = tensor.name, f"{tensor.name}.half"
        graph.initializer[place].CopyFrom(numpy_helper.from_array(half, stored))
        casts.append(helper.make_node("Cast", [stored], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, path)
