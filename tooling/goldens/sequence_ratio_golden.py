"""Ratios of Python's difflib.SequenceMatcher, for the tests of packages/evaluation.

    python sequence_ratio_golden.py packages/evaluation/src/metrics/__fixtures__/sequence-ratio.json

Texts of 200 characters and more matter most: there common characters begin no block.
"""

import json
import random
import sys
from difflib import SequenceMatcher

rng = random.Random(7)
words = "the old mill river stood among poplars and no one came to it but owls in autumn 😀 ünder".split()


def text(count):
    return " ".join(rng.choice(words) for _ in range(count))


def changed(original):
    """Some characters left out, doubled or moved."""
    characters = list(original)
    for _ in range(len(characters) // 12):
        place = rng.randrange(len(characters))
        kind = rng.randrange(3)
        if kind == 0:
            del characters[place]
        elif kind == 1:
            characters.insert(place, characters[rng.randrange(len(characters))])
        else:
            characters.append(characters.pop(place))
    return "".join(characters)


pairs = [("", ""), ("", "abc"), ("abc", ""), ("abc", "abc"), ("ab", "ba"), ("aaaa", "aa"), ("x" * 300, "x" * 300)]
pairs += [("x" * 250, "y" + "x" * 250), ("😀é", "e😀")]
for count in (3, 10, 30, 60, 120):
    for _ in range(3):
        original = text(count)
        pairs += [(changed(original), original), (text(count), original), (text(2 * count), original)]
golden = [{"first": a, "second": b, "ratio": SequenceMatcher(None, a, b).ratio()} for a, b in pairs]
with open(sys.argv[1], "w", encoding="utf-8") as file:
    json.dump(golden, file, ensure_ascii=False, indent=1)
    file.write("\n")
