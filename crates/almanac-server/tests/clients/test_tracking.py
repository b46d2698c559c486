"""Do experiments, runs and what they log behave as MLflow's own client expects?

By `MlflowClient` and the fluent interface, so that what is checked is what a user's program sees, not what goes over the wire.
The wire itself is compared by `differential.py`, searching by `test_search.py`.
"""

import math
import time

import mlflow
import pytest
import requests
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunStatus, RunTag, ViewType

from refusal import refused


def url(path):
    return f"{mlflow.get_tracking_uri().rstrip('/')}/api/2.0/mlflow/{path}"


# Experiments


def test_an_experiment_is_found_by_id_and_by_name(client, name):
    before = int(time.time() * 1000) - 5000
    made = client.create_experiment(name, tags={"team": "a", "empty": ""})
    found = client.get_experiment(made)
    assert (found.name, found.lifecycle_stage, found.tags) == (name, "active", {"team": "a", "empty": ""})
    assert found.creation_time > before and found.last_update_time >= found.creation_time
    assert client.get_experiment_by_name(name).experiment_id == made
    assert client.get_experiment_by_name(name + "x") is None
    with refused("RESOURCE_DOES_NOT_EXIST", "No Experiment with id=99999999"):
        client.get_experiment("99999999")


def test_the_default_experiment_is_there(client):
    assert client.get_experiment("0").name == "Default"


def test_an_experiment_keeps_its_own_place_for_artifacts(client, name):
    made = client.create_experiment(name, artifact_location="mlflow-artifacts:/somewhere")
    assert client.get_experiment(made).artifact_location == "mlflow-artifacts:/somewhere"
    run = client.create_run(made)
    assert run.info.artifact_uri == f"mlflow-artifacts:/somewhere/{run.info.run_id}/artifacts"


@pytest.mark.parametrize("odd", ["é 時 😀", "a/b", "a'b\"c", "100%", "x" * 480])
def test_an_experiment_may_have_an_odd_name(client, name, odd):
    made = client.create_experiment(name + odd)
    assert client.get_experiment_by_name(name + odd).experiment_id == made


def test_a_name_is_given_once(client, name):
    made = client.create_experiment(name)
    with refused("RESOURCE_ALREADY_EXISTS", "already exists"):
        client.create_experiment(name)
    client.delete_experiment(made)
    with refused("RESOURCE_ALREADY_EXISTS"):
        client.create_experiment(name)
    with refused("INVALID_PARAMETER_VALUE"):
        client.create_experiment("")
    with refused("INVALID_PARAMETER_VALUE", "exceeds the maximum length"):
        client.create_experiment("x" * 501)


def test_an_experiment_is_renamed(client, name):
    made = client.create_experiment(name)
    client.rename_experiment(made, name + "b")
    assert client.get_experiment(made).name == name + "b"
    assert client.get_experiment_by_name(name) is None
    client.create_experiment(name)
    client.delete_experiment(made)
    # A client would try again and again what is answered with 500.
    answer = requests.post(url("experiments/update"), json={"experiment_id": made, "new_name": name + "c"}, timeout=30)
    assert (answer.status_code, answer.json()["error_code"]) == (500, "INVALID_STATE")


def test_a_deleted_experiment_takes_its_runs_along_and_brings_them_back(client, experiment):
    run = client.create_run(experiment).info.run_id
    client.delete_experiment(experiment)
    assert client.get_experiment(experiment).lifecycle_stage == "deleted"
    assert client.get_run(run).info.lifecycle_stage == "deleted"
    with refused("INVALID_PARAMETER_VALUE", "must be in the 'active' state"):
        client.create_run(experiment)
    with refused("INVALID_PARAMETER_VALUE", "must be in the 'active' state"):
        client.set_experiment_tag(experiment, "k", "v")
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.delete_experiment(experiment)
    client.restore_experiment(experiment)
    assert client.get_experiment(experiment).lifecycle_stage == "active"
    assert client.get_run(run).info.lifecycle_stage == "active"
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.restore_experiment(experiment)


def test_tags_of_an_experiment_are_set_changed_and_deleted(client, experiment):
    client.set_experiment_tag(experiment, "k", "1")
    client.set_experiment_tag(experiment, "k", "2")
    client.set_experiment_tag(experiment, "mlflow.note.content", "# hé")
    assert client.get_experiment(experiment).tags == {"k": "2", "mlflow.note.content": "# hé"}
    if hasattr(client, "delete_experiment_tag"):
        client.delete_experiment_tag(experiment, "k")
        assert client.get_experiment(experiment).tags == {"mlflow.note.content": "# hé"}


