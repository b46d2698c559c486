"""Are models logged, registered, found and loaded, by every flavour that forecasters use?"""

import mlflow
import pytest
from mlflow.models import infer_signature

from refusal import refused

numpy = pytest.importorskip("numpy")
pandas = pytest.importorskip("pandas")

# As few rows as the libraries learn anything from.
DICE = numpy.random.default_rng(1)
X = pandas.DataFrame(DICE.normal(size=(60, 3)), columns=["a", "b", "c"])
Y = X["a"] * 2 - X["b"] + 0.5


@pytest.fixture
def here(experiment):
    """Makes the experiment of the test the one that is logged to."""
    mlflow.set_experiment(experiment_id=experiment)
    return experiment


def fitted(flavour):
    """Returns a small model that has learnt, and the module of MLflow that logs it."""
    if flavour == "sklearn":
        linear_model = pytest.importorskip("sklearn.linear_model")
        return linear_model.Ridge().fit(X, Y), mlflow.sklearn
    if flavour == "lightgbm":
        lightgbm = pytest.importorskip("lightgbm")
        data = lightgbm.Dataset(X, Y)
        return lightgbm.train({"objective": "regression", "verbose": -1, "num_threads": 1, "min_data_in_leaf": 2}, data, 5), mlflow.lightgbm
    xgboost = pytest.importorskip("xgboost")
    return xgboost.train({"max_depth": 2, "nthread": 1}, xgboost.DMatrix(X, Y), 5), mlflow.xgboost


def log_model(module, model, name, **rest):
    """MLflow 2 called the name of a model its path."""
    if mlflow.__version__ < "3":
        return module.log_model(model, artifact_path=name, **rest)
    return module.log_model(model, name=name, **rest)


