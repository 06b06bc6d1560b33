"""Reads runs back from a tracking server of MLflow with its own client, as JSON."""

import json
import sys

from mlflow.tracking import MlflowClient

uri, what = sys.argv[1:]
client = MlflowClient(uri)


def read(run_id):
    run = client.get_run(run_id)
    with open(client.download_artifacts(run_id, "emissions.csv"), encoding="utf-8") as file:
        table = file.read()
    return {
        "status": run.info.status,
        "name": run.info.run_name,
        "experiment": client.get_experiment(run.info.experiment_id).name,
        "params": run.data.params,
        "tags": run.data.tags,
        "metrics": {
            key: [[point.step, point.value] for point in client.get_metric_history(run_id, key)]
            for key in run.data.metrics
        },
        "artifacts": sorted(file.path for file in client.list_artifacts(run_id)),
        "emissions_csv": table,
    }


def newest(name):
    experiment = client.get_experiment_by_name(name)
    found = client.search_runs([experiment.experiment_id], order_by=["start_time DESC"])
    return found[0].info.run_id


def warm_up():
    """A server loads most of itself when it is first asked for something."""
    run_id = client.create_run(client.create_experiment("warm up")).info.run_id
    client.log_metric(run_id, "a", 1)
    client.log_param(run_id, "a", 1)
    client.set_tag(run_id, "a", 1)
    client.log_text(run_id, "a", "a.txt")
    client.set_terminated(run_id)


kind, _, name = what.partition(":")
if kind == "warm up":
    warm_up()
elif kind == "create":
    print(json.dumps(client.create_run("0").info.run_id))
elif kind == "newest":
    print(json.dumps(read(newest(name))))
elif kind == "below":
    below = client.search_runs(["0"], f"tags.mlflow.parentRunId = '{name}'")
    print(json.dumps([read(run.info.run_id) for run in below]))
else:
    print(json.dumps(read(name)))
