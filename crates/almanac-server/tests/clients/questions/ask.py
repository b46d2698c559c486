"""How a question is written down, and the wrong values that every field is tried with."""

import dataclasses
import json

API = "/api/2.0/mlflow/"


@dataclasses.dataclass
class Question:
    """One request. `rank`: 1 is what clients do every day, 2 a refusal that they may see, 3 what only strangers send.
    `pick`: what of a long answer is compared.
    """

    title: str
    method: str
    path: str
    body: object = None
    query: object = None
    raw: bytes = None
    headers: dict = dataclasses.field(default_factory=dict)
    save: dict = dataclasses.field(default_factory=dict)
    rank: int = 1
    bytes: bool = False
    pick: str = ""

    def __str__(self):
        sent = self.query if self.query is not None else self.body if self.raw is None else self.raw.decode("latin-1")
        text = json.dumps(sent, ensure_ascii=False)
        return f"{self.method} {self.path} {text if len(text) < 600 else text[:600] + '…'}"


WRONG = {
    "text": [5, 1.5, True, [], ["a"], {}, None, ""],
    "int": ["abc", 1.5, "7", True, [], {}, None, "", -1, 2**63, "1e3", 3.0],
    "float": ["abc", "0.5", True, [], {}, None, "", "NaN", "Infinity", "-Infinity", "nan", "1e999", 10**400],
    "list": ["a", 5, {}, None, [5], [None], [[]], ["a"]],
    "messages": ["a", 5, {}, None, [5], [None], [[]], ["a"], [{}], [{"unknown": 1}]],
}


class Asker:
    """Collects questions."""

    def __init__(self):
        self.questions = []
        self.named = {}

    def post(self, path, body, title, method="POST", **rest):
        self.add(method, path, title, body=body, **rest)

    def patch(self, path, body, title, **rest):
        self.add("PATCH", path, title, body=body, **rest)

    def delete(self, path, body, title, **rest):
        self.add("DELETE", path, title, body=body, **rest)

    def get(self, path, query, title, **rest):
        self.add("GET", path, title, query=query, **rest)

    def add(self, method, path, title, **rest):
        full = path if path.startswith("/") else API + path
        name = f"{path}: {title}"
        self.named[name] = self.named.get(name, 0) + 1
        if self.named[name] > 1:
            name += f" ({self.named[name]})"
        self.questions.append(Question(name, method, full, **rest))

    def vary(self, method, path, fields, rank=3):
        """Asks with each field missing and of each wrong type, with an unknown one, and with no body.

        `fields`: name to (type, valid value). Valid values must bear being sent often.
        """
        valid = {name: value for name, (_, value) in fields.items()}

        def ask(title, sent):
            as_query = method == "GET"
            self.add(method, path, f"varied, {title}", **{"query" if as_query else "body": sent}, rank=rank)

        for name, (kind, _) in fields.items():
            ask(f"{name} missing", {key: value for key, value in valid.items() if key != name})
            for wrong in WRONG[kind]:
                if method == "GET" and isinstance(wrong, (dict, list, type(None))):
                    continue
                shown = json.dumps(wrong)
                shown = shown if len(shown) < 40 else "a huge number"
                ask(f"{name} is {shown}", {**valid, name: wrong})
        ask("an unknown field", {**valid, "no_such_field": {"a": [1]}})
        if method != "GET":
            ask("names in camel case", {camel(name): value for name, value in valid.items()})
            ask("no fields", {})
            self.add(method, path, "varied, a list", rank=rank, body=[])
            self.add(method, path, "varied, null", rank=rank, raw=b"null", headers={"Content-Type": "application/json"})
        else:
            ask("no fields", {})


def camel(name):
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
