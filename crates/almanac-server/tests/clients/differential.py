"""Do two servers answer the same? Sends one list of HTTP requests to both and prints where the answers differ.

    python3 differential.py http://127.0.0.1:5000 http://127.0.0.1:8080     MLflow's own server and ours
    python3 differential.py --record mlflow.json http://127.0.0.1:5000      keep the answers of one for later
    python3 differential.py mlflow.json http://127.0.0.1:8080               and compare with them

The requests are in `questions/`, one file a noun: valid, invalid, of wrong types, with fields missing or unknown. Ids, times,
page tokens and made-up names are replaced by the names they got when they first appeared, so that only meaning is compared.
What differs on purpose is in `differential.known`, one pattern a line; it is left out of the report.

Exit status: 0 if nothing else differs, 1 otherwise. Needs nothing but Python. Leaves experiments and models with names of its
own behind; meant for servers of their own.
"""

import argparse
import http.client
import json
import re
import sys
import time
import urllib.parse
import uuid
from pathlib import Path

from questions import all_questions

HERE = Path(__file__).parent
RECENT_MS = 1_600_000_000_000
HEX = re.compile(r"\b(?:m-|tr-|d-)?[0-9a-f]{32}\b")
UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
RUN_NAME = re.compile(r"^[a-z]+-[a-z]+-\d+$")
NOW = re.compile(r"\b1[6-9]\d{11}\b")
ISO_NOW = re.compile(r"\b202[6-9]-\d\d-\d\dT[\d:.]+Z?")
# What only the newest servers say and no client reads.
IGNORED = {"error_class", "sqlstate", "workspace"}
# Where MLflow's server shows the words of its database or of Python, only the code is compared.
ACCIDENTAL = re.compile(r"sqlite3\.|sqlalche\.me|object at 0x|Traceback|not iterable|has no attribute|int too large|must be a string")