# Runs


def test_a_run_holds_what_it_was_made_with(client, experiment):
    run = client.create_run(experiment, start_time=1234, tags={"a": "1", "mlflow.user": "ann"}, run_name="first")
    assert (run.info.run_name, run.info.start_time, run.info.status, run.info.end_time) == ("first", 1234, "RUNNING", None)
    assert run.info.experiment_id == experiment and len(run.info.run_id) == 32
    assert run.data.tags == {"a": "1", "mlflow.user": "ann", "mlflow.runName": "first"}
    assert client.get_run(run.info.run_id).to_dictionary() == run.to_dictionary()
    assert run.data.metrics == {} and run.data.params == {}


def test_a_run_without_a_name_gets_one(client, experiment):
    run = client.create_run(experiment)
    assert run.info.run_name and run.data.tags["mlflow.runName"] == run.info.run_name
    assert run.info.run_name.count("-") == 2


def test_the_name_of_a_run_and_its_tag_are_one(client, experiment):
    run = client.create_run(experiment, tags={"mlflow.runName": "by tag"}).info.run_id
    assert client.get_run(run).info.run_name == "by tag"
    client.set_tag(run, "mlflow.runName", "by tag again")
    assert client.get_run(run).info.run_name == "by tag again"
    client.update_run(run, name="by update")
    assert client.get_run(run).data.tags["mlflow.runName"] == "by update"
    client.log_batch(run, tags=[RunTag("mlflow.runName", "by batch")])
    assert client.get_run(run).info.run_name == "by batch"
    with refused("INVALID_PARAMETER_VALUE"):
        client.create_run(experiment, run_name="one", tags={"mlflow.runName": "two"})


def test_a_run_ends_as_its_status_says(client, experiment):
    for status in ("FINISHED", "FAILED", "KILLED"):
        run = client.create_run(experiment).info.run_id
        client.set_terminated(run, status, end_time=5000)
        found = client.get_run(run).info
        assert (found.status, found.end_time) == (status, 5000)
    client.update_run(run, status="RUNNING")
    assert client.get_run(run).info.status == "RUNNING"


def test_a_deleted_run_refuses_to_be_written_until_it_is_restored(client, run):
    client.delete_run(run)
    assert client.get_run(run).info.lifecycle_stage == "deleted"
    for write in (
        lambda: client.set_tag(run, "k", "v"),
        lambda: client.log_param(run, "p", "v"),
        lambda: client.log_metric(run, "m", 1.0),
        lambda: client.log_batch(run, tags=[RunTag("k", "v")]),
        lambda: client.delete_tag(run, "k"),
        lambda: client.update_run(run, status="FAILED"),
    ):
        with refused("INVALID_PARAMETER_VALUE", "must be in the 'active' state"):
            write()
    client.restore_run(run)
    client.set_tag(run, "k", "v")
    assert client.get_run(run).data.tags["k"] == "v"


def test_an_unknown_run_is_no_run(client):
    unknown = "0" * 32
    for ask in (
        lambda: client.get_run(unknown),
        lambda: client.set_tag(unknown, "k", "v"),
        lambda: client.log_param(unknown, "k", "v"),
        lambda: client.log_metric(unknown, "k", 1.0),
        lambda: client.delete_run(unknown),
        lambda: client.restore_run(unknown),
        lambda: client.log_batch(unknown, tags=[RunTag("k", "v")]),
    ):
        with refused("RESOURCE_DOES_NOT_EXIST", "not found"):
            ask()
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.create_run("99999999")


# Tags, params, metrics


def test_tags_are_set_changed_and_deleted(client, run):
    client.set_tag(run, "k", 1)
    client.set_tag(run, "k", "two")
    client.set_tag(run, "empty", "")
    client.set_tag(run, "uni/é 時", "😀\n")
    tags = client.get_run(run).data.tags
    assert (tags["k"], tags["empty"], tags["uni/é 時"]) == ("two", "", "😀\n")
    client.delete_tag(run, "k")
    assert "k" not in client.get_run(run).data.tags
    with refused("RESOURCE_DOES_NOT_EXIST", "No tag with name: k"):
        client.delete_tag(run, "k")


