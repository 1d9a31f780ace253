#!/usr/bin/env python3
"""Flower's side of `cargo xtask compare flower`: rounds of its simulation, and the rows that both sides learn from.

    pip install "flwr[simulation]" torch numpy
    flower.py make FOLDER                                           write the rows: learnt.csv, asked.csv, rows.npz
    flower.py run FOLDER --rounds 13 [--steps 8] [--threads 2]      a federation, one line of JSON
    flower.py judge FOLDER ANSWERS                                  how much of somebody's answers to asked.csv is right

The rows: 100 clients of 256 rows, 64 columns on one scale, 20 classes of two clusters each; and 5,120 rows of nobody's to be asked about. A
round is FedAvg of everyone. With 0 steps a client gives back the message's own arrays, which it does not even unpack. Otherwise it makes
steps of SGD at rate 0.1 on 32 rows of its own, its rows in a new order each round; nobody judges between rounds. The perceptron is kept in a
process, and its parameters put in, so that no client pays for making one.

CPU seconds are those of this process and all below it, which Ray starts, read from /proc when the last round is over; the clock is started
when the program is. Ray takes a processor for each client at work (Flower's own setting for small ones).
"""
import argparse
import csv
import functools
import json
import os
import sys
import time

BEGIN = time.time()
os.environ["FLWR_TELEMETRY_ENABLED"] = "0"
# Where Flower keeps a file of its own; not in the home of who compares.
os.environ["FLWR_HOME"] = os.path.join(sys.prefix, "flwr")
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import ServerApp
from flwr.serverapp.strategy import FedAvg

CLIENTS, ROWS, ASKED, COLUMNS, CLASSES = 100, 256, 5120, 64, 20
HIDDEN, BATCH, RATE = (128, 72), 32, 0.1


def make(folder):
    rng = np.random.default_rng(1)
    total = CLIENTS * ROWS + ASKED
    y = rng.integers(0, CLASSES, total)
    centre = rng.normal(0.0, 0.7, (2 * CLASSES, COLUMNS))
    x = centre[2 * y + rng.integers(0, 2, total)] + rng.normal(size=(total, COLUMNS))
    learnt = CLIENTS * ROWS
    x = ((x - x[:learnt].mean(0)) / x[:learnt].std(0)).round(4).astype(np.float32)
    np.savez(os.path.join(folder, "rows.npz"), x=x, y=y)
    names = [f"c{at}" for at in range(COLUMNS)]
    for name, rows in [("learnt.csv", range(learnt)), ("asked.csv", range(learnt, total))]:
        with open(os.path.join(folder, name), "w", newline="") as file:
            out = csv.writer(file)
            out.writerow(["client", *names, "label"])
            for row in rows:
                out.writerow([f"client {row // ROWS}", *(f"{v:.4f}" for v in x[row]), f"class {y[row]:02}"])


@functools.cache
def rows(folder):
    import torch

    table = np.load(os.path.join(folder, "rows.npz"))
    return torch.from_numpy(table["x"]), torch.from_numpy(table["y"])


@functools.cache
def net():
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(1)
    first, second = HIDDEN
    model = torch.nn.Sequential(
        torch.nn.Linear(COLUMNS, first), torch.nn.ReLU(), torch.nn.Linear(first, second), torch.nn.ReLU(),
        torch.nn.Linear(second, CLASSES))
    # Begun as ours is: within the root of 6 / inputs before a ReLU, of 1 / inputs at the end, no bias.
    for at, size in [(0, (6 / COLUMNS) ** 0.5), (2, (6 / first) ** 0.5), (4, second ** -0.5)]:
        torch.nn.init.uniform_(model[at].weight, -size, size)
        torch.nn.init.zeros_(model[at].bias)
    return model


client = ClientApp()


@client.train()
def train(message, context):
    arrays, config = message.content["arrays"], message.content["config"]
    if config["steps"]:
        arrays = learn(arrays, config, context.node_config["partition-id"])
    metrics = MetricRecord({"num-examples": ROWS})
    return Message(content=RecordDict({"arrays": arrays, "metrics": metrics}), reply_to=message)


