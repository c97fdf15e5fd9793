"""Writes a BERT encoder (config.json, model.safetensors) as an ONNX model, with nothing but Python's own library.

Usage: bert-to-onnx.py FOLDER MODEL.onnx
Inputs input_ids, attention_mask, token_type_ids: int64 [batch, tokens]. Output last_hidden_state: float32 [batch, tokens, hidden].
Opset 17, IR 8. Protobuf by hand: a message is a list of (field, bytes) with a length, an integer a varint.
"""

import json
import struct
import sys
from pathlib import Path

FLOAT, INT64 = 1, 7


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def integer(field, value):
    return varint(field << 3) + varint(value)


def block(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def attribute(name, value):
    if isinstance(value, float):
        return block(1, name) + varint(2 << 3 | 5) + struct.pack("<f", value) + integer(20, 1)
    if isinstance(value, int):
        return block(1, name) + integer(3, value) + integer(20, 2)
    return block(1, name) + b"".join(integer(8, one) for one in value) + integer(20, 7)


def tensor(name, kind, dims, raw):
    return b"".join(integer(1, dim) for dim in dims) + integer(2, kind) + block(8, name) + block(9, raw)


def value_info(name, kind, dims):
    shape = b"".join(block(1, block(2, dim) if isinstance(dim, str) else integer(1, dim)) for dim in dims)
    return block(1, name) + block(2, block(1, integer(1, kind) + block(2, shape)))


class Model:
    def __init__(self, safetensors):
        self.file = open(safetensors, "rb")
        (length,) = struct.unpack("<Q", self.file.read(8))
        self.header = json.loads(self.file.read(length))
        self.start = 8 + length
        self.nodes = []
        self.tensors = []
        self.count = 0

    def weight(self, name):
        """Name of an initializer with this tensor of the file."""
        entry = self.header[name]
        if entry["dtype"] != "F32":
            raise SystemExit(f"{name} is {entry['dtype']}, not F32")
        begin, end = entry["data_offsets"]
        self.file.seek(self.start + begin)
        self.tensors.append(tensor(name, FLOAT, entry["shape"], self.file.read(end - begin)))
        return name

    def constant(self, kind, dims, *values):
        name = f"c{self.count}"
        self.count += 1
        self.tensors.append(tensor(name, kind, dims, struct.pack(f"<{len(values)}{'f' if kind == FLOAT else 'q'}", *values)))
        return name

    def op(self, kind, *inputs, result=None, **attributes):
        name = result or f"v{self.count}"
        self.count += 1
        parts = [block(1, one) for one in inputs] + [block(2, name), block(4, kind)]
        parts += [block(5, attribute(key, value)) for key, value in attributes.items()]
        self.nodes.append(b"".join(parts))
        return name

    def linear(self, x, name):
        turned = self.op("Transpose", self.weight(f"{name}.weight"), perm=[1, 0])
        return self.op("Add", self.op("MatMul", x, turned), self.weight(f"{name}.bias"))

    def norm(self, x, name, epsilon, result=None):
        scale, bias = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.op("LayerNormalization", x, scale, bias, result=result, axis=-1, epsilon=epsilon)


def build(folder):
    config = json.loads((folder / "config.json").read_text())
    if config["model_type"] != "bert" or config["hidden_act"] != "gelu":
        raise SystemExit("expected a BERT with gelu")
    hidden, heads, epsilon = config["hidden_size"], config["num_attention_heads"], config["layer_norm_eps"]
    size = hidden // heads
    m = Model(folder / "model.safetensors")
    zero, one = m.constant(INT64, [1], 0), m.constant(INT64, [1], 1)
    tokens = m.op("Shape", "input_ids", start=1, end=2)
    words = m.op("Gather", m.weight("embeddings.word_embeddings.weight"), "input_ids")
    places = m.op("Slice", m.weight("embeddings.position_embeddings.weight"), zero, tokens, zero)
    types = m.op("Gather", m.weight("embeddings.token_type_embeddings.weight"), "token_type_ids")
    x = m.norm(m.op("Add", m.op("Add", words, types), places), "embeddings.LayerNorm", epsilon)

    # 0 where there is a token, -10,000 where there is padding: [batch, 1, 1, tokens]
    present = m.op("Unsqueeze", m.op("Cast", "attention_mask", to=FLOAT), m.constant(INT64, [2], 1, 2))
    absent = m.op("Sub", m.constant(FLOAT, [1], 1.0), present)
    mask = m.op("Mul", absent, m.constant(FLOAT, [1], -10000.0))
    split = m.constant(INT64, [4], 0, 0, heads, size)
    joined = m.constant(INT64, [3], 0, 0, hidden)
    scale = m.constant(FLOAT, [1], size**-0.5)
    half, unit, root = (m.constant(FLOAT, [1], value) for value in (0.5, 1.0, 2**-0.5))
    layers = config["num_hidden_layers"]
    for layer in range(layers):
        at = f"encoder.layer.{layer}"
        q, k, v = (
            m.op("Reshape", m.linear(x, f"{at}.attention.self.{part}"), split) for part in ("query", "key", "value")
        )
        q, v = m.op("Transpose", q, perm=[0, 2, 1, 3]), m.op("Transpose", v, perm=[0, 2, 1, 3])
        scores = m.op("Mul", m.op("MatMul", q, m.op("Transpose", k, perm=[0, 2, 3, 1])), scale)
        shares = m.op("Softmax", m.op("Add", scores, mask), axis=-1)
        mixed = m.op("Reshape", m.op("Transpose", m.op("MatMul", shares, v), perm=[0, 2, 1, 3]), joined)
        mixed = m.linear(mixed, f"{at}.attention.output.dense")
        x = m.norm(m.op("Add", mixed, x), f"{at}.attention.output.LayerNorm", epsilon)
        wide = m.linear(x, f"{at}.intermediate.dense")
        gelu = m.op("Mul", m.op("Mul", wide, half), m.op("Add", m.op("Erf", m.op("Mul", wide, root)), unit))
        narrow = m.linear(gelu, f"{at}.output.dense")
        result = "last_hidden_state" if layer == layers - 1 else None
        x = m.norm(m.op("Add", narrow, x), f"{at}.output.LayerNorm", epsilon, result)

    graph = b"".join(block(1, node) for node in m.nodes) + block(2, "bert")
    graph += b"".join(block(5, one) for one in m.tensors)
    for name in ("input_ids", "attention_mask", "token_type_ids"):
        graph += block(11, value_info(name, INT64, ["batch", "tokens"]))
    graph += block(12, value_info("last_hidden_state", FLOAT, ["batch", "tokens", hidden]))
    return integer(1, 8) + block(2, "millrace") + block(7, graph) + block(8, block(1, "") + integer(2, 17))


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(build(Path(sys.argv[1])))
