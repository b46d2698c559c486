"""Are traces of a program kept, found, tagged, judged and deleted?"""

import mlflow
import pytest

pytestmark = pytest.mark.since3


@pytest.fixture
def traced(experiment):
    """The trace of a function that called two others, one of which failed."""
    mlflow.set_experiment(experiment_id=experiment)

    @mlflow.trace(span_type="TOOL", attributes={"depth": 1})
    def inner(x):
        if x > 1:
            raise ValueError("too much")
        return {"doubled": 2 * x}

    @mlflow.trace(name="outer")
    def outer(x):
        try:
            inner(x + 1)
        except ValueError:
            mlflow.update_current_trace(tags={"failed": "inner"})
        return inner(x)

    outer(1)
    mlflow.flush_trace_async_logging()
    return mlflow.get_last_active_trace_id()


def test_a_trace_is_found_with_its_spans(client, experiment, traced):
    trace = mlflow.get_trace(traced)
    assert trace.info.state == "OK" and trace.info.experiment_id == experiment
    assert [span.name for span in trace.data.spans][0] == "outer" and len(trace.data.spans) == 3
    root = trace.data.spans[0]
    assert root.inputs == {"x": 1} and root.outputs == {"doubled": 2}
    failed = [span for span in trace.data.spans if span.status.status_code.value == "ERROR"]
    assert len(failed) == 1 and failed[0].parent_id == root.span_id and failed[0].get_attribute("depth") == 1
    assert trace.info.tags["failed"] == "inner"


def test_traces_are_searched(client, experiment, traced):
    def found(text=None):
        traces = mlflow.search_traces(locations=[experiment], filter_string=text, return_type="list")
        return [trace.info.trace_id for trace in traces]

    assert found() == [traced]
    assert found("tags.failed = 'inner'") == [traced] and found("tags.failed = 'outer'") == []
    assert found("attributes.status = 'OK'") == [traced] and found("attributes.status = 'ERROR'") == []
    assert found("attributes.name = 'outer'") == [traced]


def test_a_trace_is_tagged(client, traced):
    client.set_trace_tag(traced, "k", "v")
    assert mlflow.get_trace(traced).info.tags["k"] == "v"
    client.delete_trace_tag(traced, "k")
    assert "k" not in mlflow.get_trace(traced).info.tags


def test_a_trace_is_judged(traced):
    given = mlflow.log_feedback(trace_id=traced, name="good", value=True, rationale="it was", metadata={"a": "b"})
    mlflow.log_expectation(trace_id=traced, name="answer", value={"doubled": 2})
    judged = {one.name: one for one in mlflow.get_trace(traced).info.assessments}
    assert judged["good"].value is True and judged["good"].rationale == "it was" and judged["answer"].value == {"doubled": 2}
    mlflow.delete_assessment(trace_id=traced, assessment_id=given.assessment_id)
    assert [one.name for one in mlflow.get_trace(traced).info.assessments] == ["answer"]


def test_traces_are_deleted(client, experiment, traced):
    assert client.delete_traces(experiment, trace_ids=[traced]) == 1
    assert mlflow.search_traces(locations=[experiment], return_type="list") == []
