#!/usr/bin/env python3
"""Golden values of Ring-linear / Ling-linear (model_type "bailing_moe_linear") from the published code.

The modelling file of the linear models is published with their weights only.  Its parts are in two
repositories of the same authors, and this program runs those files as they are, from a checkout:

* lightning attention, norms, router, experts and decoder layer: github.com/inclusionAI/Ring-V2.5,
  models/modeling_bailing_moe_v2_5.py (whose softmax layers are multi-head latent attention);
* softmax attention with grouped queries: github.com/inclusionAI/Ling-V2, models/modeling_bailing_moe_v2.py.

Two things are put in their place here: the softmax attention of the second file into the decoder layer
of the first, and for the Triton kernels the plain PyTorch form that flash-linear-attention publishes
beside them (fla/ops/simple_gla/naive.py of the package fla-core).

Usage:  python make_ring_fixtures.py --ring DIR --ling DIR --fla FILE [--out DIR] [--only NAME ...]
Tested with torch 2.15.0, transformers 4.56.1, safetensors 0.8.0, einops 0.8.2, Python 3.11; float32 on the CPU.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import types
from dataclasses import dataclass

import torch

from family_case import draw_prompts, labels_of, loss_of, save_case

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)

NEW_TOKENS = 16
SMALLEST_GAP = 1e-3     # between chosen and next experts, groups and tokens


@dataclass
class Case:
    name: str
    seed: int
    layers: int
    group: int              # every so manyth layer has softmax attention, and those that fill no group
    heads: int
    kv_heads: int
    head_dim: int
    seq: int
    pads: tuple = (0,)      # left padding of each row
    vocab: int = 80
    hidden: int = 24
    dense: int = 1          # first layers without experts
    shared: int = 1
    bf16: bool = False
    tie: bool = False
    expert_group_count: int = 4


CASES = [
    Case("ring_lflff", seed=11, layers=5, group=2, heads=4, kv_heads=2, head_dim=8, seq=37),
    Case("ring_llf_leftpad", seed=12, layers=3, group=3, heads=6, kv_heads=3, head_dim=12, seq=21, pads=(0, 8),
         dense=0, shared=2, bf16=True, expert_group_count=2),
]


# ---- the published code ---------------------------------------------------------------------------
def load_file(name: str, path: str, package: str | None = None):
    spec = importlib.util.spec_from_file_location(f"{package}.{name}" if package else name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def load_folder(package: str, folder: str):
    """The modelling module of a folder, whose files import each other relatively."""
    sys.modules[package] = types.ModuleType(package)
    sys.modules[package].__path__ = [folder]
    names = sorted(f[:-3] for f in os.listdir(folder) if f.endswith(".py"))
    modules = [load_file(name, os.path.join(folder, f"{name}.py"), package)
               for name in names if name.startswith(("configuration", "modeling"))]
    return modules[-1]


class FinalStates:
    """The attention kernels' stand-in; it keeps the states that each call ends with."""
    def __init__(self, naive):
        self.naive, self.states = naive, []

    def __call__(self, q, k, v, g, initial_state=None, output_final_state=False):
        o, state = self.naive(q, k, v, g, initial_state=initial_state, output_final_state=True)
        self.states.append(state)
        return o, state


def load_published(a):
    kernels = FinalStates(load_file("naive", a.fla).naive_recurrent_simple_gla)
    for name in ("fla", "fla.ops", "fla.ops.simple_gla"):
        sys.modules[name] = types.ModuleType(name)
    for part in ("fused_recurrent", "chunk"):
        stand_in = types.ModuleType(f"fla.ops.simple_gla.{part}")
        setattr(stand_in, "fused_recurrent_simple_gla" if part == "fused_recurrent" else "chunk_simple_gla", kernels)
        sys.modules[stand_in.__name__] = stand_in
    ring, ling = load_folder("ring", a.ring), load_folder("ling", a.ling)
    ring.BailingMoeV2_5MultiLatentAttention = ling.BailingMoeV2Attention
    return ring, kernels


