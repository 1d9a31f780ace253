#!/usr/bin/env python3
"""PyTorch's side of `cargo xtask compare net`: the same layers on the flows that the example net_speed wrote.

    pip install torch numpy
    net.py TABLE [--epochs 5] [--threads 1]    fit and answer, one line of JSON

Layers, batch, optimizer, rate and its fall along a cosine are those of flowgait_model::net; inputs are put on the same scale before the time
is taken. CPU seconds are the process's, so a shared machine does not disturb them.
"""
import argparse
import json
import math
import time

import numpy as np
import torch
import torch.nn.functional as F

PACKETS, WIDTH, HIDDEN, CLASSES, BATCH = 30, 32, 128, 6, 128


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        conv = lambda inputs, kernel: torch.nn.Conv1d(inputs, WIDTH, kernel, padding=kernel // 2)
        self.stem = conv(3, 5)
        self.inner = torch.nn.ModuleList(conv(WIDTH, 3) for _ in range(3))
        self.outer = torch.nn.ModuleList(conv(WIDTH, 3) for _ in range(3))
        for block in self.outer:
            torch.nn.init.zeros_(block.weight)
        self.hidden = torch.nn.Linear(8 * WIDTH, HIDDEN)
        self.last = torch.nn.Linear(HIDDEN, CLASSES)

    def forward(self, x):
        x = F.relu(self.stem(x))
        for at, (inner, outer) in enumerate(zip(self.inner, self.outer)):
            x = F.relu(x + outer(F.relu(inner(x))))
            if at < 2:
                x = F.max_pool1d(x, 2, 2, ceil_mode=True)
        x = F.dropout(F.relu(self.hidden(x.flatten(1))), 0.2, self.training)
        return self.last(x)


def read(path):
    octets = open(path, "rb").read()
    rows, columns = np.frombuffer(octets, "<u4", 2)
    x = np.frombuffer(octets, "<f4", rows * columns, 8).reshape(2, PACKETS, rows).transpose(2, 0, 1)
    y = np.frombuffer(octets, "<u4", rows, 8 + 4 * rows * columns).astype(np.int64)
    known = ~np.isnan(x[:, :1])
    scale = lambda values: (values - np.nanmean(values)) / np.nanstd(values)
    x = np.concatenate([scale(x[:, :1]), scale(np.log1p(x[:, 1:])), known], 1)
    return torch.from_numpy(np.nan_to_num(x).astype(np.float32)), torch.from_numpy(y)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("table")
    p.add_argument("--epochs", type=int, default=5)
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(a.threads)
    x, y = read(a.table)
    train = len(x) * 5 // 6
    net = Net()
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3)
    steps = a.epochs * math.ceil(train / BATCH)
    fall = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: 0.5 * (1 + math.cos(math.pi * k / steps)))
    begin = time.process_time()
    for _ in range(a.epochs):
        for rows in torch.randperm(train).split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(net(x[rows]), y[rows]).backward()
            optimizer.step()
            fall.step()
    fit = time.process_time() - begin
    net.eval()
    begin = time.process_time()
    with torch.no_grad():
        said = torch.cat([net(part) for part in x[train:].split(256)])
    predict = time.process_time() - begin
    print(json.dumps({
        "epoch_cpu_s": round(fit / a.epochs, 4), "row_micros": round(fit * 1e6 / (a.epochs * train), 2),
        "predict_rows_per_cpu_s": round((len(x) - train) / predict),
        "parameters": sum(part.numel() for part in net.parameters()),
        "accuracy": round(float((said.argmax(1) == y[train:]).double().mean()), 4)}), flush=True)


if __name__ == "__main__":
    main()
