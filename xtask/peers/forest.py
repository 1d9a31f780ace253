#!/usr/bin/env python3
"""scikit-learn's side of `cargo xtask compare forest`: one made table, and its random forest on it.

    pip install scikit-learn==1.9.1 numpy
    forest.py make TABLE [--rows 100000] [--seed 1]                write the table
    forest.py run TABLE [--trees 20] [--classes 128] [--seed 0]    fit and predict it, one line of JSON

The table: 60 columns, 128 classes of unequal size, as many rows for training as asked for and a fifth of that for
testing. A class is two clusters of 20 informative columns, 20 columns are mixtures of those, 20 are noise; every third
column is rounded to a coarse grid or made heavy-tailed, as sizes, counts and times of flows are. The task with fewer
classes is the label modulo their number. The file: four little-endian u32 (rows for training, for testing, columns,
classes), then the columns as f32, then the labels as u32.

CPU seconds are the process's (user and system, n_jobs=1), so a shared machine does not disturb them.
"""
import argparse
import json
import time

import numpy as np

FEATURES, CLASSES, INFORMATIVE, MIXED = 60, 128, 20, 20


def make(path, rows, seed):
    rng = np.random.default_rng(seed)
    total = rows + rows // 5
    share = 1.0 / (np.arange(CLASSES) + 4.0) ** 0.8
    label = rng.choice(CLASSES, size=total, p=share / share.sum())
    cluster = label * 2 + rng.integers(0, 2, total)
    centre = rng.normal(0.0, 1.5, (2 * CLASSES, INFORMATIVE))
    spread = rng.uniform(0.5, 1.5, (2 * CLASSES, INFORMATIVE))
    x = np.empty((total, FEATURES))
    x[:, :INFORMATIVE] = centre[cluster] + spread[cluster] * rng.normal(size=(total, INFORMATIVE))
    mix = rng.normal(size=(INFORMATIVE, MIXED)) / np.sqrt(INFORMATIVE)
    x[:, INFORMATIVE:INFORMATIVE + MIXED] = x[:, :INFORMATIVE] @ mix
    x[:, INFORMATIVE + MIXED:] = rng.normal(size=(total, FEATURES - INFORMATIVE - MIXED))
    for j in range(0, FEATURES, 3):
        x[:, j] = np.rint(x[:, j] * 4) if j % 2 else np.exp(x[:, j])
    noise = rng.random(total) < 0.01
    label[noise] = rng.integers(0, CLASSES, noise.sum())
    with open(path, "wb") as f:
        np.array([rows, total - rows, FEATURES, CLASSES], "<u4").tofile(f)
        x.T.astype("<f4").tofile(f)
        label.astype("<u4").tofile(f)


def read(path):
    raw = np.fromfile(path, "<u4")
    train, test, features, _ = (int(v) for v in raw[:4])
    rows = train + test
    x = np.ascontiguousarray(raw[4:4 + features * rows].view("<f4").reshape(features, rows).T)
    return x, raw[4 + features * rows:].astype(np.int64), train


def run(path, trees, classes, seed):
    from sklearn.ensemble import RandomForestClassifier

    x, y, train = read(path)
    y %= classes
    forest = RandomForestClassifier(n_estimators=trees, n_jobs=1, random_state=seed)
    begin = time.process_time()
    forest.fit(x[:train], y[:train])
    fit = time.process_time() - begin
    begin = time.process_time()
    p = forest.predict_proba(x[train:])
    predict = time.process_time() - begin
    accuracy = float((p.argmax(1) == y[train:]).mean())
    nodes = sum(e.tree_.node_count for e in forest.estimators_)
    depth = float(np.mean([e.tree_.max_depth for e in forest.estimators_]))
    print(json.dumps({"fit_cpu_s": round(fit, 3), "predict_rows_per_cpu_s": round((len(y) - train) / predict),
                      "accuracy": accuracy, "nodes": nodes, "depth": depth}), flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", choices=["make", "run"])
    p.add_argument("table")
    p.add_argument("--rows", type=int, default=100_000)
    p.add_argument("--trees", type=int, default=20)
    p.add_argument("--classes", type=int, default=CLASSES)
    p.add_argument("--seed", type=int, default=None)
    a = p.parse_args()
    if a.what == "make":
        make(a.table, a.rows, 1 if a.seed is None else a.seed)
    else:
        run(a.table, a.trees, a.classes, a.seed or 0)


if __name__ == "__main__":
    main()