# ---- model ----------------------------------------------------------------------------------------
def config_json(c: Case) -> dict:
    return {
        "architectures": ["BailingMoeLinearV2ForCausalLM"], "attention_dropout": 0.0, "embedding_dropout": 0.0,
        "eos_token_id": None, "first_k_dense_replace": c.dense, "group_norm_size": c.heads // 2, "head_dim": c.head_dim,
        "hidden_act": "silu", "hidden_size": c.hidden, "initializer_range": 0.02, "intermediate_size": 20,
        "layer_group_size": c.group, "linear_silu": False, "max_position_embeddings": 4096, "max_window_layers": 20,
        "model_type": "bailing_moe_linear", "moe_intermediate_size": 8, "moe_router_enable_expert_bias": True,
        "moe_shared_expert_intermediate_size": 8, "n_group": c.expert_group_count, "norm_topk_prob": True,
        "num_attention_heads": c.heads, "num_experts": 8, "num_experts_per_tok": 3, "num_hidden_layers": c.layers,
        "num_key_value_heads": c.kv_heads, "num_nextn_predict_layers": 0, "num_shared_experts": c.shared,
        "output_dropout": 0.0, "output_router_logits": False, "pad_token_id": None, "partial_rotary_factor": 0.5,
        "rms_norm_eps": 1e-6, "rope_scaling": None, "rope_theta": 10000.0, "routed_scaling_factor": 2.5,
        "router_dtype": "fp32", "score_function": "sigmoid", "tie_word_embeddings": c.tie, "topk_group": c.expert_group_count // 2,
        "torch_dtype": "bfloat16" if c.bf16 else "float32", "use_bias": False, "use_cache": True, "use_qk_norm": True,
        "use_qkv_bias": False, "use_rmsnorm": True, "vocab_size": c.vocab,
    }


class Model(torch.nn.Module):
    """Embedding, published decoder layers, norm and head: names as in the checkpoints."""
    def __init__(self, ring, c: Case):
        super().__init__()
        sizes = {k: v for k, v in config_json(c).items() if k not in ("architectures", "model_type", "torch_dtype")}
        config = ring.BailingMoeV2_5Config(**sizes)
        self.model = torch.nn.Module()
        self.model.word_embeddings = torch.nn.Embedding(c.vocab, c.hidden)
        self.model.layers = torch.nn.ModuleList([ring.BailingMoeV2_5DecoderLayer(config, i) for i in range(c.layers)])
        self.model.norm = ring.BailingMoeV2_5RMSNorm(c.hidden, eps=config.rms_norm_eps)
        self.lm_head = torch.nn.Linear(c.hidden, c.vocab, bias=False)
        self.rotary = [ring.BailingMoeV2_5RotaryEmbedding(config)]      # in a list: it is no part of a checkpoint

    def forward(self, ids, mask, record):
        h = self.model.word_embeddings(ids)
        record("hidden.embed", h)
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        angles = self.rotary[0](h, positions)
        seen = torch.tril(torch.ones(ids.shape[1], ids.shape[1], dtype=torch.bool))[None] & mask[:, None, :].bool()
        additive = torch.zeros(seen.shape).masked_fill(~seen, torch.finfo(torch.float32).min)[:, None]
        for i, layer in enumerate(self.model.layers):
            hooks = [layer.attention.register_forward_hook(lambda m, a, o, i=i: record(f"debug.attn_out.{i}", o[0])),
                     layer.mlp.register_forward_hook(
                         lambda m, a, o, i=i: record(f"debug.moe_out.{i}", o[0] if isinstance(o, tuple) else o))]
            if hasattr(layer.mlp, "gate"):
                def gate(m, a, o, i=i):
                    for part, t in zip(("experts", "weights", "logits"), o):
                        record(f"router_{part}.{i}", t.reshape(*ids.shape, -1))
                hooks.append(layer.mlp.gate.register_forward_hook(gate))
            softmax = layer.attention_layer_type == "attention"
            h = layer(h, attention_mask=additive if softmax else mask, position_ids=positions,
                      # With it the published code keeps padding out of the states, by an operation without gradient.
                      use_cache=not self.training,
                      position_embeddings=angles, position_embeddings_mla=angles)[0]
            record(f"hidden.layer.{i}", h)
            for hook in hooks:
                hook.remove()
        h = self.model.norm(h)
        record("hidden.final_norm", h)
        return self.lm_head(h)


