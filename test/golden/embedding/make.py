"""Embeddings of some texts by all-MiniLM-L6-v2, computed in float64 from the weights, for test/integration/embed.

    pip install torch==2.15.0 tokenizers==VERSION
    python make.py FOLDER-OF-THE-MODEL > minilm.json

The encoder is written out here as the paper has it (Devlin et al. 2018), so that nothing is shared with the ONNX model
that scripts/bert-to-onnx.py writes. Tokens are those of the Python tokenizers library.
"""

import json
import math
import struct
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer

TEXTS = [
    "Toy Story (1995). Animation, Children's, Comedy",
    "A Bug's Life: ants, toys and a talking spaceman for the whole family",
    "Return of the Living Dead, The (1985)",
    "Zombies rise from their graves and eat brains",
    "Braun electric kettle, 1.7 l, 2,200 W",
    "Crème brûlée à l'ancienne — naïve façade",
    "東京 は 日本 の 首都",
    "unbelievablyoverlongcompoundwordwithoutanyspaces #42 @home 50% off!!!",
    "",
    "word " * 200,
]


def load(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue
        begin, end = entry["data_offsets"]
        raw = bytearray(data[8 + length + begin : 8 + length + end])
        tensors[name] = torch.frombuffer(raw, dtype=torch.float32).reshape(entry["shape"]).double()
    return tensors


def encode(w, ids):
    def linear(x, name):
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def norm(x, name):
        centred = x - x.mean(-1, keepdim=True)
        scaled = centred / torch.sqrt((centred**2).mean(-1, keepdim=True) + 1e-12)
        return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]

    at = "embeddings"
    x = w[f"{at}.word_embeddings.weight"][ids]
    x = x + w[f"{at}.position_embeddings.weight"][: len(ids)] + w[f"{at}.token_type_embeddings.weight"][0]
    x = norm(x, f"{at}.LayerNorm")
    for layer in range(6):
        at = f"encoder.layer.{layer}"
        q, k, v = (linear(x, f"{at}.attention.self.{part}").split(32, -1) for part in ("query", "key", "value"))
        heads = [torch.softmax(a @ b.T / math.sqrt(32), -1) @ c for a, b, c in zip(q, k, v)]
        x = norm(x + linear(torch.cat(heads, -1), f"{at}.attention.output.dense"), f"{at}.attention.output.LayerNorm")
        wide = linear(x, f"{at}.intermediate.dense")
        wide = wide * 0.5 * (1 + torch.erf(wide / math.sqrt(2)))
        x = norm(x + linear(wide, f"{at}.output.dense"), f"{at}.output.LayerNorm")
    mean = x.mean(0)
    return mean / mean.norm()


def main(folder):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    w = load(folder / "model.safetensors")
    rows = []
    for text in TEXTS:
        ids = tokenizer.encode(text).ids
        rows.append({"text": text, "tokens": ids, "embedding": [round(x, 6) for x in encode(w, ids).tolist()]})
    print(json.dumps(rows, ensure_ascii=False))


main(Path(sys.argv[1]))
