"""Do files that a client logs come back as they were, with their names, and nothing else?"""

import hashlib
import http.client
import json
import random
import urllib.parse
from pathlib import Path

import mlflow
import pytest
import requests
from mlflow.exceptions import MlflowException

PROXY = "/api/2.0/mlflow-artifacts/artifacts"


def server():
    return mlflow.get_tracking_uri().rstrip("/")


@pytest.fixture
def folder(client, run):
    """The URL of the folder of a run's files."""
    uri = client.get_run(run).info.artifact_uri
    assert uri.startswith("mlflow-artifacts:/")
    return f"{server()}{PROXY}/{uri.removeprefix('mlflow-artifacts:').lstrip('/')}"


def listed(client, run, path=None):
    """(path, is it a folder, bytes); a size of 0 is left out on the wire."""
    return {(file.path, file.is_dir, None if file.is_dir else file.file_size or 0) for file in client.list_artifacts(run, path)}


def test_files_and_folders_are_listed_and_fetched(client, run, tmp_path):
    (tmp_path / "d" / "e").mkdir(parents=True)
    (tmp_path / "a.txt").write_text("hello")
    (tmp_path / "d" / "b.bin").write_bytes(bytes(range(256)) * 10)
    (tmp_path / "d" / "e" / "empty").write_bytes(b"")
    client.log_artifact(run, str(tmp_path / "a.txt"))
    client.log_artifact(run, str(tmp_path / "a.txt"), "copies/of")
    client.log_artifacts(run, str(tmp_path / "d"), "d")
    assert listed(client, run) == {("a.txt", False, 5), ("copies", True, None), ("d", True, None)}
    assert listed(client, run, "copies") == {("copies/of", True, None)}
    assert listed(client, run, "d") == {("d/b.bin", False, 2560), ("d/e", True, None)}
    assert listed(client, run, "d/e") == {("d/e/empty", False, 0)}
    assert listed(client, run, "nope") == set()
    assert listed(client, run, "a.txt") == set()
    (tmp_path / "into").mkdir()
    fetched = client.download_artifacts(run, "d", str(tmp_path / "into"))
    assert (tmp_path / "into" / "d" / "b.bin").read_bytes() == bytes(range(256)) * 10
    assert (tmp_path / "into" / "d" / "e" / "empty").read_bytes() == b"" and fetched.endswith("d")


def test_everything_is_fetched_at_once(client, run, tmp_path):
    for name in ("a.txt", "x/b.txt", "x/y/c.txt"):
        client.log_text(run, f"in {name}", name)
    whole = mlflow.artifacts.download_artifacts(run_id=run, artifact_path="", dst_path=str(tmp_path))
    found = {str(path.relative_to(whole)): path.read_text() for path in Path(whole).rglob("*") if path.is_file()}
    assert found == {name: f"in {name}" for name in ("a.txt", "x/b.txt", "x/y/c.txt")}


def test_texts_dictionaries_tables_and_images_are_logged(client, run, experiment):
    numpy = pytest.importorskip("numpy")
    mlflow.set_experiment(experiment_id=experiment)
    with mlflow.start_run(run_id=run):
        mlflow.log_text("é 時\n", "notes/text.txt")
        mlflow.log_dict({"a": [1, 2.5, None], "é": "x"}, "d.json")
        mlflow.log_dict({"a": 1}, "d.yaml")
        mlflow.log_image(numpy.zeros((4, 4, 3), dtype=numpy.uint8), "i.png")
    uri = client.get_run(run).info.artifact_uri
    assert mlflow.artifacts.load_text(f"{uri}/notes/text.txt") == "é 時\n"
    assert mlflow.artifacts.load_dict(f"runs:/{run}/d.json") == {"a": [1, 2.5, None], "é": "x"}
    assert mlflow.artifacts.load_image(f"{uri}/i.png").size == (4, 4)
    assert {path for path, *_ in listed(client, run)} == {"notes", "d.json", "d.yaml", "i.png"}


ODD = ["with blank.txt", "é時😀.txt", "plus+sign.txt", "at@semi;eq=amp&.txt", "100%.txt", "brackets[0](1){2}.txt", "a'quote.txt", "tilde~!$,.txt", "d/.hidden", "x" * 200]