def learn(arrays, config, own):
    import torch

    x, y = rows(config["folder"])
    x, y = x[own * ROWS:(own + 1) * ROWS], y[own * ROWS:(own + 1) * ROWS]
    model = net()
    model.load_state_dict(arrays.to_torch_state_dict())
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    loss = torch.nn.CrossEntropyLoss()
    order = torch.randperm(ROWS, generator=torch.Generator().manual_seed(config["server-round"] * CLIENTS + own))
    for step in range(config["steps"]):
        at = step * BATCH % ROWS
        batch = order[at:at + BATCH]
        optimizer.zero_grad()
        loss(model(x[batch]), y[batch]).backward()
        optimizer.step()
    return ArrayRecord(model.state_dict())


def cpu_seconds():
    """User and system time of this process, of all below it, and of those of them that are gone and were waited for."""
    ticks, parents = {}, {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        parents[int(entry)] = int(fields[1])
        ticks[int(entry)] = sum(map(int, fields[11:15]))

    def is_ours(process):
        while process not in (0, os.getpid()):
            process = parents.get(process, 0)
        return process != 0

    return sum(ticks[process] for process in ticks if is_ours(process)) / os.sysconf("SC_CLK_TCK")


def run(folder, rounds_count, steps, threads):
    import torch
    from flwr.simulation import run_simulation

    server, figures = ServerApp(), {}

    @server.main()
    def main(grid, context):
        strategy = FedAvg(fraction_train=1.0, fraction_evaluate=0.0, min_train_nodes=CLIENTS, min_available_nodes=CLIENTS)
        config = ConfigRecord({"steps": steps, "folder": folder})
        result = strategy.start(
            grid=grid, initial_arrays=ArrayRecord(net().state_dict()), num_rounds=rounds_count, train_config=config)
        figures.update(cpu_s=round(cpu_seconds(), 2), wall_s=round(time.time() - BEGIN, 3))
        x, y = rows(folder)
        model = net()
        model.load_state_dict(result.arrays.to_torch_state_dict())
        with torch.no_grad():
            said = model(x[CLIENTS * ROWS:]).argmax(1)
        figures.update(accuracy=round(float((said == y[CLIENTS * ROWS:]).double().mean()), 4),
                       parameters=sum(part.numel() for part in model.parameters()),
                       answered=len(result.train_metrics_clientapp))

    # By its module's name, so that a process of Ray's reads the rows once and not for each message.
    import flower
    # Ray talks on standard output; of ours there is one line.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    backend = {"init_args": {"num_cpus": threads, "include_dashboard": False}, "client_resources": {"num_cpus": 1, "num_gpus": 0.0}}
    run_simulation(server_app=server, client_app=flower.client, num_supernodes=CLIENTS, backend_config=backend)
    if figures.get("answered") != rounds_count:
        sys.exit(f"Flower ran {figures.get('answered', 0)} of {rounds_count} rounds")
    print(json.dumps(figures), file=out, flush=True)


def judge(folder, answers):
    with open(os.path.join(folder, "asked.csv")) as file:
        truth = [row["label"] for row in csv.DictReader(file)]
    with open(answers) as file:
        said = [row["prediction"] for row in csv.DictReader(file)]
    right = sum(map(str.__eq__, truth, said))
    print(json.dumps({"accuracy": round(right / len(truth), 4)}) if len(said) == len(truth) else "null")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", choices=["make", "run", "judge"])
    p.add_argument("folder")
    p.add_argument("answers", nargs="?")
    p.add_argument("--rounds", type=int, default=13)
    p.add_argument("--steps", type=int, default=8)
    p.add_argument("--threads", type=int, default=2)
    a = p.parse_args()
    if a.what == "make":
        make(a.folder)
    elif a.what == "judge":
        judge(a.folder, a.answers)
    else:
        run(os.path.abspath(a.folder), a.rounds, a.steps, a.threads)


if __name__ == "__main__":
    main()
