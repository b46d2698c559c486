"""Do eight processes that log at once lose nothing, fail at nothing, and get versions of their own?"""

import concurrent.futures
import multiprocessing
import os

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

PROCESSES = 8
RUNS = 3
BATCHES = 4


def processes(count):
    """A pool of processes that share no connection with this one, and import MLflow once for all."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["mlflow.tracking", "mlflow.store.artifact.mlflow_artifacts_repo"])
    return concurrent.futures.ProcessPoolExecutor(count, mp_context=context)


def log(experiment, model, shared, worker):
    """What one process does: runs with batches, files, versions of a model all share, metrics of a run all share."""
    client = MlflowClient()
    made = []
    for number in range(RUNS):
        run = client.create_run(experiment, run_name=f"{worker}-{number}", tags={"worker": str(worker)}).info.run_id
        for batch in range(BATCHES):
            client.log_batch(
                run,
                [Metric("m", float(step), step, step) for step in range(batch * 100, batch * 100 + 100)],
                [Param(f"p{batch}", str(worker))],
                [RunTag(f"t{batch}", str(worker))],
            )
        client.log_text(run, f"{worker} {number}", f"d/{worker}.txt")
        client.set_terminated(run)
        made.append(run)
    for step in range(20):
        client.log_metric(shared, "shared", float(worker), timestamp=worker, step=step)
        client.set_tag(shared, f"w{worker}", str(step))
    versions = [client.create_model_version(model, f"runs:/{run}/d", run).version for run in made]
    return made, [int(version) for version in versions]


@pytest.fixture
def shared(client, experiment):
    return client.create_run(experiment, run_name="shared").info.run_id


def test_nothing_is_lost_and_versions_are_distinct(client, experiment, name, shared):
    client.create_registered_model(name)
    with processes(PROCESSES) as pool:
        waits = [pool.submit(log, experiment, name, shared, worker) for worker in range(PROCESSES)]
        told = [wait.result(timeout=240) for wait in waits]
    made = [run for runs, _ in told for run in runs]
    versions = sorted(version for _, versions in told for version in versions)
    assert versions == list(range(1, PROCESSES * RUNS + 1))
    found = client.search_runs([experiment], "tags.worker LIKE '%'", max_results=1000)
    assert {run.info.run_id for run in found} == set(made)
    for run in found:
        assert run.info.status == "FINISHED"
        assert run.data.params == {f"p{batch}": run.data.tags["worker"] for batch in range(BATCHES)}
        assert run.data.metrics == {"m": float(BATCHES * 100 - 1)}
        assert [file.path for file in client.list_artifacts(run.info.run_id, "d")] == [f"d/{run.data.tags['worker']}.txt"]
    assert len(client.get_metric_history(made[0], "m")) == BATCHES * 100
    history = client.get_metric_history(shared, "shared")
    assert len(history) == PROCESSES * 20
    assert {key: value for key, value in client.get_run(shared).data.tags.items() if key.startswith("w")} == {f"w{worker}": "19" for worker in range(PROCESSES)}
    assert len(client.search_model_versions(f"name = '{name}'")) == PROCESSES * RUNS


def same_name(name):
    """Makes an experiment that others make too; returns its id however that ends."""
    mlflow.set_tracking_uri(os.environ["MLFLOW_TRACKING_URI"])
    return mlflow.set_experiment(name).experiment_id


def test_an_experiment_that_all_make_is_made_once(name):
    with processes(4) as pool:
        assert len(set(pool.map(same_name, [name] * 4))) == 1
