#!/usr/bin/env python3
"""PyTorch CPU performance reference for the hybrid lightning/softmax MoE architecture.

Two implementations are timed, both float32, batch 1, 2 threads:

* library: transformers.MiniMaxForCausalLM as shipped (SDPA attention, best of its eager and
  grouped expert kernels);
* lean:    a hand-written inference loop on plain tensors, no module or cache overhead, which
  is a fairer statement of what PyTorch's CPU kernels can do at these sizes.

Three sizes (about 25 M, 100 M and 410 M parameters, 8 layers, 8 experts top-2), each as a 7:1
lightning/softmax hybrid and with softmax attention everywhere.  Every measurement runs in
its own process so that peak resident memory is attributable.  Only last-token logits are
computed in prefill.

Usage: python bench_torch.py [--threads 2] [--repeats 3] [--sizes 25M 100M] [--lengths 512 2048] [--json FILE]
The peer of `npm run bench -- peers`, which runs it when Python has torch and transformers.
"""

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import time

SIZES = {
    "25M": dict(hidden=256, inter=384, heads=4, kv=2, head_dim=64, layers=8, experts=8, top_k=2, vocab=8192),
    "100M": dict(hidden=512, inter=832, heads=8, kv=2, head_dim=64, layers=8, experts=8, top_k=2, vocab=8192),
    "410M": dict(hidden=2048, inter=768, heads=16, kv=2, head_dim=64, layers=8, experts=8, top_k=2, vocab=8192),
}
LENGTHS = (512, 2048, 8192, 32768)
BLOCK = 256
DECODE_STEPS = 48


def layer_types(variant, n):
    return [variant == "softmax" or (i + 1) % 8 == 0 for i in range(n)]      # True = softmax


# ------------------------------------------------------------------ lean implementation
def build_lean(s, variant):
    import torch
    g = torch.Generator().manual_seed(0)
    r = lambda *shape: torch.randn(*shape, generator=g) * shape[-1] ** -0.5
    H, D, h, kv = s["hidden"], s["head_dim"], s["heads"], s["kv"]
    layers = []
    for i, full in enumerate(layer_types(variant, s["layers"])):
        p = dict(full=full, n1=torch.ones(H), n2=torch.ones(H), gate=r(s["experts"], H),
                 w13=[r(2 * s["inter"], H) for _ in range(s["experts"])],
                 w2=[r(H, s["inter"]) for _ in range(s["experts"])])
        if full:
            p.update(qkv=r((h + 2 * kv) * D, H), o=r(H, h * D))
        else:
            f = 1 - i / (s["layers"] - 1 + 1e-5) + 1e-5
            rate = torch.tensor([2.0 ** (-8 * (j + 1) / h) * f for j in range(h)]).reshape(h, 1, 1)
            t = torch.arange(1, BLOCK + 1.0)
            d = (t[:, None] - t[None, :])
            p.update(qkvg=r(4 * h * D, H), o=r(H, h * D), n=torch.ones(h * D), rate=rate,
                     qd=torch.exp(-rate * t[:, None]), kd=torch.exp(-rate * (BLOCK - t[:, None])),
                     diag=torch.where(d >= 0, torch.exp(-rate * d.clamp(min=0)), 0.0), lam=torch.exp(-rate))
        layers.append(p)
    return dict(layers=layers, embed=r(s["vocab"], H), head=r(s["vocab"], H), norm=torch.ones(H))