def test_a_param_is_written_once(client, run):
    client.log_param(run, "p", 1)
    client.log_param(run, "p", 1)
    with refused("INVALID_PARAMETER_VALUE", "Changing param values is not allowed"):
        client.log_param(run, "p", 2)
    client.log_param(run, "empty", "")
    assert client.get_run(run).data.params == {"p": "1", "empty": ""}


def test_long_values_are_cut_to_what_the_server_keeps(client, run):
    client.set_tag(run, "t", "v" * 8001)
    client.log_batch(run, params=[Param("p", "v" * 6000)])
    answer = requests.post(url("runs/log-parameter"), json={"run_id": run, "key": "q", "value": "v" * 6001}, timeout=30)
    assert answer.status_code == 200, answer.text
    data = client.get_run(run).data
    assert [len(value) for value in (data.tags["t"], data.params["p"], data.params["q"])] == [8000, 6000, 6000]


GOOD_KEYS = ["a b", "a/b", "a:b", "a.b-c_d", "é時", "x" * 250]
BAD_KEYS = ["/a", "a//b", "../a", "a/./b", "a$b", "a,b", ".", "a/", "x" * 251]


def test_keys_are_names_of_files_in_a_folder(client, run):
    for key in GOOD_KEYS:
        client.log_metric(run, key, 1.0)
        client.log_param(run, key, "1")
        client.set_tag(run, key, "1")
    data = client.get_run(run).data
    assert all(key in data.metrics and key in data.params and key in data.tags for key in GOOD_KEYS)
    for key in BAD_KEYS:
        for write in (
            lambda: client.log_metric(run, key, 1.0),
            lambda: client.log_param(run, key, "1"),
            lambda: client.set_tag(run, key, "1"),
            lambda: client.log_batch(run, metrics=[Metric(key, 1.0, 1, 0)]),
        ):
            with refused("INVALID_PARAMETER_VALUE"):
                write()
    assert client.get_run(run).data.metrics == data.metrics


def test_the_latest_metric_is_the_one_of_the_greatest_step_then_time_then_value(client, run):
    for step, timestamp, value in ((1, 10, 0.5), (2, 9, 0.7), (2, 9, 0.6), (0, 99, 0.1), (-1, 100, 0.2)):
        client.log_metric(run, "m", value, timestamp, step)
    assert client.get_run(run).data.metrics["m"] == 0.7
    client.log_metric(run, "m", 0.3, 10, 2)
    assert client.get_run(run).data.metrics["m"] == 0.3


def test_the_same_metric_is_stored_once(client, run):
    for _ in range(2):
        client.log_metric(run, "m", 1.0, 5, 1)
    client.log_batch(run, metrics=[Metric("m", 1.0, 5, 1), Metric("m", 2.0, 5, 1)])
    assert [(point.value, point.step) for point in client.get_metric_history(run, "m")] == [(1.0, 1), (2.0, 1)]


def test_metrics_may_be_no_number_or_infinite(client, run):
    client.log_metric(run, "nan", math.nan)
    client.log_metric(run, "inf", math.inf)
    client.log_metric(run, "ninf", -math.inf)
    client.log_metric(run, "tiny", 5e-324)
    client.log_metric(run, "third", 1 / 3)
    metrics = client.get_run(run).data.metrics
    assert math.isnan(metrics["nan"]) and metrics["third"] == 1 / 3 and metrics["tiny"] == 5e-324
    assert (metrics["inf"], metrics["ninf"]) == (1.7976931348623157e308, -1.7976931348623157e308)
    assert math.isnan(client.get_metric_history(run, "nan")[0].value)


def test_a_history_comes_whole_and_in_order(client, run):
    points = [Metric("m", float(step % 7), 1000 + step, step) for step in range(2500)]
    for first in range(0, 2500, 1000):
        client.log_batch(run, metrics=points[first : first + 1000])
    client.log_metric(run, "m", 9.0, 1, 0)
    history = client.get_metric_history(run, "m")
    assert len(history) == 2501
    keys = [(point.timestamp, point.step, point.value) for point in history]
    assert keys == sorted(keys) and keys[0] == (1, 0, 9.0)
    assert client.get_metric_history(run, "nope") == []


