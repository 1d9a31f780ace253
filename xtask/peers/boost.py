#!/usr/bin/env python3
"""LightGBM's side of `cargo xtask compare boost`: its classifier with default settings on the table of forest.py.

    pip install lightgbm==4.7.0 numpy
    boost.py TABLE [--trees 100] [--classes 6]    fit and predict, one line of JSON

CPU seconds are the process's (user and system, n_jobs=1), so a shared machine does not disturb them.
"""
import argparse
import json
import time

import lightgbm
import numpy as np

import forest


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("table")
    p.add_argument("--trees", type=int, default=100)
    p.add_argument("--classes", type=int, default=6)
    a = p.parse_args()
    x, y, train = forest.read(a.table)
    y %= a.classes
    model = lightgbm.LGBMClassifier(n_estimators=a.trees, n_jobs=1, verbose=-1)
    begin = time.process_time()
    model.fit(x[:train], y[:train])
    fit = time.process_time() - begin
    said = model.predict_proba(x[train:])
    own = np.maximum(said[np.arange(len(said)), y[train:]], 1e-7)
    print(json.dumps({"fit_cpu_s": round(fit, 3), "log_loss": float(-np.log(own).mean()),
                      "accuracy": float((said.argmax(1) == y[train:]).mean())}), flush=True)


if __name__ == "__main__":
    main()
