"""Experiments: made, found, renamed, deleted, restored, tagged and searched."""


def questions(ask):
    ask.post("experiments/create", {"name": "<u>-a"}, "plain", save={"e1": "experiment_id"})
    ask.post("experiments/create", {"name": "<u>-a"}, "name taken", rank=2)
    ask.post(
        "experiments/create",
        {"name": "<u>-b", "artifact_location": "mlflow-artifacts:/elsewhere", "tags": [{"key": "team", "value": "x"}, {"key": "dup", "value": "1"}]},
        "with place and tags",
        save={"e2": "experiment_id"},
    )
    ask.post("experiments/create", {"name": "<u>-c", "tags": [{"key": "k", "value": "1"}, {"key": "k", "value": "2"}]}, "a tag twice", rank=3)
    ask.post("experiments/create", {"name": "<u>-d", "tags": [{"key": "k"}]}, "a tag without value", rank=3)
    ask.post("experiments/create", {"name": "x" * 501}, "name too long", rank=2)
    ask.post("experiments/create", {"name": "<u>-" + "y" * 450}, "long name")
    ask.post("experiments/create", {"name": "<u>-né/ü 時"}, "name in unicode", save={"eu": "experiment_id"})
    ask.post("experiments/create", {"name": " <u> "}, "name with blanks", rank=3)
    ask.post("experiments/create", {"name": "<u>-t", "tags": [{"key": "x" * 251, "value": "v"}]}, "tag key too long", rank=2)
    ask.post("experiments/create", {"name": "<u>-t2", "tags": [{"key": "k", "value": "v" * 5001}]}, "tag value long", rank=2)
    ask.post("experiments/create", {"name": "<u>-p1", "artifact_location": "s3://b/p?x=1"}, "place with a query", rank=3)
    ask.post("experiments/create", {"name": "<u>-p2", "artifact_location": "mlflow-artifacts:/a/../b"}, "place with dots", rank=3)
    ask.post("experiments/create", {"name": "<u>-p3", "artifact_location": "s3://bucket/" + "p" * 2100}, "place too long", rank=3)
    ask.vary("POST", "experiments/create", {"name": ("text", "<u>-v<i>"), "artifact_location": ("text", "mlflow-artifacts:/v"), "tags": ("messages", [])})

    ask.get("experiments/get", {"experiment_id": "<e1>"}, "found")
    ask.get("experiments/get", {"experiment_id": "<e2>"}, "found, with tags")
    ask.get("experiments/get", {"experiment_id": "0"}, "the default one")
    ask.get("experiments/get", {"experiment_id": "99999999"}, "unknown", rank=2)
    for wrong in ("abc", "-1", "1.5", " ", "9" * 30, "1 ", "0x1", "١"):
        ask.get("experiments/get", {"experiment_id": wrong}, f"id {wrong!r}", rank=3)
    ask.vary("GET", "experiments/get", {"experiment_id": ("text", "<e1>")})
    ask.get("experiments/get-by-name", {"experiment_name": "<u>-a"}, "found")
    ask.get("experiments/get-by-name", {"experiment_name": "<u>-né/ü 時"}, "in unicode")
    ask.get("experiments/get-by-name", {"experiment_name": "<u>-none"}, "unknown", rank=2)
    ask.get("experiments/get-by-name", {}, "nothing asked", rank=3)

    ask.post("experiments/update", {"experiment_id": "<e1>", "new_name": "<u>-a2"}, "renamed")
    ask.post("experiments/update", {"experiment_id": "<e1>", "new_name": "<u>-a2"}, "renamed to the same")
    ask.post("experiments/update", {"experiment_id": "<e1>", "new_name": "<u>-b"}, "name taken", rank=2)
    ask.post("experiments/update", {"experiment_id": "<e1>", "new_name": "x" * 501}, "name too long", rank=2)
    ask.post("experiments/update", {"experiment_id": "88888888", "new_name": "<u>-zz"}, "unknown", rank=2)
    ask.post("experiments/update", {"experiment_id": "<e1>"}, "no new name", rank=3)
    ask.get("experiments/get", {"experiment_id": "<e1>"}, "after renaming")
    ask.vary("POST", "experiments/update", {"experiment_id": ("text", "<e1>"), "new_name": ("text", "<u>-r<i>")})
    ask.post("experiments/update", {"experiment_id": "<e1>", "new_name": "<u>-a3"}, "renamed at last")

    ask.post("experiments/set-experiment-tag", {"experiment_id": "<e1>", "key": "colour", "value": "red"}, "plain")
    ask.post("experiments/set-experiment-tag", {"experiment_id": "<e1>", "key": "colour", "value": "blue"}, "again")
    ask.post("experiments/set-experiment-tag", {"experiment_id": "<e1>", "key": "empty", "value": ""}, "empty value")
    ask.post("experiments/set-experiment-tag", {"experiment_id": "<e1>", "key": "mlflow.note.content", "value": "# hé"}, "note")
    ask.post("experiments/set-experiment-tag", {"experiment_id": "<e1>", "key": "long", "value": "v" * 5001}, "value of 5001", rank=2)
    ask.post("experiments/set-experiment-tag", {"experiment_id": "<e1>", "key": "longer", "value": "v" * 20001}, "value of 20001", rank=2)
    ask.post("experiments/set-experiment-tag", {"experiment_id": "<e1>", "key": "k" * 251, "value": "v"}, "key too long", rank=2)
    ask.post("experiments/set-experiment-tag", {"experiment_id": "77777777", "key": "k", "value": "v"}, "unknown experiment", rank=2)
    for key in ("a b", "a/b", "/a", "a//b", "../a", "a$b", "a,b", "é", ".", "a/./b", "a:b", "a\nb", "a\tb", " ", "a/"):
        ask.post("experiments/set-experiment-tag", {"experiment_id": "<e1>", "key": key, "value": "v"}, f"key {key!r}", rank=2)
    ask.vary("POST", "experiments/set-experiment-tag", {"experiment_id": ("text", "<e1>"), "key": ("text", "k"), "value": ("text", "v")})
    ask.get("experiments/get", {"experiment_id": "<e1>"}, "with tags")
    ask.post("experiments/delete-experiment-tag", {"experiment_id": "<e1>", "key": "colour"}, "there")
    ask.post("experiments/delete-experiment-tag", {"experiment_id": "<e1>", "key": "colour"}, "gone", rank=2)
    ask.post("experiments/delete-experiment-tag", {"experiment_id": "66666666", "key": "colour"}, "unknown experiment", rank=2)
    ask.vary("POST", "experiments/delete-experiment-tag", {"experiment_id": ("text", "<e1>"), "key": ("text", "never")})

    ask.post("experiments/delete", {"experiment_id": "<e2>"}, "there")
    ask.post("experiments/delete", {"experiment_id": "<e2>"}, "gone already", rank=2)
    ask.get("experiments/get", {"experiment_id": "<e2>"}, "deleted")
    ask.get("experiments/get-by-name", {"experiment_name": "<u>-b"}, "deleted")
    ask.post("experiments/create", {"name": "<u>-b"}, "name of a deleted one", rank=2)
    ask.post("experiments/update", {"experiment_id": "<e2>", "new_name": "<u>-b2"}, "deleted", rank=2)
    ask.post("experiments/set-experiment-tag", {"experiment_id": "<e2>", "key": "k", "value": "v"}, "deleted", rank=2)
    ask.post("experiments/delete-experiment-tag", {"experiment_id": "<e2>", "key": "team"}, "deleted", rank=2)
    ask.post("runs/create", {"experiment_id": "<e2>"}, "in a deleted experiment", rank=2)
    ask.post("experiments/restore", {"experiment_id": "<e2>"}, "deleted")
    ask.post("experiments/restore", {"experiment_id": "<e2>"}, "active already", rank=2)
    ask.post("experiments/delete", {"experiment_id": "55555555"}, "unknown", rank=2)
    ask.post("experiments/restore", {"experiment_id": "55555555"}, "unknown", rank=2)
    ask.vary("POST", "experiments/delete", {"experiment_id": ("text", "44444444")})
    ask.vary("POST", "experiments/restore", {"experiment_id": ("text", "44444444")})
    searches(ask)


