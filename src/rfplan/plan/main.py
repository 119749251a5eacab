"""From a scenario to a verified plan."""

from __future__ import annotations

import dataclasses
import os
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from rfplan.errors import RfplanWarning
from rfplan.optimize import Plan
from rfplan.plan import stages
from rfplan.plan.additions import Additions
from rfplan.plan.backhaul import site_backhaul, with_backhaul
from rfplan.plan.baseline import Baseline, make_baseline, predict_baseline
from rfplan.plan.bookkeeping import Progress, Run, claimed
from rfplan.plan.expansion import expand_5g
from rfplan.plan.keeping import keep_baseline, keep_coverage, keep_table
from rfplan.plan.parameters import network_parameters
from rfplan.plan.tuning import tune_plan
from rfplan.plan.words import metadata
from rfplan.plan.years import roll_out
from rfplan.scenario import Scenario, load_scenario

if TYPE_CHECKING:
    from rfplan.coverage import Coverage
    from rfplan.demand import Demand
    from rfplan.metrics import KeyFigures
    from rfplan.network import Network, NetworkReport
    from rfplan.terrain import Terrain

Result = TypeVar("Result")

STAGES = (
    "inputs",
    "terrain",
    "demand",
    "network",
    "coverage before",
    "candidates",
    "choose sites",
    "roll-out",
    "tuning",
    "backhaul",
    "5G expansion",
    "parameters",
    "coverage after",
)


@dataclass(frozen=True)
class ScenarioPlan(Plan):
    """A plan with where it came from.

    Attributes
    ----------
    metadata
        The context of ``write_report``: title, inputs with SHA-256, parameters, timings, published figures beside
        the computed ones, threshold sweep, notes.
    key_figures_before, key_figures_after
        Area and people covered, a row a commune and one in all.
    baseline
        Today's network by technology and operator; None unless the scenario has a ``[baseline]``.
    network_report
        What reading the network found.
    additions
        Roll-out by year, tuned sectors, backhaul, 5G and network parameters, as far as the scenario asks for them.
    """

    metadata: Mapping[str, Any] = field(default_factory=dict)
    key_figures_before: Any = None
    key_figures_after: Any = None
    baseline: Baseline | None = None
    network_report: Any = None
    additions: Additions = field(default_factory=Additions)


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a scenario's files hold: ground with clutter, people, stations and what reading them found."""

    scenario: Scenario
    terrain: Terrain
    demand: Demand
    network: Network
    network_report: NetworkReport


@dataclass(frozen=True, eq=False)
class Prediction:
    """The existing network's coverage, its key figures, and the same by technology where the scenario asks for it."""

    inputs: Inputs
    coverage: Coverage
    key_figures: KeyFigures
    timings_s: Mapping[str, float]
    baseline: Baseline | None = None