class Side:
    """One server: sends questions in order and remembers what it called things."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.address = (parts.hostname, parts.port or 80)
        self.prefix = parts.path.rstrip("/")
        self.connection = None
        self.saved = {"u": uuid.uuid4().hex[:12]}

    def fill(self, value, index):
        """Puts this server's ids where a question says `<name>`."""
        if isinstance(value, str):
            value = value.replace("<i>", str(index))
            return re.sub(r"<(\w+)>", lambda found: str(self.saved.get(found[1], found[0])), value)
        if isinstance(value, dict):
            return {self.fill(key, index): self.fill(item, index) for key, item in value.items()}
        if isinstance(value, list):
            return [self.fill(item, index) for item in value]
        return value

    def ask(self, question, index):
        """Sends one question and returns (status, normalised body)."""
        path = self.prefix + self.fill(question.path, index)
        if question.query is not None:
            path += "?" + urllib.parse.urlencode(self.fill(question.query, index), doseq=True)
        headers = dict(question.headers)
        body = None
        if question.raw is not None:
            body = question.raw
        elif question.body is not None:
            body = json.dumps(self.fill(question.body, index)).encode()
            headers.setdefault("Content-Type", "application/json")
        status, kind, answer = self.send(question.method, path, body, headers)
        parsed = None
        if kind == "application/json":
            try:
                parsed = json.loads(answer)
            except ValueError:
                parsed = {"not JSON": answer.decode(errors="replace")[:200]}
            for name, place in question.save.items():
                self.saved[name] = dig(parsed, place)
            if question.pick and status < 400:
                parsed = pick(parsed, question.pick)
            parsed = self.normal(parsed)
        elif question.bytes:
            parsed = {"bytes": answer.decode("latin-1")}
        return status, parsed

    def send(self, method, path, body, headers):
        for attempt in (1, 2):
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPConnection(*self.address, timeout=60)
                self.connection.request(method, path, body=body, headers=headers)
                response = self.connection.getresponse()
                answer = response.read()
                kind = (response.getheader("Content-Type") or "").split(";")[0]
                if response.will_close:
                    self.connection = None
                return response.status, kind, answer
            except (ConnectionError, http.client.HTTPException):
                self.connection = None
                if attempt == 2:
                    return 0, "", b""
        return 0, "", b""

    def normal(self, value, key="", depth=0):
        if isinstance(value, dict):
            return {name: self.normal(item, name, depth + 1) for name, item in value.items() if name not in IGNORED}
        if isinstance(value, list):
            items = [self.normal(item, key, depth + 1) for item in value]
            # A history is in order; the tags, params and metrics of a thing are in none.
            if depth > 1 and all(isinstance(item, dict) and ("key" in item or "alias" in item) for item in items):
                items.sort(key=lambda item: json.dumps(item, sort_keys=True))
            return items
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, str) and len(value) > 400 and len(set(value[-300:])) == 1:
            value = f"{value[:40]}…{value[-1]} of {len(value)}"
        if isinstance(value, (int, float)):
            return "<time>" if value > RECENT_MS and value < 2 * RECENT_MS else value
        if key == "next_page_token":
            return "<token>"
        if key in ("run_name", "name") and RUN_NAME.match(value):
            return "<made up>"
        return self.normal_text(value, key)

    def normal_text(self, text, key):
        if key == "message" and ACCIDENTAL.search(text):
            return "<accidental>"
        # Long ids first, so that none is cut out of another.
        for name, found in sorted(self.saved.items(), key=lambda item: -len(str(item[1]))):
            found = str(found)
            if len(found) >= 8:
                text = text.replace(found, f"<{name}>")
            elif name.startswith("e") and key == "experiment_id" and text == found:
                return f"<{name}>"
            elif name.startswith("e") and found.isdigit():
                text = re.sub(rf"(mlflow-artifacts:/|id |id=|[eE]xperiment |ID '|artifact: '|file: '){found}\b(?!\.)", rf"\1<{name}>", text)
        text = UUID.sub("<uuid>", HEX.sub("<hex>", text))
        if text.startswith("{") and key != "message":
            try:
                return self.normal(json.loads(text), depth=2)
            except ValueError:
                pass
        if key == "experiment_id" and text.isdigit() and text != "0":
            return "<id>"
        if key == "value" and RUN_NAME.match(text):
            return "<made up>"
        if key == "message":
            # Which parts of a filter it took offence at is the accident of a parser; sets of Python come in any order.
            text = re.sub(r"(Invalid clause\(s\) in filter string).*", r"\1", text, flags=re.DOTALL)
            text = re.sub(r"\{('[^{}]*')\}", lambda found: "{" + ", ".join(sorted(found[1].split(", "))) + "}", text)
        return ISO_NOW.sub("<time>", NOW.sub("<time>", text))


def pick(value, places):
    """Returns what stands at `runs.*.info.run_id`, one of several such places, and the page token."""
    found = [value]
    for step in places.split("."):
        found = [inner for item in found for inner in ((item.get(step),) if step != "*" else item) if inner is not None]
    return {"picked": found, **({"next_page_token": ""} if "next_page_token" in value else {})}


def dig(value, place):
    for step in place.split("."):
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, dict) and step in value:
            value = value[step]
        else:
            return f"no-{place}"
    return value


def answers(source, questions, ours=None):
    """Returns the answers of a server, or those that were kept in a file."""
    if not source.startswith("http"):
        kept = json.loads(Path(source).read_text())
        return [kept.get(question.title) for question in questions]
    side = Side(source)
    return [side.ask(question, index) for index, question in enumerate(questions)]


def kept_of(question, answer):
    """Returns what is worth keeping of an answer: the words of a refusal of rank 3 are never compared."""
    status, body = answer
    return (status, {"error_code": code(body)}) if question.rank == 3 and status >= 400 and code(body) else answer


def difference(question, a, b):
    """Returns what kind of difference there is, and None if there is none. The first kinds are noticed most."""
    (status_a, body_a), (status_b, body_b) = a, b
    code_a, code_b = code(body_a), code(body_b)
    if status_a >= 500 and code_a in (None, "INTERNAL_ERROR") and 400 <= status_b < 500:
        return None  # A stumbled, B refuses.
    if question.rank == 3 and 400 <= status_b < 500 and (status_a < 400 or code_a == code_b):
        return None  # What only strangers send may be refused more strictly, and in other words.
    if (status_a < 400) != (status_b < 400):
        return "1 success"
    if code_a != code_b:
        return "2 code"
    if status_a != status_b:
        return "3 status"
    if status_a < 400 and body_a is not None and body_a != body_b:
        return "4 body"
    if message(body_a) not in (message(body_b), "<accidental>"):
        return "5 message"
    return None


