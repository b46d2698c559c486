"""The requests that `differential.py` sends: one file a noun, each a function that adds questions in order.

Later questions use what earlier ones made: `save={"run": "run.info.run_id"}` keeps an id, `<run>` stands for it.
`<u>` is a word of this sitting alone, `<i>` the number of the question: names made of both are never taken.

Not here: sending and comparing (`differential.py`).
"""

from . import artifacts, batches, experiments, history, logged_models, models, runs, search, strange, traces
from .ask import Asker


def all_questions():
    """Returns all questions, in the order in which they are sent."""
    ask = Asker()
    for noun in (experiments, runs, batches, history, search, strange, models, logged_models, artifacts, traces):
        noun.questions(ask)
    return ask.questions