def run_plan(
    scenario: Scenario | str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> ScenarioPlan:
    """Run a scenario from its inputs to a verified plan.

    Parameters
    ----------
    scenario
        A loaded scenario, the path of a TOML file or a built-in name.
    out
        Folder that keeps every stage's result as soon as it is there (``stages/``), and the generated inputs of a
        synthetic scenario (``inputs/``). None keeps nothing. A run that was stopped, or killed, goes on from the last
        stage it finished when it is started again with the same folder, and leaves the same bytes as one that was
        not; a stage is done again when anything it depends on has changed.
    progress
        Called with (stage, done, in all).

    Returns
    -------
    ScenarioPlan
        Hand it to ``write_report``.

    Raises
    ------
    ScenarioError
        If the scenario or an input file it names is missing or wrong.
    RfplanError
        Whatever a stage objects to; results of the stages before are in ``out/stages``.
    """
    return _supervised(_plan, scenario, out, progress)


def run_prediction(
    scenario: Scenario | str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Prediction:
    """Predict the existing network of a scenario; parameters and errors as for `run_plan`."""
    return _supervised(_prediction, scenario, out, progress)


def open_inputs(
    scenario: Scenario | str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Inputs:
    """Open everything a scenario names and check it; parameters and errors as for `run_plan`."""
    return _supervised(_inputs, scenario, out, progress)


def _supervised(
    job: Callable[[Run], Result],
    scenario: Scenario | str | os.PathLike[str],
    out: str | os.PathLike[str] | None,
    progress: Progress | None,
) -> Result:
    """Run a job with its account kept; each warning is noted, and passed on once."""
    loaded = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
    if out is None:
        return _noted(job, Run(loaded, None, progress))
    with claimed(out) as folder:
        return _noted(job, Run(loaded, folder, progress))


def _noted(job: Callable[[Run], Result], run: Run) -> Result:
    noted: dict[tuple[type[Warning], str], Warning] = {}

    def note(message: Warning | str, category: type[Warning], *_rest: Any, **_more: Any) -> None:
        text = str(message)
        if (category, text) not in noted:
            noted[category, text] = message if isinstance(message, Warning) else category(message)
            run.warnings.append(f"{category.__name__}: {text}")

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = note
            result = job(run)
            run.finish()
    finally:
        run.close()
    for (category, _), warning in noted.items():
        if issubclass(category, RfplanWarning):
            warnings.warn(warning, stacklevel=4)
    return result


def _inputs(run: Run) -> Inputs:
    with run.stage("inputs"):
        scenario = stages.inputs(run)
    with run.stage("terrain"):
        terrain = stages.terrain(scenario)
    with run.stage("demand"):
        demand, terrain = stages.demand(run, scenario, terrain)
    with run.stage("network"):
        network, report = stages.network(run, scenario, terrain, demand)
    return Inputs(scenario, terrain, demand, network, report)


def _prediction(run: Run) -> Prediction:
    from rfplan.coverage.core import recall_coverage
    from rfplan.metrics import summarize

    given = _inputs(run)
    scenario = given.scenario

    def tell(done: int, total: int) -> None:
        run.tell("coverage before", done, total)

    baseline = None
    with run.stage("coverage before"):
        if scenario.baseline is None:
            coverage = recall_coverage(
                run.memo,
                "coverage_before",
                given.network,
                given.terrain,
                tell,
                service=scenario.make_service(),
                technology=scenario.coverage.technology,
                **stages.settings(scenario),
            )
        else:
            coverages = predict_baseline(scenario, given.network, given.terrain, run.memo, tell)
            coverage = coverages.by_technology[scenario.coverage.technology]
            baseline = make_baseline(coverages, given.demand)
            keep_baseline(run, baseline)
        figures = summarize(coverage, given.demand)
        keep_coverage(run, "before", coverage, figures)
    return Prediction(given, coverage, figures, run.timings_s, baseline)


def _plan(run: Run) -> ScenarioPlan:
    from rfplan.metrics import summarize
    from rfplan.optimize import find_candidates

    start = time.perf_counter()
    predicted = _prediction(run)
    given, before = predicted.inputs, predicted.coverage
    scenario, demand = given.scenario, given.demand
    with run.stage("candidates"):
        candidates = find_candidates(
            given.terrain,
            demand,
            given.network,
            rules=scenario.make_rules(),
            technology=scenario.coverage.technology,
            template=stages.template(scenario),
            shared=stages.shared_masts(scenario),
        )
        candidates, without = with_backhaul(scenario, given.terrain, given.network, candidates)
        keep_table(run, "candidates.csv", candidates.table)
    with run.stage("choose sites"):
        rules = stages.site_rules(scenario, candidates)
        problem = stages.site_problem(scenario, before, demand, candidates, rules)
        ready = problem.prepare(run.tell, run.memo)
        figures_before = predicted.key_figures
        if ready.coverage is not before:  # joint coverage counts otherwise
            figures_before = summarize(ready.coverage, demand)
            keep_coverage(run, "before", ready.coverage, figures_before)
        solved = problem.solve(scenario.solve.time_limit_s, scenario.solve.seed, run.tell, prepared=ready)
        keep_table(run, "build_list.csv", solved.sites)
    with run.stage("roll-out"):
        solved, years = roll_out(scenario, ready, solved, rules, run.tell)
        keep_table(run, "build_list.csv", solved.sites)
    with run.stage("tuning"):
        solved, tuning = tune_plan(scenario, ready, solved, run.memo, run.tell)
        if tuning is not None:
            keep_table(run, "tuning.csv", tuning.cells)
    with run.stage("backhaul"):
        backhaul = site_backhaul(scenario, given.terrain, given.network, candidates, solved.sites, without)
        if backhaul is not None:
            keep_table(run, "backhaul_sites.csv", backhaul.sites)
            keep_table(run, "backhaul_hops.csv", backhaul.links)
    with run.stage("5G expansion"):
        expansion = expand_5g(scenario, solved, demand, run.memo, run.tell)
        if expansion is not None:
            keep_table(run, "build_list_5g.csv", expansion.plan.sites)
    with run.stage("parameters"):
        last = solved if expansion is None else expansion.plan
        parameters = network_parameters(scenario, last.coverage_after.network)
    with run.stage("coverage after"):
        figures_after = summarize(solved.coverage_after, demand)
        keep_coverage(run, "after", solved.coverage_after, figures_after)
    run.timings_s |= {f"choose sites: {name}": round(value, 3) for name, value in solved.timings_s.items()}
    run.timings_s["in all"] = round(time.perf_counter() - start, 3)
    values = {f.name: getattr(solved, f.name) for f in dataclasses.fields(Plan)}
    values["demand"] = demand
    return ScenarioPlan(
        **values,
        metadata=metadata(run, scenario, demand, solved, figures_before),
        key_figures_before=figures_before,
        key_figures_after=figures_after,
        baseline=predicted.baseline,
        network_report=given.network_report,
        additions=Additions(
            scenario.costs.unit, years, tuning, backhaul, expansion, parameters, scenario.costs.site_visit
        ),
    )
