"""What a team would write first: grpc.aio, xgboost, shap and SQLite, behind our contract.

    server.py FOLDER --heads 9

The model has the features, heads and trees of the shipped bundle and is fitted at the
start on generated rows. Counts by entity are kept in dictionaries. Every answer has exact
contributions (shap.TreeExplainer) and is in SQLite (WAL, synchronous=FULL) before it leaves.
It has no graph, no impact, no actions and no evidence: it does less than orderlens.
"""

import argparse
import asyncio
import json
import os
import signal
import sqlite3
import time
import uuid
from collections import Counter
from pathlib import Path

import grpc
import numpy as np
import shap
import xgboost as xgb

from orderlens.v1 import decision_service_pb2 as api
from orderlens.v1 import decision_service_pb2_grpc as api_grpc

BUNDLE = Path(__file__).resolve().parents[3] / "models/marketplace/1/manifest.json"
ROWS = 20_000
DEPTH = 6
TOP = 12


def fit(n_heads, folder):
    """One booster per head, as many trees as the shipped head has; kept for the next start."""
    manifest = json.loads(BUNDLE.read_text(encoding="utf-8"))
    names = [feature["id"] for feature in manifest["features"]]
    heads = manifest["heads"][:n_heads]
    dice = np.random.default_rng(8)
    rows = dice.normal(size=(ROWS, len(names))).astype(np.float32)
    boosters = []
    for head in heads:
        path = folder / f"{head['id']}-{head['n_trees']}.ubj"
        booster = xgb.Booster({"nthread": 1})
        if path.exists():
            booster.load_model(path)
        else:
            weights = dice.normal(size=len(names)) * (dice.random(len(names)) < 0.2)
            signs = rows @ weights + dice.normal(size=ROWS) > 1.0
            matrix = xgb.DMatrix(rows, label=signs, feature_names=names)
            settings = {"objective": "binary:logistic", "max_depth": DEPTH, "nthread": 1}
            booster = xgb.train(settings, matrix, num_boost_round=head["n_trees"])
            booster.save_model(path)
        boosters.append((head["id"], booster, shap.TreeExplainer(booster)))
    return names, boosters


class Stack(api_grpc.DecisionServiceServicer):
    def __init__(self, names, boosters, database):
        self.names, self.boosters = names, boosters
        self.counts = Counter()
        self.database = database

    def features(self, order):
        values = np.full((1, len(self.names)), np.nan, dtype=np.float32)
        values[0, 0] = time.time() % 86_400 / 3_600
        values[0, 1] = order.amount.minor_units
        values[0, 2] = order.discount.minor_units
        values[0, 3] = len(order.items)
        for n, entity in enumerate(order.entities):
            key = (entity.kind, entity.id)
            values[0, 4 + n] = self.counts[key]
            self.counts[key] += 1
        for n, value in enumerate(order.attributes.values()):
            values[0, 40 + n] = value.number
        return values

    def decide(self, request):
        order = request.order
        values = self.features(order)
        answer = api.ScoreOrderResponse()
        decision = answer.decision
        decision.decision_id = str(uuid.uuid4())
        decision.request_id = request.request_id or order.key.order_id
        decision.order.CopyFrom(order.key)
        decision.times.event_time.CopyFrom(request.event_time)
        decision.times.received_time.GetCurrentTime()
        for head_id, booster, explainer in self.boosters:
            raw = float(booster.inplace_predict(values, predict_type="margin")[0])
            shares = explainer.shap_values(values)[0]
            risk = decision.risks.add(head_id=head_id, raw_log_odds=raw)
            risk.probability = 1 / (1 + np.exp(-raw))
            risk.base = float(explainer.expected_value)
            largest = np.argsort(-np.abs(shares))[:TOP]
            for at in largest:
                risk.contributions.add(feature=self.names[at], log_odds=float(shares[at]))
            risk.omitted_log_odds = float(shares.sum() - shares[largest].sum())
        record = (decision.decision_id, decision.request_id, answer.SerializeToString())
        self.database.execute("insert into decisions values (?, ?, ?)", record)
        self.database.commit()
        return answer

    async def ScoreOrder(self, request, context):
        return self.decide(request)

    async def ScoreOrders(self, requests, context):
        async for item in requests:
            yield api.ScoreOrdersResponse(item_id=item.item_id, response=self.decide(item.request))


def open_database(folder):
    path = folder / "decisions.sqlite"
    for old in folder.glob("decisions.sqlite*"):
        old.unlink()
    database = sqlite3.connect(path)
    database.execute("pragma journal_mode = wal")
    database.execute("pragma synchronous = full")
    database.execute("create table decisions (id text primary key, request text, answer blob)")
    database.commit()
    return database


async def serve(stack):
    server = grpc.aio.server()
    api_grpc.add_DecisionServiceServicer_to_server(stack, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"listening on http://127.0.0.1:{port}", flush=True)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    await server.stop(1)


def main():
    reader = argparse.ArgumentParser()
    reader.add_argument("folder", type=Path)
    reader.add_argument("--heads", type=int, default=9)
    asked = reader.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    names, boosters = fit(asked.heads, asked.folder)
    os.environ["OMP_NUM_THREADS"] = "1"
    asyncio.run(serve(Stack(names, boosters, open_database(asked.folder))))


if __name__ == "__main__":
    main()
