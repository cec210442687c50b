#!/usr/bin/env python3
"""Writes a dense llama with random weights as an ONNX graph: transformers.js's side of `npm run bench -- peers`.

Needs `onnx`. The graph is what decoder exports for onnxruntime look like: past and present keys and
values, fused norms and GroupQueryAttention with rotary embedding inside, and MatMulNBits (blocks of 32,
accuracy level 4: activations of 8 bits) for weights of 8 and 4 bits. Logits are of the last token only.
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

from dense_shape import matrix, parse_arguments, quantised

BITS = {"f32": 32, "int8": 8, "int4": 4}
BLOCK = 32
MICROSOFT = "com.microsoft"


class Graph:
    """Nodes and weights of a graph in the making; each method gives the name of its output."""

    def __init__(self, bits):
        self.bits, self.nodes, self.weights = bits, [], []

    def constant(self, name, values):
        self.weights.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def node(self, kind, inputs, outputs, domain="", **attributes):
        self.nodes.append(helper.make_node(kind, inputs, outputs, name=outputs[0], domain=domain, **attributes))
        return outputs[0]

    def linear(self, name, x, rows, columns):
        """x times the transpose of a random matrix [rows, columns]."""
        if self.bits == 32:
            return self.node("MatMul", [x, self.constant(f"{name}.weight", matrix(rows, columns).T.copy())], [name])
        numbers, scale = quantised(rows, columns, self.bits)
        if self.bits == 4:
            numbers = numbers[:, 0::2] | numbers[:, 1::2] << 4
        blocks = columns // BLOCK
        packed = self.constant(f"{name}.weight", numbers.reshape(rows, blocks, BLOCK * self.bits // 8))
        scales = self.constant(f"{name}.scales", np.full((rows, blocks), scale, np.float32))
        return self.node("MatMulNBits", [x, packed, scales], [name], MICROSOFT, K=columns, N=rows,
                         bits=self.bits, block_size=BLOCK, accuracy_level=4)


def rotary_caches(graph, a):
    angles = np.outer(np.arange(a.context), 1e6 ** (-np.arange(0, a.head_dim, 2) / a.head_dim))
    return [graph.constant(name, f(angles).astype(np.float32)) for name, f in (("cos", np.cos), ("sin", np.sin))]


def lengths(graph):
    """What GroupQueryAttention wants to know of the mask: tokens before the last, and all of them, int32."""
    one = graph.constant("one", np.array([1], np.int64))
    total = graph.node("ReduceSum", ["attention_mask", one], ["mask_sum"], keepdims=0)
    last = graph.node("Sub", [total, one], ["last"])
    size = graph.node("Gather", [graph.node("Shape", ["attention_mask"], ["mask_shape"]),
                                 graph.constant("axis", np.array(1, np.int64))], ["mask_size"])
    return [graph.node("Cast", [x], [f"{x}_int32"], to=TensorProto.INT32) for x in (last, size)]


def main():
    a = parse_arguments(__doc__, BITS)
    graph = Graph(BITS[a.type])
    queries, keys = a.heads * a.head_dim, a.kv_heads * a.head_dim
    rotary, ends = rotary_caches(graph, a), lengths(graph)
    norm = lambda name: graph.constant(name, np.ones(a.hidden, np.float32))
    x = graph.node("Gather", [graph.constant("embedding", matrix(a.vocab, a.hidden)), "input_ids"], ["embedded"])
    normed = graph.node("SimplifiedLayerNormalization", [x, norm("first_norm.weight")], ["first_norm"], epsilon=1e-5)

    def add_and_norm(name, branch):
        """The residual sum, and its norm."""
        graph.node("SkipSimplifiedLayerNormalization", [x, branch, norm(f"{name}.weight")],
                   [name, "", "", f"{name}.sum"], MICROSOFT, epsilon=1e-5)
        return f"{name}.sum", name

    for i in range(a.layers):
        qkv = graph.linear(f"layer{i}.qkv", normed, queries + 2 * keys, a.hidden)
        past, present = [[f"{kind}.{i}.{part}" for part in ("key", "value")] for kind in ("past_key_values", "present")]
        attended = graph.node("GroupQueryAttention", [qkv, "", "", *past, *ends, *rotary], [f"layer{i}.attention", *present],
                              MICROSOFT, num_heads=a.heads, kv_num_heads=a.kv_heads, do_rotary=1)
        x, normed = add_and_norm(f"layer{i}.norm", graph.linear(f"layer{i}.out", attended, a.hidden, queries))
        gate = graph.linear(f"layer{i}.gate", normed, a.intermediate, a.hidden)
        silu = graph.node("Mul", [gate, graph.node("Sigmoid", [gate], [f"layer{i}.sigmoid"])], [f"layer{i}.silu"])
        up = graph.linear(f"layer{i}.up", normed, a.intermediate, a.hidden)
        product = graph.node("Mul", [silu, up], [f"layer{i}.product"])
        x, normed = add_and_norm(f"layer{i}.next_norm", graph.linear(f"layer{i}.down", product, a.hidden, a.intermediate))
    final = graph.node("Slice", [normed, graph.constant("from", np.array([-1], np.int64)),
                                 graph.constant("to", np.array([2**31 - 1], np.int64)), "one"], ["final"])
    graph.node("Identity", [graph.linear("head", final, a.vocab, a.hidden)], ["logits"])
    save(model_of(graph, a), a.output)


def model_of(graph, a):
    info = helper.make_tensor_value_info
    cache = lambda kind, length: [info(f"{kind}.{i}.{part}", TensorProto.FLOAT, ["batch_size", a.kv_heads, length, a.head_dim])
                                  for i in range(a.layers) for part in ("key", "value")]
    inputs = [info("input_ids", TensorProto.INT64, ["batch_size", "length"]),
              info("attention_mask", TensorProto.INT64, ["batch_size", "total"]), *cache("past_key_values", "past")]
    outputs = [info("logits", TensorProto.FLOAT, ["batch_size", 1, a.vocab]), *cache("present", "total")]
    return helper.make_model(helper.make_graph(graph.nodes, "dense", inputs, outputs, graph.weights), ir_version=10,
                             opset_imports=[helper.make_opsetid("", 20), helper.make_opsetid(MICROSOFT, 1)])


if __name__ == "__main__":
    main()