def randomise(c: Case, model: Model, seed: int) -> None:
    """Seeded weights that make every term of the computation visible in the output."""
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in sorted(model.state_dict().items()):
            if name.endswith("expert_bias"):
                p.copy_(torch.randn(p.shape, generator=g) * 0.2)
            elif p.dim() == 1:
                p.copy_(torch.rand(p.shape, generator=g) * 0.8 + 0.6)
            else:
                gain = 0.8 if name.endswith("word_embeddings.weight") else 1.4 * p.shape[-1] ** -0.5
                p.copy_(torch.randn(p.shape, generator=g) * gain)
            if c.bf16 and ".mlp.gate." not in name:
                p.copy_(p.to(torch.bfloat16).float())
        if c.tie:
            model.lm_head.weight = model.model.word_embeddings.weight


# ---- one case -------------------------------------------------------------------------------------
def gap(values: torch.Tensor, k: int) -> float:
    """Smallest distance between neighbours among the k + 1 greatest."""
    top = values.sort(-1, descending=True).values[..., : k + 1]
    return (top[..., :-1] - top[..., 1:]).min().item() if top.shape[-1] > 1 else float("inf")


def routing_gap(config: dict, model: Model, records: dict, live: torch.Tensor) -> float:
    smallest = float("inf")
    for i, layer in enumerate(model.model.layers):
        if f"router_logits.{i}" not in records:
            continue
        scores = (records[f"router_logits.{i}"].sigmoid() + layer.mlp.gate.expert_bias)[live]
        groups = scores.view(len(scores), config["n_group"], -1)
        best = groups.topk(2, -1).values.sum(-1)
        chosen = torch.zeros_like(best, dtype=torch.bool).scatter(1, best.topk(config["topk_group"]).indices, True)
        inside = groups.masked_fill(~chosen[..., None], -10).reshape(scores.shape)
        smallest = min(smallest, gap(best, config["topk_group"]), gap(inside, config["num_experts_per_tok"]))
    return smallest


def canonical_gradients(model: Model, names: list) -> dict:
    """Gradients by the names that Levin gives the parameters; softmax projections are told apart."""
    out = {}
    named = {n: (p.grad if p.grad is not None else torch.zeros_like(p)) for n, p in model.named_parameters()}
    for ours, theirs, rows in names:
        g = named[theirs]
        out[f"grad.loss.{ours}"] = g[rows].clone().contiguous() if rows else g.clone()
    return out


def wanted_gradients(c: Case, model: Model) -> list:
    kinds = [layer.attention_layer_type for layer in model.model.layers]
    lightning, softmax = kinds.index("linear_attention"), kinds.index("attention")
    at = lambda i, name: f"model.layers.{i}.{name}"
    q, kv = c.heads * c.head_dim, c.kv_heads * c.head_dim
    return [
        ("model.embed_tokens.weight", "model.word_embeddings.weight", None),
        (at(lightning, "self_attn.qkv_proj.weight"), at(lightning, "attention.query_key_value.weight"), None),
        (at(lightning, "self_attn.norm.weight"), at(lightning, "attention.g_norm.weight"), None),
        (at(lightning, "self_attn.q_norm.weight"), at(lightning, "attention.query_layernorm.weight"), None),
        (at(softmax, "self_attn.k_norm.weight"), at(softmax, "attention.key_layernorm.weight"), None),
        (at(softmax, "self_attn.k_proj.weight"), at(softmax, "attention.query_key_value.weight"), slice(q, q + kv)),
        (at(softmax, "block_sparse_moe.gate.weight"), at(softmax, "mlp.gate.weight"), None),
        (at(softmax, "block_sparse_moe.shared_expert.w3.weight"), at(softmax, "mlp.shared_experts.up_proj.weight"), None),
    ]


