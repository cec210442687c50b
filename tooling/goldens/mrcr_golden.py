"""A tiny file in the layout of OpenAI's MRCR, as pyarrow writes it, for the tests of packages/evaluation.

    pip install pyarrow
    python mrcr_golden.py packages/evaluation/src/context/__fixtures__/mrcr

Writes `.parquet`, `.jsonl` with the same rows, and `.grades.json`: what the official grade, as its page
describes it, gives some replies.
"""

import json
import sys
from difflib import SequenceMatcher

import pyarrow
import pyarrow.parquet

forms = ["poem about tapirs", "poem about frogs", "story about tapirs"]


def written(form, number):
    return f"{form.capitalize()}, number {number}: the {form.split()[-1]} rest by the water at noon. " * 3


def row(prefix, wanted, requests):
    messages = []
    for number, form in enumerate(requests):
        messages.append({"role": "user", "content": f"write a {form}"})
        messages.append({"role": "assistant", "content": written(form, number)})
    places = [number for number, form in enumerate(requests) if form == forms[0]]
    place = places[wanted - 1]
    ordinal = {1: "1st", 2: "2nd", 3: "3rd"}[wanted]
    messages.append(
        {"role": "user", "content": f"Prepend {prefix} to the {ordinal} (1 indexed) {forms[0]}."}
    )
    prompt = json.dumps(messages)
    return {
        "prompt": prompt,
        "answer": prefix + written(forms[0], place),
        "random_string_to_prepend": prefix,
        "n_needles": len(places),
        "desired_msg_index": 2 * place,
        "total_messages": len(messages),
        "n_chars": sum(len(message["content"]) for message in messages),
    }


def grade(reply, answer, prefix):
    if not reply.startswith(prefix):
        return 0
    return SequenceMatcher(None, reply.removeprefix(prefix), answer.removeprefix(prefix)).ratio()


a, b, c = forms
rows = [
    row("aB3dE6gH9j", 2, [a, b, c, a]),
    row("kL1mN2oP3q", 1, [b, a, a, c, b, c, a, b, c, b]),
    row("rS4tU5vW6x", 3, [c, b, a] * 12),
]
path = sys.argv[1]
pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), f"{path}.parquet", row_group_size=2)
with open(f"{path}.jsonl", "w") as file:
    file.writelines(json.dumps(each) + "\n" for each in rows)
grades = []
for number, each in enumerate(rows):
    answer, prefix = each["answer"], each["random_string_to_prepend"]
    others = [prefix + written(a, 2), answer[:60], answer[len(prefix):], prefix, answer.upper(), answer]
    grades += [{"row": number, "reply": reply, "grade": grade(reply, answer, prefix)} for reply in others]
with open(f"{path}.grades.json", "w") as file:
    json.dump(grades, file, indent=1)
    file.write("\n")
