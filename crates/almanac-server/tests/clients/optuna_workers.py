"""Do unmodified Optuna workers share studies through a server? Runs them and checks what they leave behind.

    python3 optuna_workers.py http://127.0.0.1:8080

Without an argument the address is that of `MLFLOW_TRACKING_URI`. Eight processes work on one study of 200 trials, whose numbers
must be 0 to 199; then come queued trials, several objectives, constraints, taken names, and deletion. Needs `optuna` with
`grpcio` and `protobuf`. Exit status: 0 if all held, 1 otherwise, with a line for each thing that did not.
"""

import math
import multiprocessing
import os
import sys
import urllib.parse
import uuid
import warnings

import optuna
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import TrialState

WORKERS = 8
TRIALS = 200
QUEUED = 20

warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)


def storage(address):
    parts = urllib.parse.urlsplit(address if "://" in address else f"http://{address}")
    proxy = optuna.storages.GrpcStorageProxy(host=parts.hostname, port=parts.port or 80)
    proxy.wait_server_ready(timeout=30)
    return proxy


def objective(trial):
    x = trial.suggest_float("x", -10, 10)
    rate = trial.suggest_float("rate", 1e-5, 1e-1, log=True)
    depth = trial.suggest_int("depth", 1, 9)
    kind = trial.suggest_categorical("kind", ["a", "b", None, 1.5, True])
    loss = (x - 2) ** 2 + abs(math.log10(rate) + 3) + depth / 10 + (0 if kind == "a" else 1)
    trial.set_user_attr("worker", os.getpid())
    for step in range(5):
        trial.report(loss + 5 - step, step)
        if trial.should_prune():
            raise optuna.TrialPruned()
    return loss


def take(study, count):
    """Works off `count` trials together with the others."""
    for _ in range(count):
        study.optimize(objective, n_trials=1)


def work(address, name, seed):
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=20)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=10)
    study = optuna.load_study(study_name=name, storage=storage(address), sampler=sampler, pruner=pruner)
    take(study, TRIALS // WORKERS)


def check(condition, what):
    print(f"{'ok' if condition else 'FAILED'}  {what}")
    if not condition:
        check.failed = True


check.failed = False


def refused(kind, call):
    try:
        call()
    except kind:
        return True
    return False


def many_workers(address, name):
    proxy = storage(address)
    study = optuna.create_study(storage=proxy, study_name=name)
    for place in range(QUEUED):
        study.enqueue_trial({"x": float(place), "kind": "b"}, user_attrs={"place": place})
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=work, args=(address, name, seed)) for seed in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    check(all(worker.exitcode == 0 for worker in workers), "every worker ends in order")
    trials = study.get_trials()
    check([trial.number for trial in trials] == list(range(TRIALS)), f"the numbers are 0 to {TRIALS - 1}")
    check(all(trial.state in (TrialState.COMPLETE, TrialState.PRUNED) for trial in trials), "every trial is finished")
    check(any(trial.state == TrialState.PRUNED for trial in trials), "some trials were pruned")
    check(len({trial.user_attrs["worker"] for trial in trials}) == WORKERS, "every worker took part")
    queued = [trial for trial in trials if "place" in trial.user_attrs]
    kept = [trial.params["x"] == trial.user_attrs["place"] and trial.params["kind"] == "b" for trial in queued]
    check(len(queued) == QUEUED and all(kept), "queued trials were taken once each, with their params")
    best = min((trial for trial in trials if trial.state == TrialState.COMPLETE), key=lambda trial: trial.value)
    check(study.best_params == best.params and study.best_value == best.value, "the best trial is found")
    fresh = optuna.load_study(study_name=name, storage=storage(address))
    check(fresh.get_trials() == trials, "another worker reads the same")
    check(all(trial.datetime_start <= trial.datetime_complete for trial in trials), "times are in order")


