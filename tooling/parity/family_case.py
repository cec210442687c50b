"""What make_ring_fixtures.py and make_transnormer_fixtures.py have in common: prompts, labels and files of a case."""

from __future__ import annotations

import json
import os

import torch
import torch.nn.functional as F
from safetensors.torch import save_file


def draw_prompts(c, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Random token ids, and a mask that is 0 where row b begins with `c.pads[b]` tokens of padding."""
    g = torch.Generator().manual_seed(seed)
    ids = torch.randint(1, c.vocab, (len(c.pads), c.seq), generator=g)
    mask = torch.ones_like(ids)
    for b, n in enumerate(c.pads):
        ids[b, :n], mask[b, :n] = 0, 0
    return ids, mask


def labels_of(c, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    labels = ids.masked_fill(~mask.bool(), -100)
    for b, n in enumerate(c.pads):
        if n:
            labels[b, n] = -100     # the first real token would be predicted from a pad
    return labels


def loss_of(c, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(logits[:, :-1].reshape(-1, c.vocab), labels[:, 1:].reshape(-1), ignore_index=-100)


def save_case(path: str, weights: dict, golden: dict, config: dict) -> int:
    """Writes the three files of a case; their size in bytes."""
    os.makedirs(path, exist_ok=True)
    save_file({k: v.contiguous() for k, v in weights.items()}, os.path.join(path, "model.safetensors"))
    save_file({k: v.detach().contiguous().clone() for k, v in golden.items()}, os.path.join(path, "golden.safetensors"))
    with open(os.path.join(path, "config.json"), "w") as file:
        json.dump(config, file, indent=1, sort_keys=True)
        file.write("\n")
    return sum(os.path.getsize(os.path.join(path, f)) for f in os.listdir(path))