def test_a_history_comes_in_pages(client, run):
    client.log_batch(run, metrics=[Metric("m", float(step), step, step) for step in range(25)])
    seen, token, pages = [], None, 0
    while pages == 0 or token:
        query = {"run_id": run, "metric_key": "m", "max_results": 10, **({"page_token": token} if token else {})}
        answer = requests.get(url("metrics/get-history"), params=query, timeout=30).json()
        seen += [point["step"] for point in answer.get("metrics", [])]
        token, pages = answer.get("next_page_token"), pages + 1
    assert seen == list(range(25)) and pages == 3


def test_histories_of_many_runs_come_at_once(client, experiment):
    runs = [client.create_run(experiment).info.run_id for _ in range(3)]
    for number, run in enumerate(runs):
        client.log_batch(run, metrics=[Metric("m", float(step), step, step) for step in range(10 * (number + 1))])
    query = {"run_ids": runs, "metric_key": "m", "max_results": 5}
    answer = requests.get(url("metrics/get-history-bulk-interval"), params=query, timeout=30)
    assert answer.status_code == 200, answer.text
    per_run = {run: [point["step"] for point in answer.json()["metrics"] if point["run_id"] == run] for run in runs}
    assert all(steps == sorted(steps) for steps in per_run.values())
    assert [(steps[0], steps[-1]) for steps in per_run.values()] == [(0, 9), (0, 19), (0, 29)]


# Batches


def test_a_batch_is_written_at_once_and_again_without_harm(client, run):
    batch = {
        "metrics": [Metric("m", 1.0, 5, 0), Metric("m", 2.0, 6, 1)],
        "params": [Param("p", "1")],
        "tags": [RunTag("t", "1")],
    }
    for _ in range(2):
        client.log_batch(run, **batch)
    data = client.get_run(run).data
    assert data.metrics == {"m": 2.0} and data.params == {"p": "1"} and data.tags["t"] == "1"
    assert len(client.get_metric_history(run, "m")) == 2


def test_a_batch_that_fails_leaves_nothing(client, run):
    client.log_param(run, "p", "1")
    before = client.get_run(run).to_dictionary()
    with refused("INVALID_PARAMETER_VALUE", "Changing param values is not allowed"):
        client.log_batch(run, [Metric("m", 1.0, 1, 0)], [Param("q", "1"), Param("p", "2")], [RunTag("t", "1")])
    body = {"run_id": run, "metrics": [{"key": "m", "value": 1, "timestamp": 1}], "tags": [{"key": "a//b", "value": "1"}]}
    answer = requests.post(url("runs/log-batch"), json=body, timeout=30)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert client.get_run(run).to_dictionary() == before


@pytest.mark.parametrize(("kind", "most"), [("metrics", 1000), ("params", 100), ("tags", 100)])
def test_a_batch_has_limits(client, run, kind, most):
    def body(count):
        extra = {"timestamp": 1, "value": 1} if kind == "metrics" else {"value": "1"}
        return {"run_id": run, kind: [{"key": f"k{number}", **extra} for number in range(count)]}

    answer = requests.post(url("runs/log-batch"), json=body(most + 1), timeout=30)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert requests.post(url("runs/log-batch"), json=body(most), timeout=30).status_code == 200
    assert len(getattr(client.get_run(run).data, kind)) >= most


def test_more_than_a_batch_is_split_by_the_client(client, experiment, run):
    mlflow.set_experiment(experiment_id=experiment)
    with mlflow.start_run(run_id=run):
        mlflow.log_params({f"p{number}": number for number in range(250)})
        mlflow.log_metrics({f"m{number}": number for number in range(1500)}, step=3)
        mlflow.set_tags({f"t{number}": number for number in range(250)})
    data = client.get_run(run).data
    assert len(data.params) == 250 and len(data.metrics) == 1500 and len(data.tags) > 250


# Datasets


def test_a_run_names_the_data_it_read(client, run):
    dataset = Dataset("sales", "abc", "local", '{"uri": "x"}', '{"columns": []}', '{"rows": 5}')
    inputs = [DatasetInput(dataset, [InputTag("mlflow.data.context", "train")])]
    for _ in range(2):
        client.log_inputs(run, inputs)
    found = client.get_run(run).inputs.dataset_inputs
    assert len(found) == 1
    assert (found[0].dataset.name, found[0].dataset.digest, found[0].dataset.profile) == ("sales", "abc", '{"rows": 5}')
    assert [(tag.key, tag.value) for tag in found[0].tags] == [("mlflow.data.context", "train")]


