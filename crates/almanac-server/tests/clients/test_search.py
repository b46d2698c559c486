"""Does searching runs and experiments find what MLflow's search language says, in its order and in pages?

Each filter is one line with the names of the runs that it finds.
"""

import math
import uuid

import mlflow
import pytest
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag, ViewType

from refusal import refused

RUNS = {
    # name: start, status, params, metrics, tags
    "alpha": (1000, "FINISHED", {"model": "ets", "lr": "0.1", "odd key": "x"}, {"rmse": 1.0, "mae": 0.5}, {"team": "a"}),
    "Beta": (2000, "FAILED", {"model": "arima", "lr": "0.01"}, {"rmse": 2.0, "mae": math.nan}, {"team": "b"}),
    "gamma_1": (3000, "FINISHED", {"model": "ETS"}, {"rmse": math.inf}, {"team": "A", "note": "it's"}),
    "delta%": (4000, "RUNNING", {"model": "theta"}, {"rmse": -math.inf, "mae": -1.0}, {"team": "a%b"}),
    "zeta": (5000, "KILLED", {}, {"rmse": math.nan, "val.x/y z": 3.0}, {"team.lead": "é"}),
}
EVERY = list(RUNS)


@pytest.fixture(scope="module")
def searched():
    """An experiment with the runs above, made once for all searches."""
    client = mlflow.MlflowClient()
    experiment = client.create_experiment(f"searched-{uuid.uuid4().hex}")
    for run_name, (start, status, params, metrics, tags) in RUNS.items():
        run = client.create_run(experiment, start_time=start, run_name=run_name).info.run_id
        client.log_batch(
            run,
            [Metric(key, value, 1, 0) for key, value in metrics.items()],
            [Param(key, value) for key, value in params.items()],
            [RunTag(key, value) for key, value in tags.items()],
        )
        if status != "RUNNING":
            client.set_terminated(run, status, end_time=start + 500)
    return experiment


def names(runs):
    return [run.info.run_name for run in runs]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", EVERY),
        ("metrics.rmse > 1", ["Beta", "gamma_1"]),
        ("metrics.rmse >= 1", ["alpha", "Beta", "gamma_1"]),
        ("metrics.rmse < 1", ["delta%"]),
        ("metrics.rmse <= 1.0", ["alpha", "delta%"]),
        ("metrics.rmse = 1", ["alpha"]),
        ("metric.rmse != 1", ["Beta", "gamma_1", "delta%", "zeta"]),
        ("metrics.mae > -1.5e0 and metrics.rmse < 0", ["delta%"]),
        ("metrics.`val.x/y z` = 3", ["zeta"]),
        ('metrics."val.x/y z" = 3', ["zeta"]),
        ("params.model = 'ets'", ["alpha"]),
        ('params.model = "ets"', ["alpha"]),
        ("param.model != 'ets'", ["Beta", "gamma_1", "delta%"]),
        ("parameters.model LIKE '%ets'", ["alpha"]),
        ("params.model LIKE '_ts'", ["alpha"]),
        ("params.model ILIKE 'E%'", ["alpha", "gamma_1"]),
        ("params.model ilike 'e%' AND params.lr = '0.1'", ["alpha"]),
        ("params.`odd key` = 'x'", ["alpha"]),
        ("tags.team = 'a'", ["alpha"]),
        ("tag.team != 'a'", ["Beta", "gamma_1", "delta%"]),
        ("tags.team LIKE 'a%'", ["alpha", "delta%"]),
        ("tags.team ILIKE 'A'", ["alpha", "gamma_1"]),
        ("tags.`team.lead` = 'é'", ["zeta"]),
        ("tags.note = \"it's\"", ["gamma_1"]),
        ("tags.mlflow.runName = 'alpha'", ["alpha"]),
        ("run_name = 'alpha'", ["alpha"]),
        ("attributes.run_name ILIKE 'BETA'", ["Beta"]),
        ("attributes.`run name` = 'alpha'", ["alpha"]),
        ("run_name LIKE 'delta%'", ["delta%"]),
        ("attributes.status = 'FINISHED'", ["alpha", "gamma_1"]),
        ("status != 'FINISHED'", ["Beta", "delta%", "zeta"]),
        ("attribute.start_time > 2000", ["gamma_1", "delta%", "zeta"]),
        ("start_time <= 2000", ["alpha", "Beta"]),
        ("end_time > 1500", ["Beta", "gamma_1", "zeta"]),
        ("attr.created = 4000", ["delta%"]),
        ("metrics.nope > 0", []),
        ("params.nope = ''", []),
        ("params.model = 'ets' AND metrics.rmse > 5", []),
    ],
)
def test_a_filter_finds(client, searched, text, expected):
    assert names(client.search_runs([searched], text, order_by=["attributes.start_time ASC"])) == expected