@pytest.mark.parametrize("odd", ODD)
def test_odd_names_survive(client, run, odd):
    client.log_text(run, odd, odd)
    top = odd.split("/")[0]
    assert top in {path for path, *_ in listed(client, run)}
    with open(client.download_artifacts(run, odd), encoding="utf-8") as file:
        assert file.read() == odd


def test_a_file_is_overwritten(client, run):
    client.log_text(run, "a longer first text", "a.txt")
    client.log_text(run, "second", "a.txt")
    assert listed(client, run) == {("a.txt", False, 6)}
    assert mlflow.artifacts.load_text(f"runs:/{run}/a.txt") == "second"


def test_a_large_file_comes_back_as_it_was(client, run, tmp_path):
    content = random.Random(1).randbytes(20 << 20)
    (tmp_path / "big").write_bytes(content)
    client.log_artifact(run, str(tmp_path / "big"))
    with open(client.download_artifacts(run, "big"), "rb") as file:
        assert hashlib.sha256(file.read()).digest() == hashlib.sha256(content).digest()


def test_files_are_deleted(client, run, folder):
    client.log_text(run, "1", "a.txt")
    client.log_text(run, "2", "d/b.txt")
    assert requests.delete(f"{folder}/a.txt", timeout=30).status_code == 200
    assert listed(client, run) == {("d", True, None)}
    repository = mlflow.store.artifact.artifact_repository_registry.get_artifact_repository(client.get_run(run).info.artifact_uri)
    repository.delete_artifacts("d")
    assert listed(client, run) == set()
    with pytest.raises(MlflowException):
        client.download_artifacts(run, "a.txt")


def test_a_part_of_a_file_is_served(client, run, folder):
    client.log_text(run, "0123456789", "a.txt")
    whole = requests.get(f"{folder}/a.txt", timeout=30)
    assert (whole.status_code, whole.content, whole.headers["Content-Length"]) == (200, b"0123456789", "10")
    assert whole.headers["X-Content-Type-Options"] == "nosniff" and "attachment" in whole.headers["Content-Disposition"]
    part = requests.get(f"{folder}/a.txt", headers={"Range": "bytes=2-4"}, timeout=30)
    assert (part.status_code, part.content, part.headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")


def test_files_are_served_by_the_run_too(client, run):
    client.log_text(run, "hello", "d/a.txt")
    answer = requests.get(f"{server()}/get-artifact", params={"run_id": run, "path": "d/a.txt"}, timeout=30)
    assert (answer.status_code, answer.content) == (200, b"hello")
    listing = requests.get(f"{server()}/api/2.0/mlflow/artifacts/list", params={"run_id": run, "path": "d"}, timeout=30).json()
    assert listing["files"] == [{"path": "d/a.txt", "is_dir": False, "file_size": 5}]
    assert listing["root_uri"] == client.get_run(run).info.artifact_uri


UPWARDS = ["../x", "..%2Fx", "%2e%2e/x", "%2e%2e%2f%2e%2e%2fx", "d/../../x"]


@pytest.mark.parametrize(
    ("method", "path"),
    [(method, path) for method in ("GET", "PUT", "DELETE") for path in UPWARDS]
    + [("GET", "%2Fetc%2Fpasswd"), ("PUT", "%2Fetc%2Fpasswd"), ("GET", "d%5C..%5C..%5Cx"), ("GET", "%00")],
)
def test_no_path_leads_out_of_the_store(folder, method, path):
    """By a raw connection, because `requests` tidies such paths up before it sends them."""
    parts = urllib.parse.urlsplit(folder)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    connection.request(method, f"{parts.path}/{path}", body=b"x" if method == "PUT" else None)
    assert connection.getresponse().status >= 400


@pytest.mark.parametrize("path", ["..", "../..", "/etc", "%2e%2e", "d/../../.."])
def test_no_listing_leads_out_of_the_store(run, path):
    answer = requests.get(f"{server()}/api/2.0/mlflow/artifacts/list", params={"run_id": run, "path": path}, timeout=30)
    assert answer.status_code == 400 and json.loads(answer.text)["error_code"] == "INVALID_PARAMETER_VALUE"
    assert requests.get(f"{server()}{PROXY}", params={"path": path}, timeout=30).status_code == 400
    assert requests.get(f"{server()}/get-artifact", params={"run_id": run, "path": path}, timeout=30).status_code == 400