# The fluent interface


def test_a_program_logs_as_the_tutorial_does(name):
    mlflow.set_experiment(name)
    with mlflow.start_run(run_name="parent", description="what for") as parent:
        mlflow.log_param("alpha", 0.5)
        for step in range(3):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.set_tag("stage", "test")
        with mlflow.start_run(run_name="child", nested=True) as child:
            mlflow.log_metric("loss", 0.1)
    found = mlflow.get_run(parent.info.run_id)
    assert found.info.status == "FINISHED" and found.info.end_time >= found.info.start_time
    assert found.data.params == {"alpha": "0.5"} and found.data.metrics["loss"] == 1 / 3
    assert found.data.tags["mlflow.note.content"] == "what for"
    assert mlflow.get_run(child.info.run_id).data.tags["mlflow.parentRunId"] == parent.info.run_id
    frame = mlflow.search_runs(experiment_names=[name], order_by=["metrics.loss ASC"])
    assert list(frame["tags.mlflow.runName"]) == ["child", "parent"]


def test_a_run_that_raises_has_failed(name):
    mlflow.set_experiment(name)
    with pytest.raises(ZeroDivisionError), mlflow.start_run() as run:
        print(1 / 0)
    assert mlflow.get_run(run.info.run_id).info.status == "FAILED"


def test_a_run_is_resumed(name):
    mlflow.set_experiment(name)
    with mlflow.start_run() as run:
        mlflow.log_metric("m", 1.0, step=0)
    with mlflow.start_run(run_id=run.info.run_id):
        mlflow.log_metric("m", 2.0, step=1)
    assert [point.value for point in MlflowClient().get_metric_history(run.info.run_id, "m")] == [1.0, 2.0]


def test_logging_may_be_asynchronous(client, experiment, run):
    mlflow.set_experiment(experiment_id=experiment)
    with mlflow.start_run(run_id=run):
        waits = [mlflow.log_metrics({"m": float(step)}, step=step, synchronous=False) for step in range(50)]
        waits.append(mlflow.log_params({"p": 1}, synchronous=False))
        for wait in waits:
            wait.wait()
    assert len(client.get_metric_history(run, "m")) == 50 and client.get_run(run).data.params == {"p": "1"}


# What is not for clients


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b'{"run_id": "a"', {"Content-Type": "application/json"}, 400),
        (b"[]", {"Content-Type": "application/json"}, (400, 500)),
        (b'{"run_id": "a", "key": "k"}', {}, 400),
        (b"run_id=a", {"Content-Type": "application/x-www-form-urlencoded"}, 400),
        (b'{"run_id": 5, "key": "k", "value": "v"}', {"Content-Type": "application/json"}, 400),
        (b'{"key": "k", "value": "v"}', {"Content-Type": "application/json"}, 400),
    ],
)
def test_a_wrong_body_is_refused(body, headers, status):
    answer = requests.post(url("runs/set-tag"), data=body, headers=headers, timeout=30)
    assert answer.status_code in (status if isinstance(status, tuple) else (status,)), answer.text


def test_a_missing_field_is_named(run):
    answer = requests.post(url("runs/log-metric"), json={"run_id": run, "value": 1, "timestamp": 1}, timeout=30)
    assert answer.status_code == 400 and answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"
    assert "Missing value for required parameter 'key'" in answer.json()["message"]


def test_numbers_may_come_as_texts_and_old_names_are_known(client, run):
    body = {"run_uuid": run, "key": "m", "value": "0.5", "timestamp": "7", "step": "3", "unknown": {"x": 1}}
    assert requests.post(url("runs/log-metric"), json=body, timeout=30).status_code == 200
    point = client.get_metric_history(run, "m")[0]
    assert (point.value, point.timestamp, point.step) == (0.5, 7, 3)


def test_runs_and_states_are_those_of_the_client(client, experiment):
    run = client.create_run(experiment).info.run_id
    client.update_run(run, status="SCHEDULED")
    assert RunStatus.from_string(client.get_run(run).info.status) == RunStatus.SCHEDULED
    client.delete_run(run)
    assert client.search_runs([experiment]) == []
    assert len(client.search_runs([experiment], run_view_type=ViewType.DELETED_ONLY)) == 1
