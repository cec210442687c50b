"""Values of GLUE's and SuperGLUE's metrics by scikit-learn and scipy, for the tests of packages/evaluation.

    pip install scikit-learn scipy
    python metrics_golden.py packages/evaluation/src/metrics/__fixtures__/golden.json

ReCoRD's overlap has no library; it is written here as SQuAD's evaluation is described (lower case,
no punctuation, no articles, words compared as bags), on Python's own strings.
"""

import collections
import json
import math
import random
import re
import string
import sys
import warnings

import numpy as np
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

warnings.filterwarnings("ignore")
rng = random.Random(7)


def number(value):
    value = float(value)
    return None if math.isnan(value) else value


def classification(name, labels, predictions):
    binary = f1_score(labels, predictions, labels=[1], average="macro", zero_division=0)
    return {
        "name": name,
        "labels": labels,
        "predictions": predictions,
        "accuracy": accuracy_score(labels, predictions),
        "f1": number(binary),
        "macroF1": number(f1_score(labels, predictions, average="macro", zero_division=0)),
        "matthews": number(matthews_corrcoef(labels, predictions)),
    }


def classifications():
    yield classification("all right", [0, 1, 1, 0], [0, 1, 1, 0])
    yield classification("all wrong", [0, 1, 1, 0], [1, 0, 0, 1])
    yield classification("one class labelled", [1, 1, 1], [1, 0, 1])
    yield classification("one class predicted", [0, 1, 1], [1, 1, 1])
    yield classification("one class only, the first", [0, 0, 0], [0, 0, 0])
    yield classification("one class only, the second", [1, 1], [1, 1])
    yield classification("labelled one, predicted the other", [0, 0], [1, 1])
    yield classification("a single one", [1], [0])
    yield classification("no positive labelled, one predicted", [0, 0, 0], [0, 1, 0])
    yield classification("three classes, one never labelled", [0, 1, 1, 0], [0, 1, 2, 2])
    yield classification("three classes, one never predicted", [0, 1, 2, 2, 1], [0, 1, 1, 0, 1])
    yield classification("three classes, all right", [0, 1, 2], [0, 1, 2])
    for count, classes in [(20, 2), (50, 3), (200, 2), (56, 3), (100, 5)]:
        labels = [rng.randrange(classes) for _ in range(count)]
        predictions = [l if rng.random() < 0.6 else rng.randrange(classes) for l in labels]
        yield classification(f"{count} random of {classes} classes", labels, predictions)
    labels = [int(rng.random() < 0.95) for _ in range(300)]
    yield classification("one class rare", labels, [int(rng.random() < 0.9) for _ in labels])


def correlation(name, scores, predictions):
    return {
        "name": name,
        "scores": scores,
        "predictions": predictions,
        "pearson": number(pearsonr(scores, predictions)[0]) if len(scores) > 1 else None,
        "spearman": number(spearmanr(scores, predictions)[0]) if len(scores) > 1 else None,
    }


def correlations():
    yield correlation("the same", [1, 2, 3], [1, 2, 3])
    yield correlation("reversed", [1, 2, 3], [3, 2, 1])
    yield correlation("monotone, not linear", [1, 2, 3, 4], [1, 8, 27, 64])
    yield correlation("ties on one side", [1, 2, 2, 3, 5], [1, 2, 3, 4, 5])
    yield correlation("ties on both sides", [0, 0, 5, 5, 2.5, 2.5], [1, 1, 1, 4, 4, 2])
    yield correlation("scores constant", [2, 2, 2], [1, 2, 3])
    yield correlation("predictions constant", [1, 2, 3], [4, 4, 4])
    yield correlation("both constant", [0, 0], [0, 0])
    yield correlation("two", [0, 5], [0.1, 0.2])
    yield correlation("large numbers", [1e200, 2e200, 4e200], [1.0, 2.0, 3.0])
    yield correlation("uncorrelated", [1, 2, 3, 4], [1, -1, -1, 1])
    for count in [10, 100, 500]:
        scores = [round(rng.uniform(0, 5) * 5) / 5 for _ in range(count)]
        yield correlation(f"{count} with ties", scores, [round(s + rng.gauss(0, 1), 1) for s in scores])
        yield correlation(f"{count} without", scores, [s + rng.gauss(0, 1) for s in scores])


