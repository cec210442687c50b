"""Token ids by the Python package `tokenizers`, for the tests of packages/tokenizer.

    pip install tokenizers jinja2
    python tokenizer_golden.py SPARK_TOKENIZER_JSON M1_MERGES M1_TOKENIZER_CONFIG OUTPUT_DIRECTORY

Writes tokenizer.json (spark's), m1-merges.txt (the merges that the sample needs), golden.json.
"""

import json
import sys
from pathlib import Path

from jinja2 import Environment
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def gpt2_bytes():
    keep = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [b for b in range(256) if b not in keep]
    return [chr(b) for b in keep] + [chr(256 + i) for i in range(len(rest))]


def from_merges(lines):
    merges = [tuple(line.split(" ")) for line in lines]
    tokens = gpt2_bytes() + [a + b for a, b in merges]
    tokenizer = Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(GPT2), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def needed(lines, texts):
    """Merges that can ever apply within the texts: both parts and the result occur in them."""
    words = set()
    split = from_merges([]).pre_tokenizer
    for text in texts:
        words.update(piece for piece, _ in split.pre_tokenize_str(text))
    every = "\n".join(words)
    return [line for line in lines if line.replace(" ", "") in every]


def main(spark, merges, config, output):
    output = Path(output)
    sample = (Path(__file__).parent / "sample.txt").read_text(encoding="utf-8")
    texts = [*sample.split("\n"), sample]
    published = [l for l in Path(merges).read_text(encoding="utf-8").split("\n") if l and not l.startswith("#version")]
    full = from_merges(published)
    reduced_lines = needed(published, texts)
    reduced = from_merges(reduced_lines)
    for text in texts:
        assert reduced.encode(text).tokens == full.encode(text).tokens, text
    own = Tokenizer.from_file(spark)
    template = json.loads(Path(config).read_text())["chat_template"]
    part = lambda text: [{"type": "text", "text": text}]
    chats = [
        {"messages": [{"role": "user", "content": part("Hi ⚡")}], "add_generation_prompt": True},
        {
            "messages": [
                {"role": "system", "content": part("Be brief.")},
                {"role": "user", "content": part("1+1?")},
                {"role": "assistant", "content": part("2")},
                {"role": "user", "content": part("And \"2+2\"?")},
            ],
            "tools": [{"name": "add", "description": "adds", "parameters": {"type": "object", "properties": {}}}],
            "add_generation_prompt": False,
        },
        {
            "messages": [
                {"role": "user", "content": part("Weather?")},
                {"role": "tool", "content": [{"type": "text", "name": "get_weather", "text": "sunny"}]},
            ],
            "add_generation_prompt": True,
        },
    ]
    environment = Environment()
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "sort_keys": False}
    environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    for chat in chats:
        chat["rendered"] = environment.from_string(template).render(**chat)
    golden = {
        "texts": texts,
        "spark": [own.encode(text).ids for text in texts],
        "m1": [reduced.encode(text).ids for text in texts],
        "chats": chats,
    }
    (output / "tokenizer.json").write_text(Path(spark).read_text())
    (output / "m1-merges.txt").write_text("\n".join(reduced_lines) + "\n", encoding="utf-8")
    (output / "golden.json").write_text(json.dumps(golden, ensure_ascii=False))


main(*sys.argv[1:])
