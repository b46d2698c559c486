"""What all tests of real clients share: the server, names that are never taken, and which tests are quick.

The server is the one that `MLFLOW_TRACKING_URI` names; any that speaks MLflow's REST will do, so that the same tests can be
run against MLflow's own. Tests marked `slow` run only where `ALMANAC_TEST_SLOW=1` is set. Those marked `since3` need a client
of MLflow 3 and are skipped with an older one.

Everything is made under names of this sitting alone, and nothing is looked for outside of them.
"""

import os
import uuid

import pytest

if not os.environ.get("MLFLOW_TRACKING_URI", "").startswith("http"):
    pytest.exit("set MLFLOW_TRACKING_URI to the http:// address of a server", returncode=2)

# A test waits for no server that fails, prints no bars, and tells nobody that it ran.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import mlflow
from mlflow import MlflowClient

MAJOR = int(mlflow.__version__.split(".")[0])


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: runs only with ALMANAC_TEST_SLOW=1")
    config.addinivalue_line("markers", "since3: needs a client of MLflow 3")


def pytest_collection_modifyitems(items):
    slow = pytest.mark.skip(reason="slow; set ALMANAC_TEST_SLOW=1")
    since3 = pytest.mark.skip(reason=f"needs MLflow 3, this is {mlflow.__version__}")
    for item in items:
        if "slow" in item.keywords and os.environ.get("ALMANAC_TEST_SLOW") != "1":
            item.add_marker(slow)
        if "since3" in item.keywords and MAJOR < 3:
            item.add_marker(since3)


@pytest.fixture
def client():
    return MlflowClient()


@pytest.fixture
def name():
    """A name that nobody has."""
    return f"n{uuid.uuid4().hex[:12]}"


@pytest.fixture
def experiment(client, name):
    """The id of an experiment of one's own."""
    return client.create_experiment(name)


@pytest.fixture
def run(client, experiment):
    """The id of a run of one's own."""
    return client.create_run(experiment).info.run_id


@pytest.fixture(autouse=True)
def nothing_left_active():
    """A run that a failed test left open would be the parent of the next."""
    yield
    while mlflow.active_run():
        mlflow.end_run()
