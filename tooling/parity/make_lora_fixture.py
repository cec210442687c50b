#!/usr/bin/env python3
"""Golden adapter of PEFT on the tiny model of the case `a_mix_lllf`: its files, the logits of the
adapted model, and the gradient of the mean cross entropy with respect to the adapter's factors.

Usage:  python make_lora_fixture.py

Made with torch 2.15.0, transformers 5.23.0, peft 0.21.2.
"""

from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import MiniMaxForCausalLM

packages = Path(__file__).parents[2] / "packages"
out = packages / "training/src/__fixtures__/peft"

model = MiniMaxForCausalLM.from_pretrained(
    packages / "model/src/__fixtures__/parity/a_mix_lllf",
    dtype=torch.float32, attn_implementation="eager", experts_implementation="eager",
)
targets = ["layers.1.self_attn.qkv_proj", "layers.2.self_attn.out_proj", "q_proj", "o_proj"]
adapted = get_peft_model(model, LoraConfig(r=2, lora_alpha=6, target_modules=targets, task_type="CAUSAL_LM"))
adapted.eval()

generator = torch.Generator().manual_seed(1)
factors = {name: p for name, p in adapted.named_parameters() if p.requires_grad}
with torch.no_grad():
    for p in factors.values():
        p.copy_(0.3 * torch.randn(p.shape, generator=generator))

ids = torch.tensor([[3, 14, 15, 92, 65, 35, 89, 79, 3, 23, 84, 62]])
logits = adapted(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False).logits
torch.nn.functional.cross_entropy(logits[0, :-1], ids[0, 1:]).backward()

adapted.peft_config["default"].base_model_name_or_path = "a_mix_lllf"
adapted.save_pretrained(out)
(out / "README.md").unlink(missing_ok=True)
golden = {name.replace(".default", ""): p.grad.contiguous() for name, p in factors.items()}
save_file({**golden, "ids": ids.int(), "logits": logits.detach().contiguous()}, out / "golden.safetensors")
print({name: tuple(p.shape) for name, p in golden.items()})
