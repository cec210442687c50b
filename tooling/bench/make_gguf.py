#!/usr/bin/env python3
"""Writes a dense llama with random weights as a GGUF file: llama.cpp's side of `npm run bench -- peers`.

Needs `gguf`. Matrices have the type; the embedding too, and norms are float32. The head of a Q4_0 file
is Q8_0, as it is kept finer in llama.cpp's own Q4_0 files (Q6_K there).
"""

import gguf
import numpy as np

from dense_shape import matrix, parse_arguments

TYPES = {"f32": "F32", "q8_0": "Q8_0", "q4_0": "Q4_0"}


def main():
    a = parse_arguments(__doc__, TYPES)
    writer = gguf.GGUFWriter(a.output, "llama")
    writer.add_context_length(a.context)
    writer.add_embedding_length(a.hidden)
    writer.add_block_count(a.layers)
    writer.add_feed_forward_length(a.intermediate)
    writer.add_head_count(a.heads)
    writer.add_head_count_kv(a.kv_heads)
    writer.add_key_length(a.head_dim)
    writer.add_value_length(a.head_dim)
    writer.add_rope_dimension_count(a.head_dim)
    writer.add_rope_freq_base(1e6)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(a.vocab)
    add_vocabulary(writer, a.vocab)

    kind = gguf.GGMLQuantizationType[TYPES[a.type]]

    def add(name, rows, columns, kind=kind):
        weights = matrix(rows, columns)
        if kind == gguf.GGMLQuantizationType.F32:
            writer.add_tensor(f"{name}.weight", weights)
        else:
            writer.add_tensor(f"{name}.weight", gguf.quants.quantize(weights, kind), raw_dtype=kind)

    def norm(name):
        writer.add_tensor(f"{name}.weight", np.ones(a.hidden, np.float32))

    queries, keys = a.heads * a.head_dim, a.kv_heads * a.head_dim
    add("token_embd", a.vocab, a.hidden)
    for i in range(a.layers):
        block = f"blk.{i}"
        norm(f"{block}.attn_norm")
        add(f"{block}.attn_q", queries, a.hidden)
        add(f"{block}.attn_k", keys, a.hidden)
        add(f"{block}.attn_v", keys, a.hidden)
        add(f"{block}.attn_output", a.hidden, queries)
        norm(f"{block}.ffn_norm")
        add(f"{block}.ffn_gate", a.intermediate, a.hidden)
        add(f"{block}.ffn_up", a.intermediate, a.hidden)
        add(f"{block}.ffn_down", a.hidden, a.intermediate)
    norm("output_norm")
    add("output", a.vocab, a.hidden, kind if a.type != "q4_0" else gguf.GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def add_vocabulary(writer, size):
    """Three control tokens, the bytes, and words without meaning: llama.cpp wants a vocabulary."""
    names = ["<unk>", "<s>", "</s>", *(f"<0x{b:02X}>" for b in range(256))]
    kinds = [gguf.TokenType.UNKNOWN, *2 * [gguf.TokenType.CONTROL], *256 * [gguf.TokenType.BYTE]]
    words = size - len(names)
    writer.add_tokenizer_model("llama")
    writer.add_token_list([*names, *(f"w{i}" for i in range(words))])
    writer.add_token_scores([0.0] * size)
    writer.add_token_types([*kinds, *words * [gguf.TokenType.NORMAL]])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)


if __name__ == "__main__":
    main()