@pytest.mark.since3
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("params.model IS NULL", ["zeta"]),
        ("params.lr IS NOT NULL", ["alpha", "Beta"]),
        ("tags.note IS NULL", ["alpha", "Beta", "delta%", "zeta"]),
        ("tags.note IS NOT NULL", ["gamma_1"]),
    ],
)
def test_a_missing_key_is_found(client, searched, text, expected):
    assert names(client.search_runs([searched], text, order_by=["attributes.start_time ASC"])) == expected


def test_runs_are_found_by_their_ids(client, searched):
    runs = client.search_runs([searched], order_by=["attributes.start_time ASC"])
    first, second = (run.info.run_id for run in runs[:2])
    assert names(client.search_runs([searched], f"run_id = '{first}'")) == ["alpha"]
    found = client.search_runs([searched], f"attributes.run_id IN ('{first}', '{second}')", order_by=["start_time ASC"])
    assert names(found) == ["alpha", "Beta"]
    found = client.search_runs([searched], f"run_id NOT IN ('{first}', '{second}')", order_by=["start_time ASC"])
    assert names(found) == EVERY[2:]


@pytest.mark.parametrize(
    "text",
    [
        "metrics.rmse > 'x'", "metrics.rmse LIKE '1'", "params.model = 5", "params.model = ets", "params.model > 'a'", "status > 'A'", "nope.x = 'a'", "attributes.nope = 'x'",
        "lifecycle_stage = 'active'", "params.model = 'a' OR params.model = 'b'", "(params.model = 'a')", "params.model", "params.model = ", "= 'a'", "params.model = 'ets", "metrics.rmse > 0; DROP TABLE runs",
        "start_time > 'x'", "start_time LIKE '1'", "metrics.rmse IN (1)", "dataset.nope = 'x'", "status IN ('FINISHED')",
    ],
)
def test_a_wrong_filter_is_refused(client, searched, text):
    with refused("INVALID_PARAMETER_VALUE"):
        client.search_runs([searched], text)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ([], EVERY[::-1]),
        (["attributes.start_time ASC"], EVERY),
        (["start_time DESC"], EVERY[::-1]),
        (["metrics.rmse ASC"], ["delta%", "alpha", "Beta", "gamma_1", "zeta"]),
        (["metrics.rmse DESC"], ["gamma_1", "Beta", "alpha", "delta%", "zeta"]),
        (["metrics.mae"], ["delta%", "alpha", "Beta", "zeta", "gamma_1"]),
        (["params.model ASC"], ["gamma_1", "Beta", "alpha", "delta%", "zeta"]),
        (["params.model DESC"], ["delta%", "alpha", "Beta", "gamma_1", "zeta"]),
        (["tags.team"], ["gamma_1", "alpha", "delta%", "Beta", "zeta"]),
        (["attributes.status ASC", "start_time ASC"], ["Beta", "alpha", "gamma_1", "zeta", "delta%"]),
        (["attributes.run_name DESC"], ["zeta", "gamma_1", "delta%", "alpha", "Beta"]),
        (["metrics.`val.x/y z` DESC", "start_time"], ["zeta", "alpha", "Beta", "gamma_1", "delta%"]),
        (["end_time DESC"], ["zeta", "gamma_1", "Beta", "alpha", "delta%"]),
    ],
)
def test_an_order_is_kept(client, searched, order, expected):
    assert names(client.search_runs([searched], order_by=order)) == expected


@pytest.mark.parametrize("order", ["nope.x", "rmse", "metrics.rmse UP", "attributes.nope", ""])
def test_a_wrong_order_is_refused(client, searched, order):
    with refused("INVALID_PARAMETER_VALUE"):
        client.search_runs([searched], order_by=[order])


def test_pages_hold_every_run_once(client, searched):
    seen, token = [], None
    while token is not None or not seen:
        page = client.search_runs([searched], order_by=["metrics.rmse ASC"], max_results=2, page_token=token)
        seen, token = seen + names(page), page.token
        assert len(page) <= 2
    assert seen == ["delta%", "alpha", "Beta", "gamma_1", "zeta"]
    with refused("INVALID_PARAMETER_VALUE"):
        client.search_runs([searched], page_token="nonsense")
    with refused("INVALID_PARAMETER_VALUE"):
        client.search_runs([searched], max_results=0)
    with refused("INVALID_PARAMETER_VALUE"):
        client.search_runs([searched], max_results=50001)