def lean_forward(torch, m, s, ids, start, cache):
    F = torch.nn.functional
    H, D, h, kv, K = s["hidden"], s["head_dim"], s["heads"], s["kv"], s["top_k"]
    T = ids.shape[0]
    x = m["embed"][ids]
    inv = 1e6 ** (-torch.arange(0, D, 2) / D)
    ang = torch.arange(start, start + T)[:, None] * inv
    cos, sin = ang.cos().repeat(1, 2), ang.sin().repeat(1, 2)
    rot = lambda y: y * cos + torch.cat((-y[..., D // 2:], y[..., : D // 2]), -1) * sin
    for i, p in enumerate(m["layers"]):
        x = F.rms_norm(x, (H,), p["n1"], 1e-5)
        if p["full"]:
            y = F.linear(x, p["qkv"]).view(T, h + 2 * kv, D).transpose(0, 1)
            kc, vc = cache[i]
            kc[:, start:start + T], vc[:, start:start + T] = rot(y[h:h + kv]), y[h + kv:]
            a = F.scaled_dot_product_attention(rot(y[:h])[None], kc[None, :, :start + T], vc[None, :, :start + T],
                                               is_causal=T > 1, enable_gqa=True)[0]
            y = F.linear(a.transpose(0, 1).reshape(T, h * D), p["o"])
        else:
            y = F.linear(x, p["qkvg"])
            q, k, v = F.silu(y[:, : 3 * h * D]).view(T, h, 3, D).permute(2, 1, 0, 3)
            S = cache[i]
            if T == 1:
                S.mul_(p["lam"]).add_(k.transpose(1, 2) * v)
                a = q @ S
            else:
                parts = []
                for b in range(0, T, BLOCK):
                    n = min(BLOCK, T - b)
                    Q, Kb, V = q[:, b:b + n], k[:, b:b + n], v[:, b:b + n]
                    w = torch.bmm(Q, Kb.transpose(1, 2)).mul_(p["diag"][:, :n, :n])
                    parts.append(torch.baddbmm(torch.bmm(w, V), Q * p["qd"][:, :n], S))
                    S.mul_(torch.exp(-p["rate"] * n)).baddbmm_((Kb * p["kd"][:, -n:]).transpose(1, 2), V)
                a = torch.cat(parts, 1)
            a = F.rms_norm(a.transpose(0, 1).reshape(T, h * D), (h * D,), p["n"], 1e-6)
            y = F.linear(a.mul_(y[:, 3 * h * D:].sigmoid()), p["o"])
        x = F.rms_norm(x * 2.0 + y, (H,), p["n2"], 1e-5)
        top, idx = F.linear(x, p["gate"]).softmax(-1).topk(K, -1)
        top = top / top.sum(-1, keepdim=True)
        if T == 1:
            z = 0
            for e, wt in zip(idx[0].tolist(), top[0]):
                a, b = F.linear(x, p["w13"][e]).chunk(2, -1)
                z = z + F.linear(F.silu(a) * b, p["w2"][e]) * wt
        else:
            z = torch.zeros_like(x)
            for e in range(s["experts"]):
                rows, slot = torch.where(idx == e)
                if rows.numel():
                    a, b = F.linear(x[rows], p["w13"][e]).chunk(2, -1)
                    z.index_add_(0, rows, F.linear(F.silu(a).mul_(b), p["w2"][e]).mul_(top[rows, slot, None]))
        x = x * 2.0 + z
    return F.linear(F.rms_norm(x[-1:], (H,), m["norm"], 1e-5), m["head"])


def lean_cache(torch, m, s, cap):
    return [(torch.zeros(s["kv"], cap, s["head_dim"]), torch.zeros(s["kv"], cap, s["head_dim"])) if p["full"]
            else torch.zeros(s["heads"], s["head_dim"], s["head_dim"]) for p in m["layers"]]


# ------------------------------------------------------------------ library implementation
def build_library(s, variant, experts):
    import warnings
    warnings.filterwarnings("ignore")
    import torch
    from transformers import MiniMaxConfig, MiniMaxForCausalLM
    torch.manual_seed(0)
    cfg = MiniMaxConfig(vocab_size=s["vocab"], hidden_size=s["hidden"], intermediate_size=s["inter"],
                        num_hidden_layers=s["layers"], num_attention_heads=s["heads"], num_key_value_heads=s["kv"],
                        head_dim=s["head_dim"], num_local_experts=s["experts"], num_experts_per_tok=s["top_k"],
                        layer_types=["full_attention" if f else "linear_attention" for f in layer_types(variant, s["layers"])],
                        block_size=BLOCK, max_position_embeddings=65536, bos_token_id=None, eos_token_id=None,
                        full_attn_alpha_factor=2.0, linear_attn_alpha_factor=2.0, mlp_alpha_factor=2.0)
    return MiniMaxForCausalLM._from_config(cfg, attn_implementation="sdpa", experts_implementation=experts).eval()


# ------------------------------------------------------------------ worker
def rss():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def worker(impl, size, variant, length, threads, repeats):
    import torch
    torch.set_num_threads(threads)
    s, base = SIZES[size], rss()
    ids = torch.randint(0, s["vocab"], (length,), generator=torch.Generator().manual_seed(1))
    pre, dec = [], []
    with torch.inference_mode():
        if impl == "lean":
            m = build_lean(s, variant)
            params = sum(t.numel() for p in m["layers"] for k, v in p.items() if k not in ("full", "rate", "qd", "kd", "diag", "lam")
                         for t in (v if isinstance(v, list) else [v])) + sum(m[k].numel() for k in ("embed", "head", "norm"))
            loaded = rss()
            for _ in range(repeats + 1):
                c = lean_cache(torch, m, s, length + DECODE_STEPS)
                t = time.perf_counter()
                last = lean_forward(torch, m, s, ids, 0, c)
                pre.append(time.perf_counter() - t)
                t = time.perf_counter()
                for k in range(DECODE_STEPS):
                    last = lean_forward(torch, m, s, last[0].argmax(-1, keepdim=True), length + k, c)
                dec.append(time.perf_counter() - t)
        else:
            m = build_library(s, variant, impl.split("-")[1])
            params, loaded = sum(p.numel() for p in m.parameters()), rss()
            for _ in range(repeats + 1):
                t = time.perf_counter()
                o = m(ids[None], use_cache=True, logits_to_keep=1)
                pre.append(time.perf_counter() - t)
                c = o.past_key_values
                t = time.perf_counter()
                for k in range(DECODE_STEPS):
                    o = m(o.logits[:, -1].argmax(-1, keepdim=True), past_key_values=c, use_cache=True,
                          position_ids=torch.tensor([[length + k]]), logits_to_keep=1)
                dec.append(time.perf_counter() - t)
    print(json.dumps(dict(impl=impl, size=size, variant=variant, length=length, params=params,
                          prefill_tok_s=length / min(pre[1:]), prefill_tok_s_all=[length / x for x in pre[1:]],
                          decode_tok_s=DECODE_STEPS / min(dec[1:]), decode_tok_s_all=[DECODE_STEPS / x for x in dec[1:]],
                          rss_after_import_mb=base, rss_after_load_mb=loaded, rss_peak_mb=rss())))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--repeats", type=int, default=3)
    ap.add_argument("--json")
    ap.add_argument("--impls", nargs="*", default=["lean", "library-grouped_mm", "library-eager"])
    ap.add_argument("--sizes", nargs="*", default=list(SIZES))
    ap.add_argument("--variants", nargs="*", default=["hybrid", "softmax"])
    ap.add_argument("--lengths", nargs="*", type=int, default=list(LENGTHS))
    ap.add_argument("--worker", nargs=4, help=argparse.SUPPRESS)
    a = ap.parse_args()
    if a.worker:
        return worker(a.worker[0], a.worker[1], a.worker[2], int(a.worker[3]), a.threads, a.repeats)
    rows = []
    env = dict(os.environ, OMP_NUM_THREADS=str(a.threads), MKL_NUM_THREADS=str(a.threads))
    print(f"{'impl':20} {'size':5} {'variant':8} {'len':>5} {'prefill tok/s':>14} {'decode tok/s':>13} {'peak RSS MB':>12} {'(load)':>7} load avg")
    for size in a.sizes:
        for variant in a.variants:
            for length in a.lengths:
                for impl in a.impls:
                    p = subprocess.run([sys.executable, __file__, "--threads", str(a.threads), "--repeats", str(a.repeats),
                                        "--worker", impl, size, variant, str(length)], env=env, capture_output=True, text=True)
                    if p.returncode:
                        print(impl, size, variant, length, "failed:", p.stderr.strip().splitlines()[-1:])
                        continue
                    r = json.loads(p.stdout.strip().splitlines()[-1])
                    r["load_avg"] = os.getloadavg()[0]
                    rows.append(r)
                    print(f"{impl:20} {size:5} {variant:8} {length:5d} {r['prefill_tok_s']:14.0f} {r['decode_tok_s']:13.1f} "
                          f"{r['rss_peak_mb']:12.0f} {r['rss_after_load_mb']:7.0f} {r['load_avg']:.2f}", flush=True)
    if a.json:
        json.dump(rows, open(a.json, "w"), indent=1)


if __name__ == "__main__":
    main()
