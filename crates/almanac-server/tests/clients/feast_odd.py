"""Feast's own client against our server, on what is odd: lists, bytes, views without keys, renamed views, missing entities.

    python feast_odd.py http://127.0.0.1:8080 REPOSITORY

REPOSITORY is the fixture `feast-odd` of `almanac-feature-store`; its views are served until 2024-01-20, `events` without a ttl.
The expected answers are those that Feast's own server gave for the same repository, but for two things that are intended: a missing value
of a known entity is NULL_VALUE (Feast: PRESENT), and one past its ttl is missing (Feast's server does not look at the ttl).
"""
import json
import os
import sys
import urllib.request
import warnings

warnings.filterwarnings("ignore")
os.environ["FEAST_USAGE"] = "False"
from feast import FeatureStore, RepoConfig

url, repository = sys.argv[1:]
store = FeatureStore(
    config=RepoConfig(
        project="odd",
        provider="local",
        registry=f"{repository}/registry.db",
        online_store={"type": "remote", "path": url},
        entity_key_serialization_version=3,
    )
)


def ask(features, rows, full=False):
    return store.get_online_features(features=features, entity_rows=rows, full_feature_names=full).to_dict()


def check(found, expected):
    assert found == expected, f"{found} is not {expected}"


rows = [{"customer_id": key} for key in (1, 2, 3, 99, -7, 2**62)]
names = [f"events:{name}" for name in ("big", "small", "dbl", "flt", "txt", "flag", "ints", "dbls", "flags")]  # its client cannot read the empty list of `txts` from any server
answer = ask(names, rows)
check(answer["big"], [109, 206, None, None, 72, 5])
check(answer["small"], [9, 6, None, None, 72, 5])
check(answer["dbl"], [109 / 3, 206 / 3, None, None, 24.0, 5 / 3])
check(answer["txt"], ["t109", "t206", None, None, "t72", "t5"])
check(answer["flag"], [False, True, None, None, True, False])
check(answer["ints"], [[109, 110], [206, 207], None, None, [72, 73], [5, 6]])
check(answer["dbls"], [[109 / 3], [206 / 3], None, None, [24.0], [5 / 3]])
check(answer["flags"], [[True, False], [True, False], None, None, [True, False], [True, False]])
# Keys of three views at once; the client of the remote store hands all of them on.
trip = store.get_feature_service("trip")
check(
    ask(trip, [{"origin_id": "A", "dest_id": "B"}, {"origin_id": "Z", "dest_id": "C"}], full=True),
    {"origin_id": ["A", "Z"], "dest_id": ["B", "C"], "origin_t__temperature": [10, None], "dest_t__temperature": [20, 30]},
)
check(ask(["routes:load"], [{"origin": "A", "day_no": 2}, {"origin": "B", "day_no": 2}]), {"origin": ["A", "B"], "day_no": [2, 2], "load": [2.5, None]})
check(ask(["naive:n"], [{"customer_id": 1}, {"customer_id": 99}]), {"customer_id": [1, 99], "n": [2, None]})
plain = store.get_feature_service("plain")
check(
    {name: values for name, values in ask(plain, rows[:4], full=True).items()},
    {"customer_id": [1, 2, 3, 99], "events__big": [109, 206, None, None], "events__txt": ["t109", "t206", None, None], "naive__n": [2, 4, None, None]},
)


def raw(body):
    request = urllib.request.Request(f"{url}/get-online-features", json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request) as response:
        found = json.load(response)
    return dict(zip(found["metadata"]["feature_names"], found["results"]))


# What the client makes of types is its own affair; these are the bytes that Feast's server sent.
found = raw({"features": ["events:raw", "events:when", "events:flt", "events:txts"], "entities": {"customer_id": [1, 99]}})
check(found["raw"]["values"], ["bf8=", None])
check(found["when"]["values"], [1704153600, None])
check(found["txts"], {"values": [[], None], "statuses": ["PRESENT", "NOT_FOUND"], "event_timestamps": ["2024-01-10T00:00:00Z", "1970-01-01T00:00:00Z"]})
check(found["customer_id"], {"values": [1, 99], "statuses": ["PRESENT"] * 2, "event_timestamps": ["1970-01-01T00:00:00Z"] * 2})
check([round(found["flt"]["values"][0], 4)], [36.3333])
for features, word in [(["odfv:y"], "on-demand"), (["naive:zz"], "zz"), (["nono:n"], "nono"), (["offline_only:n"], "offline_only")]:
    try:
        ask(features, rows[:1])
    except Exception as error:
        assert word in str(error), error
    else:
        raise AssertionError(f"{features} must be refused")
print("Feast's client sees what it expects")