def searches(ask):
    """Searching experiments of this sitting: each name holds the word `<u>s`."""
    for number in range(5):
        tags = [{"key": "team", "value": f"t{number % 2}"}, {"key": "odd key", "value": "x"}]
        body = {"name": f"<u>s-{number}" if number < 4 else "<u>S-UPPER", "tags": tags}
        ask.post("experiments/create", body, f"for searching {number}", save={f"es{number}": "experiment_id"})
    ask.post("experiments/delete", {"experiment_id": "<es3>"}, "for searching")
    mine = "name ILIKE '<u>s%'"

    def search(title, rank=1, **body):
        ask.post("experiments/search", body, title, rank=rank, pick="experiments.*.name")

    ask.post("experiments/search", {"filter": mine, "max_results": 100, "order_by": ["name ASC"]}, "whole answer")
    search("all of mine", filter=mine, max_results=100, order_by=["name ASC"])
    ask.get("experiments/search", {"filter": mine, "max_results": 100, "order_by": ["name DESC"]}, "by GET")
    ask.get("experiments/search", {"filter": mine, "max_results": 100, "view_type": "DELETED_ONLY"}, "by GET, deleted")
    for view in ("ACTIVE_ONLY", "DELETED_ONLY", "ALL", "active_only", "NONE", "", 1, 2, 3, 4, 0, "1", None, True, 1.5):
        search(f"view {view!r}", filter=mine, max_results=100, order_by=["name"], view_type=view, rank=1 if view in ("ALL", "DELETED_ONLY") else 3)
    for order in (
        ["name DESC"], ["experiment_id"], ["experiment_id DESC"], ["lifecycle_stage DESC", "name ASC"], ["attribute.name DESC"],
        ["attributes.name"], ["attr.name"], ["experiment.name"], ["name desc"], ["name DESCENDING"], ["tags.team"], ["nope"], [""], ["name ASC DESC"], ["name,"], "name", 5, [5],
        ["`name`"], ["name ASC", "name DESC"], ["tag.team DESC"], ["lifecycle_stage"], ["artifact_location"],
    ):
        search(f"order {order!r}", filter=mine, max_results=100, order_by=order, rank=1 if order in (["name DESC"], ["experiment_id DESC"]) else 2)
    for text in (
        "name = '<u>s-1'", "name != '<u>s-1'", "name LIKE '<u>s%'", "name LIKE '<u>S%'", "name ILIKE '<u>S%'", "name LIKE '%s-_'",
        "attribute.name = '<u>s-1'", "attributes.name = '<u>s-1'", "attr.name = '<u>s-1'", "experiment.name = '<u>s-1'", 'name = "<u>s-1"',
        "name='<u>s-1'", "tags.team = 't1'", "tag.team = 't1'", "tags.team != 't1'", "tags.team LIKE 't%'", "tags.team ILIKE 'T%'",
        "tags.`odd key` = 'x'", 'tags."odd key" = \'x\'', "tags.nope = 'x'", "tags.team IS NULL", "tags.team IS NOT NULL", "tags.nope IS NULL", "creation_time > 0", "creation_time < 0",
        "creation_time >= 0", "last_update_time > 0", "last_update_time != 5", "creation_time = 'x'", "creation_time LIKE '1%'", "name > 'a'", "name IN ('<u>s-1')",
        "name = 5", "name = abc", "nope = 'x'", "experiment_id = '1'", "lifecycle_stage = 'active'", "params.x = '1'", "metrics.x = 1", "name = 'a' OR name = 'b'",
        "name", "name =", "= 'a'", "'a' = name", "name == 'a'", "name = 'a' AND", "AND name = 'a'", "(name = 'a')", "name = 'it''s'", "name = 'unclosed",
        "name NOT LIKE 'a'", "tags.team IN ('t1')", "name = '<u>s-1';", "name = '<u>s-1' -- x", "tags.team = t1", "creation_time > 1.5", "creation_time > 1e3", " ", "name IS NULL",
        "tags.a.b = 'x'", "tags. = 'x'", "tags = 'x'", "name LIKE 5", "creation_time > 0 AND creation_time > 1", "name = ''", "name NOT IN ('a')", "tags.team RLIKE 't'",
    ):
        narrowed = f"{mine} AND {text}" if text.strip() and not text.startswith(("AND", "=")) else text
        rank = 2 if "'" in text else 3
        search(f"filter {text!r}", filter=narrowed, max_results=100, order_by=["name"], rank=rank)
    for most in (1, 2, 100, 50000, 50001, 0, -1, "2", "x", 1.5, None, True):
        search(f"max_results {most!r}", filter=mine, max_results=most, order_by=["name"], rank=2)
    ask.post("experiments/search", {"filter": mine, "max_results": 2, "order_by": ["name"]}, "first page", save={"etoken": "next_page_token"})
    ask.post("experiments/search", {"filter": mine, "max_results": 2, "order_by": ["name"], "page_token": "<etoken>"}, "second page", save={"etoken2": "next_page_token"})
    ask.post("experiments/search", {"filter": mine, "max_results": 2, "order_by": ["name"], "page_token": "<etoken2>"}, "after the last page")
    for token in ("x", "", "eyJvZmZzZXQiOiAxfQ==", "bm90IGpzb24=", 5, None, "é"):
        search(f"token {token!r}", filter=mine, max_results=2, order_by=["name"], page_token=token, rank=3)
    search("nothing said", rank=3, filter="name = '<u> none'")
    ask.vary("POST", "experiments/search", {"filter": ("text", mine), "max_results": ("int", 2), "order_by": ("list", ["name"])})
