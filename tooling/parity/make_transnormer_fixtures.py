#!/usr/bin/env python3
"""Golden values of TransNormerLLM (model_type "transnormer") from the published code.

`--model` is modeling_transnormer.py, which OpenNLPLab publishes with the weights of TransNormerLLM-385M, 1B
and 7B; its decoder layer (norm-linear attention in the form for inference, LRPE, GLU) and its slopes run as
they are.  Stand-ins of this program for files beside it: the norm, x / sqrt(mean(x^2) + 1e-6) without a
weight, as its Triton form computes it, and the look-up of functions by name.  The loop over the layers is
this program's too: embedding times the root of its width, slopes times 1 - i / (n - 1) + 1e-5, last norm, head.

Usage:  python make_transnormer_fixtures.py --model FILE [--out DIR]
Tested with torch 2.15.0, transformers 4.56.1, safetensors 0.8.0, einops 0.8.2, Python 3.11; float32 on the CPU.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import os
import sys
import types
from dataclasses import dataclass
from types import SimpleNamespace

os.environ["use_triton"] = "False"

import torch
import torch.nn.functional as F

from family_case import draw_prompts, labels_of, loss_of, save_case

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)

NEW_TOKENS = 16
SMALLEST_GAP = 1e-2     # between the best two tokens


@dataclass
class Case:
    name: str
    seed: int
    layers: int
    heads: int
    width: int
    glu: int
    lrpe: tuple             # layers with LRPE; the published models have it in the first
    seq: int
    pads: tuple = (0,)
    vocab: int = 80
    scaled: bool = True     # the embedding
    bf16: bool = False
    tie: bool = False


CASES = [
    Case("transnormer_lrpe_first", seed=21, layers=3, heads=4, width=32, glu=40, lrpe=(0,), seq=37),
    Case("transnormer_6heads_leftpad", seed=22, layers=3, heads=6, width=24, glu=24, lrpe=(0,), seq=19, pads=(0, 7),
         scaled=False, bf16=True, tie=True),
]


class SimpleRMSNorm(torch.nn.Module):
    def __init__(self, dim: int, eps: float = 1e-6):
        super().__init__()
        self.eps = eps

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps)


def load_published(path: str):
    package = types.ModuleType("transnormer")
    package.__path__ = []
    sys.modules["transnormer"] = package
    beside = {
        "configuration_transnormer": {"TransnormerConfig": SimpleNamespace},
        "norm": {"SimpleRMSNorm": SimpleRMSNorm},
        "srmsnorm_triton": {"SimpleRMSNorm": SimpleRMSNorm},
        "utils": {"get_activation_fn": {"silu": F.silu}.__getitem__, "get_norm_fn": {"simplermsnorm": SimpleRMSNorm}.__getitem__,
                  "logging_info": print, "print_module": lambda m: "", "print_params": lambda **kw: None},
    }
    for name, members in beside.items():
        module = types.ModuleType(f"transnormer.{name}")
        vars(module).update(members)
        sys.modules[module.__name__] = module
    spec = importlib.util.spec_from_file_location("transnormer.modeling_transnormer", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def config_json(c: Case) -> dict:
    return {
        "add_bos_token": False, "architectures": ["TransnormerForCausalLM"], "bias": False, "bos_token_id": None,
        "decoder_attention_heads": c.heads, "decoder_embed_dim": c.width, "decoder_layers": c.layers, "eos_token_id": None,
        "glu_dim": -1 if c.glu == c.width else c.glu, "hidden_dim": c.width, "init_std": 0.02, "linear_act_fun": "silu",
        "linear_use_lrpe_list": [int(i in c.lrpe) for i in range(c.layers)], "model_type": "transnormer",
        "no_scale_embedding": not c.scaled, "norm_type": "simplermsnorm", "pad_token_id": 0 if any(c.pads) else None,
        "tie_word_embeddings": c.tie, "torch_dtype": "bfloat16" if c.bf16 else "float32", "use_cache": True,
        "vocab_size": c.vocab,
    }


class Model(torch.nn.Module):
    """Names as in the checkpoints."""
    def __init__(self, published, c: Case):
        super().__init__()
        self.scale = math.sqrt(c.width) if c.scaled else 1.0
        self.slopes = published.TransnormerModel._build_slope_tensor(c.heads)
        self.model = torch.nn.Module()
        self.model.embed_tokens = torch.nn.Embedding(c.vocab, c.width)
        self.model.layers = torch.nn.ModuleList(
            [published.TransnormerDecoderLayer(SimpleNamespace(**config_json(c), linear_use_lrpe=i in c.lrpe))
             for i in range(c.layers)])
        self.norm = SimpleRMSNorm(c.width)
        self.lm_head = torch.nn.Linear(c.width, c.vocab, bias=False)

    def forward(self, ids, mask, record, states=None):
        h = self.model.embed_tokens(ids) * self.scale
        record("hidden.embed", h)
        length, count, ends = ids.shape[1], len(self.model.layers), []
        distance = torch.arange(length)[:, None] - torch.arange(length)[None]
        # Read by the form for training alone, which computes the gradients.
        causal = (-distance.float()).masked_fill(distance < 0, float("-inf"))[None, None]
        for i, layer in enumerate(self.model.layers):
            hooks = [layer.token_mixer.register_forward_hook(lambda m, a, o, i=i: record(f"debug.attn_out.{i}", o[0])),
                     layer.channel_mixer.register_forward_hook(lambda m, a, o, i=i: record(f"debug.moe_out.{i}", o))]
            if states is None:
                layer.token_mixer.offset = 0
            h, state = layer(h, attn_mask=causal, attn_padding_mask=mask, past_key_value=states and states[i],
                             use_cache=True, slope_rate=self.slopes * (1 - i / (count - 1) + 1e-5))
            record(f"hidden.layer.{i}", h)
            ends.append(state)
            for hook in hooks:
                hook.remove()
        h = self.norm(h)
        record("hidden.final_norm", h)
        return self.lm_head(h), ends


def randomise(c: Case, model: Model, seed: int) -> None:
    """Seeded weights that make every term of the computation visible in the output; theta stays as published."""
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):
            if name.endswith("theta"):
                continue
            gain = 0.4 if name.endswith("embed_tokens.weight") else 1.3 * p.shape[-1] ** -0.5
            p.copy_(torch.randn(p.shape, generator=g) * gain)
            if c.bf16:
                p.copy_(p.to(torch.bfloat16).float())
        if c.bf16:
            for layer in model.model.layers:
                if hasattr(layer.token_mixer, "lrpe"):
                    theta = layer.token_mixer.lrpe.theta
                    theta.copy_(theta.to(torch.bfloat16).float())
        if c.tie:
            model.lm_head.weight = model.model.embed_tokens.weight


def as_heads(c: Case, i: int, state: torch.Tensor) -> torch.Tensor:
    """LRPE doubles the keys of a head: cosines, then sines. Levin has them as heads of their own."""
    if i not in c.lrpe:
        return state
    batch, heads, double, size = state.shape
    return state.view(batch, heads, 2, double // 2, size).transpose(1, 2).reshape(batch, 2 * heads, double // 2, size)


def gradients(c: Case, model: Model) -> dict:
    """Gradients by the names that Levin gives the parameters."""
    width = c.width
    wanted = [
        ("model.embed_tokens.weight", model.model.embed_tokens.weight, None),
        ("model.layers.0.self_attn.qkv_proj.weight", model.model.layers[0].token_mixer.qkvu_proj.weight, slice(0, 3 * width)),
        ("model.layers.0.self_attn.output_gate.weight", model.model.layers[0].token_mixer.qkvu_proj.weight, slice(3 * width, None)),
        ("model.layers.0.self_attn.lrpe.theta", model.model.layers[0].token_mixer.lrpe.theta, None),
        ("model.layers.1.self_attn.out_proj.weight", model.model.layers[1].token_mixer.out_proj.weight, None),
        ("model.layers.1.mlp.w1.weight", model.model.layers[1].channel_mixer.l1.weight, None),
        ("model.layers.1.mlp.w2.weight", model.model.layers[1].channel_mixer.l3.weight, None),
    ]
    return {f"grad.loss.{name}": p.grad[rows] if rows else p.grad for name, p, rows in wanted}


def run_case(published, c: Case, root: str) -> None:
    for seed in range(1000 * c.seed, 1000 * c.seed + 200):
        model = Model(published, c).eval()
        randomise(c, model, seed)
        ids, mask = draw_prompts(c, seed + 1)
        live, records = mask.bool(), {}
        with torch.no_grad():
            logits, first = model(ids, mask, records.__setitem__)
            tokens, all_logits, last, states = [], [], logits[:, -1], first
            for step in range(NEW_TOKENS):
                all_logits.append(last)
                tokens.append(last.argmax(-1, keepdim=True))
                if step + 1 < NEW_TOKENS:
                    output, states = model(tokens[-1], None, lambda *_: None, states)
                    last = output[:, -1]
        top = torch.stack(all_logits, 1).topk(2).values
        gap = (top[..., 0] - top[..., 1]).min().item()
        if gap >= SMALLEST_GAP and len(set(torch.cat(tokens).reshape(-1).tolist())) > 4:
            break
    else:
        raise RuntimeError(f"{c.name}: no seed with sufficient margins")

    labels = labels_of(c, ids, mask)
    out = {"input_ids": ids.int(), "attention_mask": mask.int(), "labels": labels.int(), "loss": loss_of(c, logits, labels).reshape(1),
           "generated_ids": torch.cat(tokens, 1).int(), "generated_logits": torch.stack(all_logits, 1)}
    for name, t in {**records, "logits": logits}.items():
        out[name] = t.masked_fill(~live[..., None], 0)
    for when, ends in (("prefill", first), ("generated", states)):
        for i, state in enumerate(ends):
            if i in c.lrpe and any(c.pads):
                continue        # its phases count the padding here, and real tokens alone in Levin
            out[f"lightning_state.{when}.{i}"] = as_heads(c, i, state)
    if not any(c.pads):
        model.train()
        trained, _ = model(ids, mask, lambda *_: None)
        loss_of(c, trained, labels).backward()
        out |= gradients(c, model)

    weights = {k: v.to(torch.bfloat16) if c.bf16 else v for k, v in model.state_dict().items()
               if not (c.tie and k == "lm_head.weight")}
    size = save_case(os.path.join(root, c.name), weights, out, config_json(c))
    print(f"{c.name}: seed {seed}, gap {gap:.1e}, largest logit {logits[live].abs().max():.1f}, {size / 1000:.0f} KB")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True, help="the published modeling_transnormer.py")
    parser.add_argument("--out", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "open"))
    a = parser.parse_args()
    published = load_published(a.model)
    for c in CASES:
        run_case(published, c, a.out)


if __name__ == "__main__":
    main()