def test_experiments_are_searched_together_and_unknown_ones_are_empty(client, searched, experiment):
    other = client.create_run(experiment, start_time=2500, run_name="other")
    found = client.search_runs([searched, experiment], order_by=["start_time ASC"])
    assert names(found) == ["alpha", "Beta", "other", "gamma_1", "delta%", "zeta"]
    assert other.info.run_id in [run.info.run_id for run in found]
    assert client.search_runs(["99999999"]) == []
    assert client.search_runs([]) == []


def test_deleted_runs_are_seen_only_where_they_are_asked_for(client, experiment):
    kept, gone = (client.create_run(experiment, run_name=name).info.run_id for name in ("kept", "gone"))
    client.delete_run(gone)
    assert names(client.search_runs([experiment])) == ["kept"]
    assert names(client.search_runs([experiment], run_view_type=ViewType.DELETED_ONLY)) == ["gone"]
    assert sorted(names(client.search_runs([experiment], run_view_type=ViewType.ALL))) == ["gone", "kept"]
    assert kept != gone


def test_a_found_run_is_whole(client, searched):
    found = client.search_runs([searched], "run_name = 'alpha'")[0]
    assert found.to_dictionary() == client.get_run(found.info.run_id).to_dictionary()
    assert found.data.params == RUNS["alpha"][2] and found.data.metrics == RUNS["alpha"][3]


def test_experiments_are_filtered_ordered_and_paged(client, name):
    made = {}
    for number in range(5):
        made[f"{name}-{number}"] = client.create_experiment(f"{name}-{number}", tags={"odd": str(number % 2)})
    client.delete_experiment(made[f"{name}-4"])
    mine = f"name LIKE '{name}%'"

    def found(text=mine, order=("name ASC",), **rest):
        return [experiment.name[-1] for experiment in client.search_experiments(filter_string=text, order_by=list(order), **rest)]

    assert found() == list("0123")
    assert found(order=["name DESC"]) == list("3210")
    assert found(order=["experiment_id DESC"]) == list("3210")
    assert found(view_type=ViewType.DELETED_ONLY) == ["4"]
    assert found(view_type=ViewType.ALL) == list("01234")
    assert found(f"{mine} AND tags.odd = '1'") == ["1", "3"]
    assert found(f"{mine} AND tags.`odd` != '1'") == ["0", "2"]
    assert found(f"name ILIKE '{name.upper()}%' AND name != '{name}-1'") == list("023")
    assert found(f"name = '{name}-2'") == ["2"]
    assert found(f"{mine} AND creation_time > 0 AND last_update_time > 0") == list("0123")
    page = client.search_experiments(filter_string=mine, order_by=["name"], max_results=3)
    rest = client.search_experiments(filter_string=mine, order_by=["name"], max_results=3, page_token=page.token)
    assert [one.name[-1] for one in [*page, *rest]] == list("0123") and not rest.token
    for text in ("name > 'a'", "nope = 'x'", "name = 5", "name = 'a' OR name = 'b'", "metrics.x = 1"):
        with refused("INVALID_PARAMETER_VALUE"):
            client.search_experiments(filter_string=text)
    for order in ("nope", "name UP", "tags.odd"):
        with refused("INVALID_PARAMETER_VALUE"):
            client.search_experiments(order_by=[order])


def test_runs_are_found_by_the_data_they_read(client, experiment):
    runs = [client.create_run(experiment, run_name=name).info.run_id for name in ("one", "two")]
    for number, run in enumerate(runs):
        dataset = Dataset(f"sales{number}", f"d{number}", "local", "{}")
        client.log_inputs(run, [DatasetInput(dataset, [InputTag("mlflow.data.context", "train" if number else "test")])])
    for text, expected in (
        ("dataset.name = 'sales0'", ["one"]),
        ("datasets.digest = 'd1'", ["two"]),
        ("dataset.context = 'train'", ["two"]),
        ("dataset.name LIKE 'sales%'", ["one", "two"]),
        ("dataset.name IN ('sales0', 'x')", ["one"]),
        ("dataset.name = 'sales0' AND dataset.context = 'test'", ["one"]),
        ("dataset.name = 'sales0' AND dataset.context = 'train'", []),
    ):
        assert sorted(names(client.search_runs([experiment], text))) == expected, text
