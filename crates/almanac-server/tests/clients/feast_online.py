"""Feast's own client, with its remote online store, against our server.

    python feast_online.py http://127.0.0.1:8080 REPOSITORY

REPOSITORY is the fixture of `almanac-feature-store`; its views are served without a ttl, materialised until 2024-01-20.
"""
import os
import sys
import warnings

warnings.filterwarnings("ignore")
os.environ["FEAST_USAGE"] = "False"
from feast import FeatureStore, RepoConfig

url, repository = sys.argv[1:]
store = FeatureStore(
    config=RepoConfig(
        project="shop",
        provider="local",
        registry=f"{repository}/registry.db",
        online_store={"type": "remote", "path": url},
        entity_key_serialization_version=3,
    )
)
rows = [{"item": "tea", "shop_id": 1}, {"item": "cocoa", "shop_id": 1}, {"item": "cocoa", "shop_id": 2}, {"item": "coffee", "shop_id": 2}]
names = ["item_stats:price", "item_stats:units", "item_stats:share", "item_stats:on_sale", "item_stats:label", "item_stats:first_sold", "shop_facts:area"]
answer = store.get_online_features(features=names, entity_rows=rows).to_dict()
first_sold = answer.pop("first_sold")
assert answer == {
    "item": ["tea", "cocoa", "cocoa", "coffee"],
    "shop_id": [1, 1, 2, 2],
    "price": [None, 4.0, 4.5, None],
    "units": [8, 1, 2, None],
    "share": [0.3, 0.5, 1.0, None],
    "on_sale": [True, False, False, None],
    "label": ["e", None, "d", None],
    "area": [120.0, 120.0, 80.0, 80.0],
}, answer
assert first_sold[0] == first_sold[1] == first_sold[2] and first_sold[3] is None, first_sold
full = store.get_online_features(features=names[:1], entity_rows=rows[1:2], full_feature_names=True).to_dict()
assert full == {"item": ["cocoa"], "shop_id": [1], "item_stats__price": [4.0]}, full
service = store.get_online_features(features=store.get_feature_service("demand"), entity_rows=rows[1:3]).to_dict()
assert service == {"item": ["cocoa", "cocoa"], "shop_id": [1, 2], "price": [4.0, 4.5], "units": [1, 2], "area": [120.0, 80.0]}, service
shops = store.get_online_features(features=["shop_facts:area"], entity_rows=[{"shop_id": 2}]).to_dict()
assert shops == {"shop_id": [2], "area": [80.0]}, shops
try:
    store.get_online_features(features=["item_stats:weight"], entity_rows=rows)
except Exception as error:
    assert "weight" in str(error), error
else:
    raise AssertionError("an unknown feature must be refused")
print("Feast's client sees what it expects")
