#!/usr/bin/env python3
"""The peer of `cargo xtask compare celery`: a service of FastAPI, Celery and Redis, and the rows that both sides learn from.

    pip install fastapi python-multipart "uvicorn[standard]" "celery[redis]" scikit-learn pandas
    celery_service.py make FOLDER                          write the rows: learnt.csv, asked.csv, truth.csv
    celery_service.py fit FOLDER                           learn the forest, write forest.joblib, one line of JSON
    python -m uvicorn celery_service:api                   the API
    python -m celery --app celery_service worker           the worker
    celery_service.py empty --jobs 3000                    queue jobs of nothing, then have them done, one line of JSON

The API, the worker and `empty` read FOLDER and REDIS (`redis://127.0.0.1:6379`) from the environment.

The service is the classical one: the API parses the table that was uploaded and puts all of it, as JSON, into the queue; the worker, which
has loaded a random forest once, reads it and answers a label a row; the API gives the answer to whoever asks for it by the job's id. What can
be had for a word is had: JSON by columns and rows (`split`, a fraction of the cost of a list of records), uvloop and httptools, logs of
warnings only, and one thread for a forest (more cost more, and a worker has two processes).

The rows: 60 columns as forest.py makes them, and its classes modulo 20; 20,000 to learn from, 10,000 to ask about.

`empty` stops the worker from taking jobs, queues them, and lets it go; a job is done when its result is in Redis. It tells its own CPU
seconds, which are what sending costs the API, and how long sending and working took.
"""
import argparse
import csv
import io
import json
import os
import sys
import time
from importlib import metadata

from celery import Celery
from celery.signals import worker_process_init

FOLDER, REDIS = os.environ.get("FOLDER", "."), os.environ.get("REDIS", "redis://127.0.0.1:6379")
LEARNT, ASKED, CLASSES, TREES = 20_000, 10_000, 20, 200

app = Celery("celery_service", broker=f"{REDIS}/0", backend=f"{REDIS}/1")
forest = None


@worker_process_init.connect
def load(**_):
    import joblib

    global forest
    forest = joblib.load(os.path.join(FOLDER, "forest.joblib"))


@app.task(name="predict")
def predict(text):
    import pandas as pd

    table = pd.read_json(io.StringIO(text), orient="split")
    return forest.predict(table).tolist()


@app.task(name="nothing")
def nothing():
    pass


def make_api():
    import pandas as pd
    from celery.result import AsyncResult
    from fastapi import FastAPI, HTTPException, UploadFile

    api = FastAPI()

    @api.post("/predict/{task_type}")
    async def submit(task_type: str, file: UploadFile):
        if task_type != "app":
            raise HTTPException(404, "no such task")
        table = pd.read_csv(file.file)
        return {"task_id": predict.delay(table.to_json(orient="split")).id}

    @api.get("/result/{task_id}")
    async def result(task_id: str):
        job = AsyncResult(task_id, app=app)
        state = job.state
        if state == "SUCCESS":
            return {"status": state, "predictions": job.result}
        return {"status": state}

    return api


def make(folder):
    import forest as rows

    path = os.path.join(folder, "rows.table")
    total = LEARNT + ASKED
    rows.make(path, total * 5 // 6, seed=1)  # and a fifth of that
    x, y, _ = rows.read(path)
    os.remove(path)
    names = [f"c{at:02}" for at in range(x.shape[1])]
    labels = [f"class {label % CLASSES:02}" for label in y]
    for name, span in [("learnt.csv", range(LEARNT)), ("asked.csv", range(LEARNT, total))]:
        learnt = name == "learnt.csv"
        with open(os.path.join(folder, name), "w", newline="") as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow(names + ["label"] * learnt)
            for row in span:
                out.writerow([f"{value:.4f}" for value in x[row]] + [labels[row]] * learnt)
    with open(os.path.join(folder, "truth.csv"), "w") as file:
        file.writelines(f"{label}\n" for label in ["label", *labels[LEARNT:]])


def fit(folder):
    import joblib
    import pandas as pd
    from sklearn.ensemble import RandomForestClassifier

    table = pd.read_csv(os.path.join(folder, "learnt.csv"))
    label = table.pop("label")
    begin = time.process_time()
    model = RandomForestClassifier(TREES, class_weight="balanced", random_state=1, n_jobs=-1).fit(table, label)
    model.set_params(n_jobs=None)
    path = os.path.join(folder, "forest.joblib")
    joblib.dump(model, path)
    packages = ["fastapi", "uvicorn", "celery", "redis", "scikit-learn", "pandas"]
    print(json.dumps({
        "fit_cpu_s": round(time.process_time() - begin, 1),
        "depth": sum(tree.get_depth() for tree in model.estimators_) / TREES,
        "nodes": sum(tree.tree_.node_count for tree in model.estimators_),
        "octets": os.path.getsize(path),
        "packages": {name: metadata.version(name) for name in packages},
    }))


def empty(jobs):
    from redis import Redis

    results = Redis.from_url(f"{REDIS}/1")
    results.flushdb()
    queue = app.conf.task_default_queue
    app.control.cancel_consumer(queue, reply=True, limit=1, timeout=10)
    cpu, sent_at = time.process_time(), time.perf_counter()
    for _ in range(jobs):
        nothing.delay()
    cpu, queued_at = time.process_time() - cpu, time.perf_counter()
    queued = Redis.from_url(f"{REDIS}/0").llen(queue)
    app.control.add_consumer(queue)
    until = time.perf_counter() + 300
    while (done := results.dbsize()) < jobs:
        if time.perf_counter() > until:
            sys.exit(f"{done} of {jobs} jobs were done in five minutes")
        time.sleep(0.02)
    ended_at = time.perf_counter()
    print(json.dumps({
        "sender_cpu_s": round(cpu, 3), "sending_s": round(queued_at - sent_at, 3), "queued": queued,
        "working_s": round(ended_at - queued_at, 3),
    }))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", choices=["make", "fit", "empty"])
    p.add_argument("folder", nargs="?", default=FOLDER)
    p.add_argument("--jobs", type=int, default=3000)
    a = p.parse_args()
    if a.what == "make":
        make(a.folder)
    elif a.what == "fit":
        fit(a.folder)
    else:
        empty(a.jobs)


def __getattr__(name):
    # Made when uvicorn asks for it, so that a worker loads no API.
    if name == "api":
        return make_api()
    raise AttributeError(name)


if __name__ == "__main__":
    main()
