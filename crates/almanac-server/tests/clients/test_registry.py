"""Does the registry keep models, versions, stages, tags and aliases as MLflow's client expects?"""

import mlflow
import pytest

from refusal import refused

# Stages are old, and still what many programs use.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")


@pytest.fixture
def model(client, name):
    """The name of a registered model of one's own."""
    return client.create_registered_model(name, tags={"team": "a"}, description="what for").name


def version_of(client, model, run):
    return client.create_model_version(model, f"runs:/{run}/model", run, tags={"v": "1"}, description="one")


def test_a_model_is_registered_described_renamed_and_deleted(client, model, run):
    found = client.get_registered_model(model)
    assert (found.name, found.description, found.tags, found.latest_versions) == (model, "what for", {"team": "a"}, [])
    assert found.creation_timestamp > 0
    with refused("RESOURCE_ALREADY_EXISTS"):
        client.create_registered_model(model)
    assert client.update_registered_model(model, "better").description == "better"
    version_of(client, model, run)
    client.rename_registered_model(model, model + "b")
    assert client.get_model_version(model + "b", "1").name == model + "b"
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.get_registered_model(model)
    client.delete_registered_model(model + "b")
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.get_model_version(model + "b", "1")


@pytest.mark.parametrize("wrong", ["", "a/b", "a:b"])
def test_a_wrong_name_is_refused(client, wrong):
    with refused("INVALID_PARAMETER_VALUE"):
        client.create_registered_model(wrong)


def test_versions_count_up_and_are_never_used_again(client, model, run):
    made = version_of(client, model, run)
    assert (int(made.version), made.current_stage, made.status, made.run_id) == (1, "None", "READY", run)
    assert (made.tags, made.description) == ({"v": "1"}, "one")
    assert int(version_of(client, model, run).version) == 2
    client.delete_model_version(model, "1")
    assert int(version_of(client, model, run).version) == 3
    client.delete_model_version(model, "3")
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.get_model_version(model, "3")
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.create_model_version(model + "x", f"runs:/{run}/model", run)
    assert client.get_model_version_download_uri(model, "2").startswith(("mlflow-artifacts:/", "runs:/"))


def test_a_source_that_is_not_of_the_run_is_refused(client, model, run):
    for source in ("/etc/passwd", "../../x", "file:///etc", "relative/path"):
        with refused("INVALID_PARAMETER_VALUE"):
            client.create_model_version(model, source, run)
    assert client.search_model_versions(f"name = '{model}'") == []


def test_tags_of_models_and_versions_are_set_and_deleted(client, model, run):
    version_of(client, model, run)
    client.set_registered_model_tag(model, "k", "1")
    client.set_registered_model_tag(model, "k", "2")
    client.delete_registered_model_tag(model, "team")
    client.set_model_version_tag(model, "1", "w", "x")
    client.delete_model_version_tag(model, "1", "v")
    assert client.get_registered_model(model).tags == {"k": "2"}
    assert client.get_model_version(model, "1").tags == {"w": "x"}
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.set_model_version_tag(model, "9", "w", "x")
    with refused("INVALID_PARAMETER_VALUE"):
        client.set_registered_model_tag(model, "a//b", "x")


def test_a_version_passes_through_stages(client, model, run):
    for _ in range(2):
        version_of(client, model, run)
    client.transition_model_version_stage(model, "1", "Production")
    client.transition_model_version_stage(model, "2", "production", archive_existing_versions=True)
    assert [client.get_model_version(model, version).current_stage for version in ("1", "2")] == ["Archived", "Production"]
    assert [version.version for version in client.get_latest_versions(model, ["Production"])] in ([2], ["2"])
    with refused("INVALID_PARAMETER_VALUE", "Invalid Model Version stage"):
        client.transition_model_version_stage(model, "1", "Nope")