def several_objectives(address, name):
    def both(trial):
        x, y = trial.suggest_float("x", 0, 5), trial.suggest_float("y", 0, 3)
        trial.set_user_attr("over", x + y - 6)
        return x**2 + y, (x - 5) ** 2 + y

    sampler = optuna.samplers.NSGAIISampler(population_size=10, constraints_func=lambda trial: [trial.user_attrs["over"]], seed=0)
    study = optuna.create_study(storage=storage(address), study_name=name, directions=["minimize", "maximize"], sampler=sampler)
    study.optimize(both, n_trials=30)
    other = optuna.load_study(study_name=name, storage=storage(address))
    check([direction.name for direction in other.directions] == ["MINIMIZE", "MAXIMIZE"], "directions are kept")
    check(len(other.best_trials) > 0 and all(len(trial.values) == 2 for trial in other.trials), "there is a front of several objectives")
    check(all(len(trial.system_attrs["constraints"]) == 1 for trial in other.trials), "constraints are kept")


def attributes_and_failures(address, name):
    proxy = storage(address)
    study = optuna.create_study(storage=proxy, study_name=name)
    check(refused(optuna.exceptions.DuplicatedStudyError, lambda: optuna.create_study(storage=proxy, study_name=name)), "a name is taken once")
    again = optuna.create_study(storage=proxy, study_name=name, load_if_exists=True)
    check(again._study_id == study._study_id, "a study is loaded if it exists")
    study.set_user_attr("größe", {"list": [1, None, "ü"], "inf": math.inf})
    check(again.user_attrs == {"größe": {"list": [1, None, "ü"], "inf": math.inf}}, "attributes of studies are kept")
    trial = study.ask()
    trial.report(math.nan, 0)
    trial.report(math.inf, 1)
    study.tell(trial, state=TrialState.FAIL)
    seen = again.trials[0]
    values = seen.intermediate_values
    check(seen.state == TrialState.FAIL and math.isnan(values[0]) and values[1] == math.inf, "NaN and infinity are kept")
    late = lambda: proxy.set_trial_user_attr(trial._trial_id, "late", 1)
    check(refused(optuna.exceptions.UpdateFinishedTrialError, late), "a finished trial does not change")
    running = study.ask({"x": FloatDistribution(0, 1)})
    other = lambda: proxy.set_trial_param(study.ask()._trial_id, "x", 1, IntDistribution(0, 1))
    check(running.params.keys() == {"x"} and refused(ValueError, other), "a param keeps its kind")
    study.add_trial(optuna.create_trial(value=math.inf, params={"x": 0.5}, distributions={"x": FloatDistribution(0, 1)}))
    check(again.trials[-1].value == math.inf and again.trials[-1].params == {"x": 0.5}, "trials from elsewhere are added")
    copied = f"{name}-copy"
    optuna.copy_study(from_study_name=name, from_storage=proxy, to_storage=proxy, to_study_name=copied)
    check([trial.params for trial in optuna.load_study(study_name=copied, storage=proxy).trials] == [trial.params for trial in study.trials], "a study is copied")
    for gone in (name, copied):
        optuna.delete_study(study_name=gone, storage=proxy)
        check(refused(KeyError, lambda: optuna.load_study(study_name=gone, storage=proxy)), "a deleted study is gone")
    check(refused(KeyError, lambda: proxy.get_trial(trial._trial_id)), "its trials are gone")
    check(refused(KeyError, lambda: optuna.delete_study(study_name=name, storage=proxy)), "it cannot be deleted twice")


def main():
    address = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("MLFLOW_TRACKING_URI", "")
    if not address:
        sys.exit("give the address of a server: http://127.0.0.1:8080")
    name = f"check-{uuid.uuid4().hex[:12]}"
    many_workers(address, f"{name}-many")
    several_objectives(address, f"{name}-several")
    attributes_and_failures(address, f"{name}-attributes")
    proxy = storage(address)
    for left in ("many", "several"):
        optuna.delete_study(study_name=f"{name}-{left}", storage=proxy)
    left = [study for study in optuna.get_all_study_names(proxy) if study.startswith(name)]
    check(not left, "nothing is left behind")
    sys.exit(1 if check.failed else 0)


if __name__ == "__main__":
    main()
