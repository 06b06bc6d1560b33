"""The other side of the test: the real Python CodeCarbon writes a row, pandas reads a file.

python python_codecarbon.py write FOLDER NAME append|update PROJECT RUN_ID DURATION
python python_codecarbon.py read FILE          prints {"columns": [...], "rows": [{...}]}, nothing as null
python python_codecarbon.py versions
python python_codecarbon.py metrics           prints {"metrics": [[name, kind], ...], "labels": [...]} of its Prometheus output
"""

import json
import sys

import codecarbon
import pandas as pd
from codecarbon.output_methods.emissions_data import EmissionsData
from codecarbon.output_methods.file import FileOutput

KNOWN = {
    "timestamp": "2026-08-08T12:00:00",
    "experiment_id": "e",
    "country_name": "France",
    "country_iso_code": "FRA",
    "os": "Linux, with a comma",
    "python_version": "3.11.7",
    "codecarbon_version": codecarbon.__version__,
    "cpu_model": 'a "quoted" model',
    "tracking_mode": "machine",
    "on_cloud": "N",
}
# What is None in Python's record of an offline run on a machine without a graphics processor.
UNKNOWN = {"region", "cloud_provider", "cloud_region", "gpu_model", "longitude", "latitude"}


def record(project, run_id, duration):
    values = {}
    for name in EmissionsData.__dataclass_fields__:
        values[name] = None if name in UNKNOWN else KNOWN.get(name, 0.5)
    values.update(project_name=project, run_id=run_id, duration=float(duration))
    return EmissionsData(**values)


def write(folder, name, mode, project, run_id, duration):
    data = record(project, run_id, duration)
    FileOutput(name, folder, mode).out(data, data)


def read(path):
    frame = pd.read_csv(path)
    rows = json.loads(frame.to_json(orient="records"))
    print(json.dumps({"columns": list(frame.columns), "rows": rows}))


def versions():
    print(f"codecarbon {codecarbon.__version__}, pandas {pd.__version__}")


def metrics():
    from codecarbon.output_methods.metrics import prometheus

    kinds = [[sample.name, family.type] for family in samples_of(prometheus) for sample in family.samples]
    print(json.dumps({"metrics": kinds, "labels": prometheus.labelnames}))


def samples_of(prometheus):
    for metric in vars(prometheus).values():
        if isinstance(metric, (prometheus.Gauge, prometheus.Counter)):
            metric.labels(**dict.fromkeys(prometheus.labelnames, ""))
    return prometheus.registry.collect()


{"metrics": metrics, "write": write, "read": read, "versions": versions}[sys.argv[1]](*sys.argv[2:])
