"""Traces: made, found, tagged, judged, searched, deleted."""


def questions(ask):
    v3 = "/api/3.0/mlflow/traces"
    ask.post("experiments/create", {"name": "<u>-traces"}, "for traces", save={"et": "experiment_id"})
    trace = "tr-" + "5" * 20 + "<u>"

    def info(number, state="OK"):
        location = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "<et>"}}
        return {
            "trace": {
                "trace_info": {
                    "trace_id": f"{trace}{number}", "trace_location": location, "request_preview": "q", "response_preview": "a", "request_time": f"2025-01-0{number}T00:00:00Z", "execution_duration": "1.5s",
                    "state": state, "trace_metadata": {"mlflow.traceOutputs": "a"}, "tags": {"k": f"v{number}"},
                }
            }
        }

    for number in (1, 2, 3):
        ask.post(v3, info(number, "ERROR" if number == 2 else "OK"), f"made {number}")
    ask.post(v3, {}, "nothing", rank=3)
    ask.get(f"{v3}/{trace}1", None, "found")
    ask.get(f"{v3}/tr-none", None, "unknown", rank=2)
    locations = [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "<et>"}}]
    for text in ("", "status = 'OK'", "status = 'ERROR'", "tags.k = 'v1'", "timestamp_ms > 0", "execution_time_ms > 1000", "request_id = 'x'", "name = 'x'", "nope = 'x'", "status = 5", "metadata.`mlflow.traceOutputs` = 'a'", "tags.k LIKE 'v%'", "trace.status = 'OK'"):
        ask.post(f"{v3}/search", {"locations": locations, "filter": text, "max_results": 10, "order_by": ["timestamp_ms ASC"]}, f"filter {text!r}", rank=2)
    ask.post(f"{v3}/search", {"locations": locations, "max_results": 2}, "first page", save={"ttoken": "next_page_token"})
    ask.post(f"{v3}/search", {"locations": locations, "max_results": 2, "page_token": "<ttoken>"}, "second page")
    ask.post(f"{v3}/search", {"locations": []}, "no place", rank=3)
    ask.patch(f"{v3}/{trace}1/tags", {"key": "new", "value": "1"}, "a tag")
    ask.delete(f"{v3}/{trace}1/tags", {"key": "new"}, "a tag")
    ask.delete(f"{v3}/{trace}1/tags", {"key": "new"}, "a tag that is gone", rank=2)
    feedback = {"assessment": {"assessment_name": "good", "trace_id": f"{trace}1", "source": {"source_type": "HUMAN", "source_id": "ann"}, "feedback": {"value": True}, "rationale": "yes"}}
    ask.post(f"{v3}/{trace}1/assessments", feedback, "feedback", save={"as1": "assessment.assessment_id"})
    ask.get(f"{v3}/{trace}1/assessments/<as1>", None, "found")
    ask.get(f"{v3}/{trace}1", None, "with feedback")
    ask.delete(f"{v3}/{trace}1/assessments/<as1>", None, "there")
    ask.get(f"{v3}/{trace}1/assessments/<as1>", None, "gone", rank=2)
    ask.post("traces/delete-traces", {"experiment_id": "<et>", "request_ids": [f"{trace}1"]}, "one")
    ask.post("traces/delete-traces", {"experiment_id": "<et>", "max_timestamp_millis": 1, "max_traces": 5}, "old ones")
    ask.post("traces/delete-traces", {"experiment_id": "<et>"}, "none said", rank=3)
    ask.get(f"{v3}/{trace}1", None, "deleted", rank=2)