def groups(name, answers):
    """MultiRC: F1 over all answers by scikit-learn, exact match by numpy over each question."""
    labels = [a["label"] for a in answers]
    predictions = [a["prediction"] for a in answers]
    right = np.array(labels) == np.array(predictions)
    names = np.array([a["group"] for a in answers])
    exact = np.mean([right[names == group].all() for group in np.unique(names)])
    f1a = f1_score(labels, predictions, labels=[1], average="macro", zero_division=0)
    return {"name": name, "answers": answers, "f1a": number(f1a), "exactMatch": number(exact)}


def answer(group, label, prediction):
    return {"group": group, "label": label, "prediction": prediction}


def multirc():
    yield groups("one question, right", [answer("0-0", 1, 1), answer("0-0", 0, 0)])
    yield groups("one question, half right", [answer("0-0", 1, 1), answer("0-0", 0, 1)])
    yield groups("nothing right labelled", [answer("0-0", 0, 0), answer("0-1", 0, 1)])
    yield groups("nothing predicted", [answer("0-0", 1, 0), answer("0-1", 0, 0)])
    yield groups("same question number, other paragraph", [answer("0-1", 1, 1), answer("1-1", 1, 0)])
    many = [
        answer(f"{p}-{q}", label := rng.randrange(2), label if rng.random() < 0.8 else 1 - label)
        for p in range(6) for q in range(4) for _ in range(rng.randrange(1, 6))
    ]
    rng.shuffle(many)
    yield groups("many, mixed up", many)


def normalised(text):
    text = "".join(ch for ch in text.lower() if ch not in set(string.punctuation))
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def token_f1(prediction, gold):
    found, expected = normalised(prediction), normalised(gold)
    shared = sum((collections.Counter(found) & collections.Counter(expected)).values())
    if shared == 0:
        return 0.0
    precision, recall = shared / len(found), shared / len(expected)
    return 2 * precision * recall / (precision + recall)


def overlap(name, answers, prediction):
    return {
        "name": name,
        "answers": answers,
        "prediction": prediction,
        "f1": max(token_f1(prediction, gold) for gold in answers),
        "exactMatch": float(any(normalised(prediction) == normalised(gold) for gold in answers)),
    }


def overlaps():
    yield overlap("the same", ["Marie Curie"], "Marie Curie")
    yield overlap("case, punctuation, article", ["the U.S. Senate"], "US senate!")
    yield overlap("part", ["Marie Curie"], "Curie")
    yield overlap("best of several", ["Paris", "the city of Paris"], "city of Paris")
    yield overlap("nothing shared", ["Rome"], "Paris")
    yield overlap("empty answer", ["Rome"], "")
    yield overlap("both empty", [""], "")
    yield overlap("both only an article", ["the"], "a.")
    yield overlap("repeated word", ["New New York"], "new york york new york")
    yield overlap("article inside a word", ["Athens"], "An Athens")
    yield overlap("hyphen joins", ["Jean-Luc"], "jeanluc")
    yield overlap("letters of other scripts beside an article", ["Éa the é"], "éa é")
    yield overlap("accent before an article's letter", ["éa"], "é a")
    yield overlap("typographic quotes stay", ["“Rome”"], "Rome")
    yield overlap("odd spaces", ["New\u00a0York\u2003City"], "new york\tcity")
    yield overlap("separators and a zero width space", ["a\u001cb\u0085c\u200bd"], "b c\u200bd")
    yield overlap("digits and underscore", ["a_b 1a a1"], "ab 1a a1")


golden = {
    "classification": list(classifications()),
    "correlation": list(correlations()),
    "multirc": list(multirc()),
    "overlap": list(overlaps()),
}
with open(sys.argv[1], "w", encoding="utf-8") as file:
    json.dump(golden, file, ensure_ascii=True, indent=1)
    file.write("\n")
