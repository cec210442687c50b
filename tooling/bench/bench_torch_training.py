#!/usr/bin/env python3
"""Training speed of spark's architecture in PyTorch on CPU: the peer of `npm run bench -- training`.

transformers.MiniMaxForCausalLM with random weights, float32, AdamW; one step is forward, backward and
update of one batch. Prints a line of JSON: tokens per second of each step after a warm-up.

Usage: python bench_torch_training.py --batch 16 --length 256 --steps 5 --threads 2
"""

import argparse
import json
import resource
import time


def main():
    parser = argparse.ArgumentParser()
    for name, value in (("batch", 16), ("length", 256), ("steps", 5), ("threads", 2)):
        parser.add_argument(f"--{name}", type=int, default=value)
    args = parser.parse_args()

    import torch
    from transformers import MiniMaxConfig, MiniMaxForCausalLM

    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    config = MiniMaxConfig(
        vocab_size=506, hidden_size=128, intermediate_size=128, num_hidden_layers=8,
        num_attention_heads=8, num_key_value_heads=2, head_dim=16, num_local_experts=8,
        num_experts_per_tok=2, block_size=256, bos_token_id=None, eos_token_id=None,
        layer_types=["linear_attention"] * 7 + ["full_attention"],
        full_attn_alpha_factor=2.0, linear_attn_alpha_factor=2.0, mlp_alpha_factor=2.0,
        output_router_logits=True, router_aux_loss_coef=0.01,
    )
    best = []
    for experts in ("eager", "grouped_mm"):
        model = MiniMaxForCausalLM._from_config(config, attn_implementation="sdpa", experts_implementation=experts)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), eps=1e-15)
        ids = torch.randint(0, 506, (args.batch, args.length))
        rates = []
        for step in range(args.steps + 1):
            started = time.perf_counter()
            model(ids, labels=ids, use_cache=False).loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            if step > 0:
                rates.append(args.batch * args.length / (time.perf_counter() - started))
        if not best or max(rates) > max(best):
            best = rates
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rates": best, "peakMiB": peak}))


if __name__ == "__main__":
    main()