def test_an_alias_leads_to_one_version(client, model, run):
    for _ in range(2):
        version_of(client, model, run)
    client.set_registered_model_alias(model, "champion", "1")
    assert client.get_model_version_by_alias(model, "champion").aliases == ["champion"]
    client.set_registered_model_alias(model, "champion", "2")
    client.set_registered_model_alias(model, "other", "2")
    assert int(client.get_model_version_by_alias(model, "champion").version) == 2
    assert {name: int(version) for name, version in client.get_registered_model(model).aliases.items()} == {"champion": 2, "other": 2}
    assert client.get_model_version(model, "1").aliases == []
    client.delete_registered_model_alias(model, "champion")
    client.delete_model_version(model, "2")
    for gone in ("champion", "other"):
        with refused("INVALID_PARAMETER_VALUE", f"alias {gone} not found"):
            client.get_model_version_by_alias(model, gone)
    for wrong in ("latest", "v1", "V12", "a/b", "x" * 256):
        with refused("INVALID_PARAMETER_VALUE"):
            client.set_registered_model_alias(model, wrong, "1")
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.set_registered_model_alias(model, "champion", "9")


def test_models_are_searched(client, name):
    for number in range(3):
        client.create_registered_model(f"{name}-{number}", tags={"n": str(number)})
    mine = f"name LIKE '{name}%'"

    def found(text=mine, **rest):
        return [model.name[-1] for model in client.search_registered_models(text, **rest)]

    assert found() == list("012")
    assert found(order_by=["name DESC"]) == list("210")
    assert found(order_by=["last_updated_timestamp DESC", "name DESC"])[0] == "2"
    assert found(f"{mine} AND tags.n = '1'") == ["1"] and found(f"{mine} AND tags.`n` != '1'") == ["0", "2"]
    assert found(f"name = '{name}-1'") == ["1"] and found(f"name ILIKE '{name.upper()}%'") == list("012")
    page = client.search_registered_models(mine, max_results=2)
    rest = client.search_registered_models(mine, max_results=2, page_token=page.token)
    assert [model.name[-1] for model in [*page, *rest]] == list("012") and not rest.token
    for text in ("nope = 'x'", "name = 5", "name = 'a' OR name = 'b'"):
        with refused("INVALID_PARAMETER_VALUE"):
            found(text)
    with refused("INVALID_PARAMETER_VALUE"):
        found(order_by=["nope"])


def test_versions_are_searched(client, model, run, experiment):
    other = client.create_run(experiment).info.run_id
    for of in (run, run, other):
        version_of(client, model, of)
    client.set_model_version_tag(model, "2", "v", "2")

    def found(text, **rest):
        return [int(version.version) for version in client.search_model_versions(text, **rest)]

    mine = f"name = '{model}'"
    assert sorted(found(mine)) == [1, 2, 3]
    assert found(mine, order_by=["version_number DESC"]) == [3, 2, 1]
    assert sorted(found(f"run_id = '{run}'")) == [1, 2] and found(f"run_id IN ('{other}', 'x')") == [3]
    assert found(f"{mine} AND tags.v = '2'") == [2] and found(f"{mine} AND version_number > 2") == [3]
    assert sorted(found(f"{mine} AND source_path LIKE '%model'")) == [1, 2, 3]
    page = client.search_model_versions(mine, max_results=2, order_by=["version_number ASC"])
    rest = client.search_model_versions(mine, max_results=2, order_by=["version_number ASC"], page_token=page.token)
    assert [int(version.version) for version in [*page, *rest]] == [1, 2, 3]
    for text in ("nope = 'x'", f"{mine} OR {mine}", "version_number = 'x'"):
        with refused("INVALID_PARAMETER_VALUE"):
            found(text)


def test_the_newest_versions_come_with_the_model(client, model, run):
    for _ in range(2):
        version_of(client, model, run)
    client.transition_model_version_stage(model, "1", "Staging")
    latest = {version.current_stage: int(version.version) for version in client.get_registered_model(model).latest_versions}
    assert latest == {"None": 2, "Staging": 1}


@pytest.mark.since3
def test_a_prompt_is_registered_loaded_and_hidden_from_models(client, name):
    mlflow.genai.register_prompt(name, "Forecast {{series}}", tags={"k": "v"})
    mlflow.genai.register_prompt(name, "Forecast {{series}} better")
    assert mlflow.genai.load_prompt(f"prompts:/{name}/1").format(series="a") == "Forecast a"
    mlflow.genai.set_prompt_alias(name, alias="live", version=2)
    assert mlflow.genai.load_prompt(f"prompts:/{name}@live").version == 2
    assert [model.name for model in client.search_registered_models(f"name = '{name}'")] == []
