"""Optuna's own tests of a storage, run against the server through Optuna's proxy.

They look at all studies there are, so they run only on a server without any, and delete what they make.
"""

import os
import urllib.parse

import pytest

optuna = pytest.importorskip("optuna")
pytest.importorskip("grpc")
pytest_storages = pytest.importorskip("optuna.testing.pytest_storages")


def connect():
    parts = urllib.parse.urlsplit(os.environ["MLFLOW_TRACKING_URI"])
    return optuna.storages.GrpcStorageProxy(host=parts.hostname, port=parts.port or 80)


@pytest.fixture
def storage():
    proxy = connect()
    if proxy.get_all_studies():
        pytest.skip("needs a server without studies")
    yield proxy
    for study in proxy.get_all_studies():
        proxy.delete_study(study._study_id)
    proxy.close()


class TestStorage(pytest_storages.StorageTestCase):
    def test_get_all_trials_params_order(self, storage):
        pytest.skip("Optuna's proxy does not keep the order of params")