def code(body):
    return body.get("error_code") if isinstance(body, dict) else None


def message(body):
    return body.get("message") if isinstance(body, dict) else None


def report(questions, a, b, known, out, show_messages):
    found = []
    for question, answer_a, answer_b in zip(questions, a, b):
        if answer_a is None:
            print(f"not kept: {question.title}", file=sys.stderr)
            continue
        kind = difference(question, answer_a, answer_b)
        if kind and not any(fits(f"{kind[2:]} {question.title}", pattern) for pattern in known):
            found.append((question.rank, kind, question, answer_a, answer_b))
    found.sort(key=lambda item: (item[0], item[1]))
    for rank, kind, question, answer_a, answer_b in found:
        if kind.startswith("5") and not show_messages:
            continue
        print(f"### [{rank}] {kind[2:]}: {question.title}\n", file=out)
        print(f"- ask: `{question}`", file=out)
        if kind.startswith("4"):
            for line in places(answer_a[1], answer_b[1], "")[:12]:
                print(f"- {line}", file=out)
            print(file=out)
        else:
            print(f"- A: {brief(answer_a)}", file=out)
            print(f"- B: {brief(answer_b)}\n", file=out)
    return len(found)


def places(a, b, at):
    """Returns where two bodies differ, a line each."""
    if isinstance(a, dict) and isinstance(b, dict):
        names = sorted(set(a) | set(b))
        return [line for name in names for line in places(a.get(name, "(absent)"), b.get(name, "(absent)"), f"{at}.{name}")]
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return [line for i, (x, y) in enumerate(zip(a, b)) for line in places(x, y, f"{at}[{i}]")]
    return [] if a == b else [f"`{at}`: A `{short(a)}`, B `{short(b)}`"]


def short(value, most=600):
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) < most else text[:most] + "…"


def fits(title, pattern):
    """Returns whether a title is of a pattern, in which only `*` is special."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), title, re.DOTALL) is not None


def brief(answer):
    return f"{answer[0]} `{short(answer[1])}`"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("a", help="URL of a server, or a file of kept answers")
    parser.add_argument("b", nargs="?", help="URL of the server that is compared with it")
    parser.add_argument("--record", metavar="FILE", help="keep the answers of A")
    parser.add_argument("--only", metavar="PATTERNS", help="report only requests with such titles, e.g. 'runs/search*,metrics/*'")
    parser.add_argument("--out", metavar="FILE", help="write the report there")
    parser.add_argument("--no-messages", action="store_true", help="leave out where only the words of a refusal differ")
    parser.add_argument("--all", action="store_true", help="show also what is known to differ")
    args = parser.parse_args()
    questions = all_questions()
    begun = time.monotonic()
    a = answers(args.a, questions)
    if args.record:
        kept = {question.title: kept_of(question, answer) for question, answer in zip(questions, a)}
        text = ",\n".join(f"{json.dumps(title)}: {json.dumps(answer, sort_keys=True)}" for title, answer in kept.items())
        Path(args.record).write_text("{\n" + text + "\n}\n")
    if args.b is None:
        print(f"{len(questions)} requests in {time.monotonic() - begun:.1f} s")
        return 0
    b = answers(args.b, questions)
    known = []
    if not args.all:
        lines = (HERE / "differential.known").read_text().splitlines()
        known = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if args.only:
        chosen = [i for i, question in enumerate(questions) if any(fits(question.title, one) for one in args.only.split(","))]
        questions, a, b = ([values[i] for i in chosen] for values in (questions, a, b))
    with open(args.out, "w") if args.out else sys.stdout as out:
        found = report(questions, a, b, known, out, not args.no_messages)
        print(f"{len(questions)} requests, {found} answered differently", file=out)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
