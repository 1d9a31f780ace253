#!/usr/bin/env python3
"""scikit-learn's side of `cargo xtask compare folds`: its random forest on our columns and our folds.

    pip install scikit-learn numpy
    folds.py TABLE.csv [--trees 200]

TABLE has one row a flow: the columns of our schema (an empty cell is a missing value), `label`, and for each seed N
`fold_N` (the fold that the row is tested in) and `ours_N` (what our forest answered for the row when its fold was held
out). Both sides are scored by the same code, over the same rows: accuracy, and macro-F1 over the classes that the
whole table has, first within each seed over all its held-out rows, then as mean and standard deviation over seeds.

Prints one line of JSON.
"""
import argparse
import csv
import json
import re
import statistics
import sys
import time

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score

NOT_INPUT = re.compile(r"label|(fold|ours)_\d+")


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    head, rows = rows[0], rows[1:]
    column = {name: [row[at] for row in rows] for at, name in enumerate(head)}
    inputs = [name for name in head if not NOT_INPUT.fullmatch(name)]
    seeds = sorted(int(name[5:]) for name in head if name.startswith("fold_"))
    if "label" not in column or not seeds or not inputs:
        sys.exit(f"{path}: needs input columns, label, fold_0, ours_0, …")
    x = np.array([[float(cell) if cell else np.nan for cell in column[name]] for name in inputs], dtype=np.float32).T
    return x, np.array(column["label"]), column, seeds


def score(truth, answer):
    labels = np.unique(truth)
    f1 = f1_score(truth, answer, labels=labels, average="macro", zero_division=0)
    return float((truth == answer).mean()), float(f1)


def cross_predict(x, y, fold, trees, seed):
    answer = np.empty_like(y)
    for held in np.unique(fold):
        test = fold == held
        forest = RandomForestClassifier(n_estimators=trees, n_jobs=1, random_state=seed)
        answer[test] = forest.fit(x[~test], y[~test]).predict(x[test])
    return answer


def summary(scores):
    accuracy, f1 = zip(*scores)
    spread = lambda values: statistics.stdev(values) if len(values) > 1 else 0.0
    return {"accuracy": statistics.mean(accuracy), "accuracy_sd": spread(accuracy),
            "macro_f1": statistics.mean(f1), "macro_f1_sd": spread(f1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table")
    parser.add_argument("--trees", type=int, default=200)
    arguments = parser.parse_args()
    x, y, column, seeds = read(arguments.table)
    ours, peer = [], []
    begin = time.process_time()
    for seed in seeds:
        peer.append(score(y, cross_predict(x, y, np.array(column[f"fold_{seed}"]), arguments.trees, seed)))
        ours.append(score(y, np.array(column[f"ours_{seed}"])))
    print(json.dumps({"rows": len(y), "columns": x.shape[1], "classes": len(np.unique(y)), "seeds": len(seeds),
                      "trees": arguments.trees, "ours": summary(ours), "scikit_learn": summary(peer),
                      "scikit_learn_cpu_s": round(time.process_time() - begin, 2)}))


if __name__ == "__main__":
    main()
