"""A Python panel for Comet: energy by component and over time, emissions with their interval, measured share and
comparisons, for one experiment or several side by side. It needs nothing but emissions.csv, which CodeCarbon for Python
uploads too; what CodeCarbon for Node.js logs besides is shown where it is there."""

import csv
import io

import plotly.graph_objects as go
import streamlit as st
from comet_ml import API

ASSET = "emissions.csv"
COMPONENTS = {"cpu": "Processors", "gpu": "Graphics cards", "ram": "Memory"}
MOST_EXPERIMENTS = 20


def number(value):
    """A figure; None where there is none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def read_row(experiment):
    """The last row of an experiment's emissions.csv; None where it has none."""
    for asset in experiment.get_asset_list("all"):
        if asset["fileName"] == ASSET:
            content = experiment.get_asset(asset["assetId"], return_type="binary")
            rows = list(csv.DictReader(io.StringIO(content.decode("utf-8"))))
            return rows[-1] if rows else None
    return None


def read_others(experiment):
    """What CodeCarbon for Node.js logs as others, by name."""
    return {
        other["name"]: other["valueCurrent"]
        for other in experiment.get_others_summary()
    }


def read_points(experiment, metric):
    """Seconds since the start and values of a metric."""
    points = [
        (number(point.get("step")), number(point.get("metricValue")))
        for point in experiment.get_metrics(metric)
    ]
    return sorted(
        (x, y) for x, y in points if x is not None and y is not None
    )


def read_experiment(experiment):
    """What is known of an experiment; None where it logged no emissions."""
    row = read_row(experiment)
    if row is None:
        return None
    return {
        "experiment": experiment,
        "name": experiment.name or experiment.id[:8],
        "row": row,
        "others": read_others(experiment),
    }


def table(found):
    """A row for each experiment."""
    return [
        {
            "Experiment": one["name"],
            "CO2eq (kg)": number(one["row"].get("emissions")),
            "low (kg)": number(one["others"].get("CO2 emissions, low (kg)")),
            "high (kg)": number(one["others"].get("CO2 emissions, high (kg)")),
            "Energy (kWh)": number(one["row"].get("energy_consumed")),
            "Measured share": number(one["others"].get("Measured share of the energy")),
            "Seconds": number(one["row"].get("duration")),
            "Country": one["row"].get("country_name"),
        }
        for one in found
    ]


def bars(found):
    """Energy of each experiment by component."""
    names = [one["name"] for one in found]
    return go.Figure(
        data=[
            go.Bar(
                name=title,
                y=names,
                x=[number(one["row"].get(key + "_energy")) for one in found],
                orientation="h",
            )
            for key, title in COMPONENTS.items()
        ],
        layout={"barmode": "stack", "title": "Energy by component (kWh)"},
    )


def lines(series, title):
    """Lines over the seconds since the start."""
    return go.Figure(
        data=[
            go.Scatter(
                name=name,
                x=[x for x, _ in points],
                y=[y for _, y in points],
                mode="lines",
            )
            for name, points in series
            if len(points) > 1
        ],
        layout={"title": title, "xaxis": {"title": "seconds"}},
    )


def show(found):
    """The panel."""
    st.subheader("Energy and emissions")
    st.dataframe(table(found))
    st.plotly_chart(bars(found))
    over_time = [
        (one["name"], read_points(one["experiment"], "codecarbon_emissions"))
        for one in found
    ]
    st.plotly_chart(lines(over_time, "Emissions (kg CO2eq)"))
    if len(found) == 1:
        [one] = found
        powers = [
            (title, read_points(one["experiment"], "codecarbon_" + key + "_power"))
            for key, title in COMPONENTS.items()
        ]
        st.plotly_chart(lines(powers, "Power (W)"))
        for name, value in one["others"].items():
            if name.startswith("About "):
                st.write(value)


def main():
    experiments = API().get_panel_experiments()[:MOST_EXPERIMENTS]
    found = [one for one in map(read_experiment, experiments) if one is not None]
    if found:
        show(found)
    else:
        st.write("None of these experiments has logged emissions.")


main()