@pytest.mark.parametrize("flavour", ["sklearn", "lightgbm", "xgboost"])
def test_a_model_is_logged_registered_and_loaded(client, here, name, flavour):
    model, module = fitted(flavour)
    with mlflow.start_run() as run:
        logged = log_model(module, model, "model", signature=infer_signature(X, Y), input_example=X.head(2))
    expected = mlflow.pyfunc.load_model(logged.model_uri).predict(X)
    assert numpy.allclose(expected, mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/model").predict(X))
    version = mlflow.register_model(logged.model_uri, name)
    assert (version.name, int(version.version)) == (name, 1)
    client.set_registered_model_alias(name, "champion", version.version)
    for uri in (f"models:/{name}/1", f"models:/{name}@champion", f"models:/{name}/latest"):
        loaded = mlflow.pyfunc.load_model(uri)
        assert numpy.allclose(loaded.predict(X), expected)
        assert loaded.metadata.signature.inputs.input_names() == ["a", "b", "c"]
    assert module.load_model(f"models:/{name}@champion") is not None


def test_a_model_of_ones_own_is_logged_and_registered_at_once(client, here, name):
    class Mean(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            return [float(model_input["a"].mean())] * len(model_input)

    with mlflow.start_run():
        rest = {"python_model": Mean(), "registered_model_name": name, "signature": infer_signature(X, [0.5])}
        logged = mlflow.pyfunc.log_model(**({"name": "mean"} if mlflow.__version__ >= "3" else {"artifact_path": "mean"}), **rest)
    assert client.get_model_version(name, "1").status == "READY"
    assert mlflow.pyfunc.load_model(f"models:/{name}/1").predict(X) == [X["a"].mean()] * 60
    assert mlflow.models.get_model_info(logged.model_uri).signature is not None


@pytest.mark.parametrize("flavour", ["sklearn", "lightgbm", "xgboost"])
def test_a_library_logs_by_itself(client, here, flavour):
    module = {"sklearn": mlflow.sklearn, "lightgbm": mlflow.lightgbm, "xgboost": mlflow.xgboost}[flavour]
    pytest.importorskip(flavour)
    module.autolog(silent=True)
    try:
        with mlflow.start_run() as run:
            fitted(flavour)
    finally:
        module.autolog(disable=True, silent=True)
    found = client.get_run(run.info.run_id)
    assert found.info.status == "FINISHED" and found.data.params
    if mlflow.__version__ >= "3":
        models = client.search_logged_models([here])
        assert len(models) == 1 and models[0].status == "READY" and found.outputs.model_outputs[0].model_id == models[0].model_id
    assert mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/model").predict(X).shape == (60,)


def test_a_data_set_is_logged_and_found(client, here):
    frame = X.assign(y=Y)
    dataset = mlflow.data.from_pandas(frame, name="sales", targets="y")
    with mlflow.start_run() as run:
        mlflow.log_input(dataset, context="training", tags={"k": "v"} if mlflow.__version__ >= "2.13" else None)
    logged = client.get_run(run.info.run_id).inputs.dataset_inputs[0]
    assert (logged.dataset.name, logged.dataset.digest) == ("sales", dataset.digest)
    assert "mlflow.data.context" in {tag.key for tag in logged.tags}
    assert [found.info.run_id for found in client.search_runs([here], "dataset.name = 'sales'")] == [run.info.run_id]
    if mlflow.__version__ >= "2.13":
        assert mlflow.data.get_source(logged).load is not None


# Logged models


@pytest.mark.since3
def test_a_logged_model_is_made_finished_found_and_deleted(client, experiment, run):
    made = client.create_logged_model(experiment, name="m", source_run_id=run, tags={"t": "1"}, params={"p": "1"}, model_type="x")
    assert made.status == "PENDING" and made.model_id.startswith("m-")
    assert made.artifact_location == f"mlflow-artifacts:/{experiment}/models/{made.model_id}/artifacts"
    client.finalize_logged_model(made.model_id, "READY")
    client.set_logged_model_tags(made.model_id, {"u": "2"})
    client.delete_logged_model_tag(made.model_id, "t")
    client.log_model_params(made.model_id, {"q": "2"})
    found = client.get_logged_model(made.model_id)
    assert (found.status, found.tags, found.params, found.source_run_id) == ("READY", {"u": "2"}, {"p": "1", "q": "2"}, run)
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.get_logged_model("m-" + "0" * 32)
    client.delete_logged_model(made.model_id)
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.get_logged_model(made.model_id)


@pytest.mark.since3
def test_logged_models_are_searched_by_what_was_measured_of_them(client, experiment, run):
    mlflow.set_experiment(experiment_id=experiment)
    made = {}
    for number, name in enumerate(("one", "two", "three")):
        made[name] = client.create_logged_model(experiment, name=name, source_run_id=run, params={"depth": str(number)}).model_id
        client.log_metric(run, "rmse", 3.0 - number, step=number, model_id=made[name], dataset_name="test", dataset_digest="d")
        client.finalize_logged_model(made[name], "READY")

    def found(text=None, order=None, **rest):
        return [model.name for model in client.search_logged_models([experiment], filter_string=text, order_by=order, **rest)]

    assert found(order=[{"field_name": "metrics.rmse", "ascending": True}]) == ["three", "two", "one"]
    assert found(order=[{"field_name": "name", "ascending": True}]) == ["one", "three", "two"]
    assert found("params.depth = '1'") == ["two"]
    assert found("name LIKE 't%'", [{"field_name": "name", "ascending": True}]) == ["three", "two"]
    assert found("metrics.rmse < 2") == ["three"]
    tested = [{"dataset_name": "test", "dataset_digest": "d"}]
    assert found("metrics.rmse <= 2", [{"field_name": "metrics.rmse", "ascending": True}], datasets=tested) == ["three", "two"]
    assert found("metrics.rmse < 9", datasets=[{"dataset_name": "other", "dataset_digest": "d"}]) == []
    first = client.search_logged_models([experiment], max_results=2, order_by=[{"field_name": "name", "ascending": True}])
    rest = client.search_logged_models([experiment], max_results=2, order_by=[{"field_name": "name", "ascending": True}], page_token=first.token)
    assert [model.name for model in [*first, *rest]] == ["one", "three", "two"]
    for text in ("name = 'a' OR name = 'b'", "name ~ 'a'"):
        with refused("INVALID_PARAMETER_VALUE"):
            found(text)
    metric = client.get_logged_model(made["one"]).metrics[0]
    assert (metric.key, metric.value, metric.dataset_name, metric.run_id) == ("rmse", 3.0, "test", run)
