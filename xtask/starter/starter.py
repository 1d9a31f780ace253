#!/usr/bin/env python3
"""What `cargo xtask starter` needs beside the binary: truth for the shared captures, and an honest judgement of the recipe.

    starter.py truth NDPI_FLOWS.csv TRUTH.csv            nDPI's verdicts as kinds that may be told apart in other captures
    starter.py known FLOWS.csv KNOWN.csv                 the metered flows of those kinds: what the model learns from
    starter.py judge FLOWGAIT FLOWS.csv FOLDER [SEEDS]   five folds by capture; one line of JSON

`judge` asks about every labelled flow of captures that were not learnt from, also those of kinds that the model never
learns (`other`): for each least confidence the share of flows that is answered, and the share of the answers that is right.
"""
import csv
import json
import random
import subprocess
import sys

csv.field_size_limit(1 << 30)
# nDPI's category: ours. Only what was found again in other captures in nDPI's set has a name; the rest is `other`.
KINDS = {
    "Web": "Web", "Cloud": "Web", "SocialNetwork": "Web", "Shopping": "Web", "Advertisement": "Web", "ConnCheck": "Web",
    "VoIP": "VoIP", "Network": "Network", "System": "Network", "RPC": "Network", "IoT-Scada": "Network",
    "Database": "Network",
}
OTHER = "other"
HEADER = [
    "capture", "transport", "source_address", "source_port", "destination_address", "destination_port", "start",
    "application", "category",
]
FOLDS = 5


def usable(row):
    packets = int(row["c2s_pkts"]) + int(row["s2c_pkts"])
    return row["confidence"] == "DPI" and row["category"] and packets >= 2


def truth(flows, path):
    with open(flows, newline="", encoding="utf-8") as file, open(path, "w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(HEADER)
        for row in filter(usable, csv.DictReader(file)):
            ends = [row["ip_a"], row["port_a"], row["ip_b"], row["port_b"]]
            kind = KINDS.get(row["category"], OTHER)
            writer.writerow([row["capture"], row["l4"].lower(), *ends, "", row["app"], kind])


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    return head, rows


def write(path, head, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows])


def known(flows, path):
    head, rows = read(flows)
    kind = head.index("category")
    write(path, head, [row for row in rows if row[kind] and row[kind] != OTHER])


def judge(flowgait, flows, folder, seeds):
    head, rows = read(flows)
    kind, capture = head.index("category"), head.index("capture")
    rows = [row for row in rows if row[kind]]
    captures = sorted({row[capture] for row in rows})
    said = []
    for seed in range(seeds):
        random.Random(seed).shuffle(captures)
        for fold in range(FOLDS):
            held = set(captures[fold::FOLDS])
            learn, ask, answers, model = (f"{folder}/{name}" for name in ["learn.csv", "ask.csv", "answers.csv", "m.fgm"])
            write(learn, head, [row for row in rows if row[capture] not in held and row[kind] != OTHER])
            write(ask, head, [row for row in rows if row[capture] in held])
            fit = [flowgait, "fit", learn, "--label", "category", "--group", "capture", "--estimator", "extra-trees"]
            subprocess.run([*fit, "-o", model], check=True, stderr=subprocess.DEVNULL)
            predict = [flowgait, "predict", "--model", model, ask, "-o", answers, "--proba"]
            subprocess.run(predict, check=True, stderr=subprocess.DEVNULL)
            answered, lines = read(answers)
            label, confidence = answered.index("prediction"), answered.index("confidence")
            said += [(float(line[confidence]), line[kind], line[label]) for line in lines]
    result = {"flows": len(rows), "captures": len(captures), "seeds": seeds, "at": []}
    for least in [0.0, 0.5, 0.6, 0.7, 0.8, 0.9]:
        kept = [(is_, answer) for sure, is_, answer in said if sure >= least]
        of = {}
        for name in sorted(set(KINDS.values())):
            answers = [is_ for is_, answer in kept if answer == name]
            right = sum(is_ == name for is_ in answers)
            of[name] = {"answers": len(answers) // seeds, "right": round(right / max(1, len(answers)), 3)}
        right = sum(is_ == answer for is_, answer in kept)
        result["at"].append({"confidence": least, "answered": round(len(kept) / len(said), 3),
                             "right": round(right / max(1, len(kept)), 3), "of": of})
    print(json.dumps(result))


def main():
    what, *rest = sys.argv[1:]
    if what == "judge":
        flowgait, flows, folder, *seeds = rest
        judge(flowgait, flows, folder, int(seeds[0]) if seeds else 3)
    else:
        {"truth": truth, "known": known}[what](*rest)


if __name__ == "__main__":
    main()