def run_case(ring, kernels: FinalStates, c: Case, root: str) -> None:
    config = config_json(c)
    for seed in range(1000 * c.seed, 1000 * c.seed + 200):
        model = Model(ring, c).eval()
        randomise(c, model, seed)
        ids, mask = draw_prompts(c, seed + 1)
        live, records = mask.bool(), {}
        with torch.no_grad():
            kernels.states = []
            logits = model(ids, mask, records.__setitem__)
            prefill_states = kernels.states
            # Each token anew from all before it: no cache of the published code takes part.
            tokens, all_logits, last, m = ids, [], logits[:, -1], mask
            for step in range(NEW_TOKENS):
                all_logits.append(last)
                if step + 1 == NEW_TOKENS:
                    new = torch.cat([tokens[:, c.seq:], last.argmax(-1, keepdim=True)], 1)
                    break
                tokens = torch.cat([tokens, last.argmax(-1, keepdim=True)], 1)
                m = torch.cat([m, torch.ones_like(m[:, :1])], 1)
                kernels.states, later = [], {}
                last = model(tokens, m, later.__setitem__)[:, -1]
        gaps = (routing_gap(config, model, records, live), routing_gap(config, model, later, m.bool()),
                gap(torch.stack(all_logits, 1), 1))
        if min(gaps) >= SMALLEST_GAP and len(set(new.reshape(-1).tolist())) > 4:
            break
    else:
        raise RuntimeError(f"{c.name}: no seed with sufficient margins")

    out = {"input_ids": ids.int(), "attention_mask": mask.int(), "generated_ids": new.int(),
           "generated_logits": torch.stack(all_logits, 1)}
    for name, t in {**records, "logits": logits}.items():
        hidden = ~live[..., None]
        out[name] = t.masked_fill(hidden, -1).int() if name.startswith("router_experts") else t.masked_fill(hidden, 0)
    lightning = [i for i, l in enumerate(model.model.layers) if l.attention_layer_type == "linear_attention"]
    for when, states in (("prefill", prefill_states), ("generated", kernels.states)):
        for i, state in zip(lightning, states):
            out[f"lightning_state.{when}.{i}"] = state

    labels = labels_of(c, ids, mask)
    out |= {"labels": labels.int(), "loss": loss_of(c, logits, labels).reshape(1)}
    if not any(c.pads):
        model.train()       # the published code computes experts without gradients in eval mode
        loss_of(c, model(ids, mask, lambda *_: None), labels).backward()
        out |= canonical_gradients(model, wanted_gradients(c, model))

    weights = {k: v for k, v in model.state_dict().items() if not (c.tie and k == "lm_head.weight")}
    if c.bf16:
        weights = {k: v if ".mlp.gate." in k else v.to(torch.bfloat16) for k, v in weights.items()}
    size = save_case(os.path.join(root, c.name), weights, out, config)
    print(f"{c.name}: seed {seed}, gaps {' '.join(f'{g:.1e}' for g in gaps)}, "
          f"largest logit {logits[live].abs().max():.1f}, {size / 1000:.0f} KB")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ring", required=True, help="models/ of Ring-V2.5")
    parser.add_argument("--ling", required=True, help="models/ of Ling-V2")
    parser.add_argument("--fla", required=True, help="fla/ops/simple_gla/naive.py of fla-core")
    parser.add_argument("--out", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "open"))
    parser.add_argument("--only", nargs="*")
    a = parser.parse_args()
    ring, kernels = load_published(a)
    for c in CASES:
        if not a.only or c.name in a.only:
            run_case(ring, kernels, c, a.out)


if __name__ == "__main__":
    main()
