#!/usr/bin/env python3
"""The peers' side of `cargo xtask compare tables`: well-known learners with their defaults on our columns and our folds.

    pip install scikit-learn lightgbm numpy scipy
    tables.py [--own COLUMN,COLUMN,...] NAME=EXPORT.csv [NAME=EXPORT.csv ...]

Each EXPORT is what `flowgait evaluate --export` wrote for one of our estimators, all with the same folds: the columns (an
empty cell is a missing value), `label`, and for each seed N `fold_N` (empty where a row is only learnt from) and `ours_N`.
The first is the one that is held against the best peer. With `--own`, peers see these columns only: those of the table as it
came, without the ones that we derive from them; LightGBM is then scored with them too, beside the peers.

Every trial (a seed and a fold) is scored alone, by accuracy and by macro-F1 over the classes of the whole table. The best
peer is compared by the corrected resampled t-test (Nadeau and Bengio 2003); where there is one fold only, by McNemar's
exact test over its rows. Prints one line of JSON.
"""
import csv
import json
import re
import statistics
import sys
import warnings

import lightgbm
import numpy as np
from scipy import stats
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.metrics import f1_score
from sklearn.neighbors import KNeighborsClassifier

warnings.filterwarnings("ignore")
NOT_INPUT = re.compile(r"label|(fold|ours)_\d+")
FIRST_PACKETS = re.compile(r"(packet_octets|sizes|size)_[0-9]")


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    return {name: [row[at] for row in rows[1:]] for at, name in enumerate(rows[0])}


def peers(seed):
    return {
        "scikit-learn random forest": RandomForestClassifier(n_jobs=2, random_state=seed),
        "scikit-learn extra-trees": ExtraTreesClassifier(n_jobs=2, random_state=seed),
        "scikit-learn HistGradientBoosting": HistGradientBoostingClassifier(random_state=seed),
        "LightGBM": lightgbm.LGBMClassifier(n_jobs=2, random_state=seed, verbose=-1),
    }


def score(truth, answer, labels):
    f1 = f1_score(truth, answer, labels=labels, average="macro", zero_division=0)
    return float((truth == answer).mean()), float(f1)


def corrected(differences, ratio):
    """Two-sided p of the mean of differences over trials whose test rows are `ratio` of their training rows."""
    n = len(differences)
    mean, variance = statistics.mean(differences), statistics.variance(differences)
    if variance == 0.0:
        return mean, 1.0 if mean == 0.0 else 0.0
    t = mean / ((1.0 / n + ratio) * variance) ** 0.5
    return mean, float(2.0 * stats.t.sf(abs(t), n - 1))


def main():
    arguments = sys.argv[1:]
    own = set(arguments[1].split(",")) if arguments[0] == "--own" else None
    arguments = arguments[2:] if own else arguments
    exports = {name: read(path) for name, path in (each.split("=", 1) for each in arguments)}
    first = next(iter(exports.values()))
    inputs = [name for name in first if not NOT_INPUT.fullmatch(name)]
    derived = [name for name in inputs if own and name not in own]
    x = np.array([[float(c) if c else np.nan for c in first[name]] for name in inputs], dtype=np.float32).T
    everything, x = x, x[:, [at for at, name in enumerate(inputs) if name not in derived]]
    y = np.array(first["label"])
    labels, codes = np.unique(y, return_inverse=True)
    packets = [at for at, name in enumerate(n for n in inputs if n not in derived) if FIRST_PACKETS.fullmatch(name)]
    seeds = sorted(int(name[5:]) for name in first if name.startswith("fold_"))
    scores, answers, ratios = {}, {}, []

    def add(name, truth, answer):
        scores.setdefault(name, []).append(score(truth, answer, labels))
        answers.setdefault(name, []).append(truth == answer)

    for seed in seeds:
        fold = np.array(first[f"fold_{seed}"])
        for held in sorted(set(fold) - {""}):
            test = fold == held
            ratios.append(test.sum() / (~test).sum())
            for name, export in exports.items():
                assert export[f"fold_{seed}"] == first[f"fold_{seed}"], "exports differ in their folds"
                add(name, y[test], np.array(export[f"ours_{seed}"])[test])
            for name, model in peers(seed).items():
                add(name, y[test], labels[model.fit(x[~test], codes[~test]).predict(x[test])])
            if derived:
                model = peers(seed)["LightGBM"].fit(everything[~test], codes[~test])
                add("LightGBM with our derived columns", y[test], labels[model.predict(everything[test])])
            add("majority", y[test], labels[DummyClassifier().fit(x[~test], codes[~test]).predict(x[test])])
            if len(packets) == 10:
                raw = np.nan_to_num(x[:, packets])
                nearest = KNeighborsClassifier(1).fit(raw[~test], codes[~test])
                add("raw nearest neighbour", y[test], labels[nearest.predict(raw[test])])
            print(f"seed {seed}, fold {held}", file=sys.stderr, flush=True)
    spread = lambda values: statistics.stdev(values) if len(values) > 1 else 0.0
    table = {name: [statistics.mean(s[0] for s in of), spread([s[0] for s in of]),
                    statistics.mean(s[1] for s in of), spread([s[1] for s in of])] for name, of in scores.items()}
    ours = next(iter(exports))
    verdicts = {}
    for at, measure in enumerate(["accuracy", "macro_f1"]):
        best = max(peers(0), key=lambda name: table[name][2 * at])
        if len(ratios) > 1:
            differences = [a[at] - b[at] for a, b in zip(scores[ours], scores[best])]
            lead, p = corrected(differences, statistics.mean(ratios))
        else:
            mine, other = answers[ours][0], answers[best][0]
            only = (int((mine & ~other).sum()), int((~mine & other).sum()))
            lead = scores[ours][0][at] - scores[best][0][at]
            p = float(stats.binomtest(only[0], sum(only)).pvalue) if sum(only) else 1.0
            p = p if measure == "accuracy" else None
        verdicts[measure] = {"best_peer": best, "lead": lead, "p": p}
    print(json.dumps({"rows": len(y), "columns": len(inputs) - len(derived), "classes": len(labels), "trials": len(ratios),
                      "scores": table, "against_the_best_peer": verdicts}))


if __name__ == "__main__":
    main()
