"""The objects that sections of a scenario describe: model, receiver, service, rules, carriers.

Their complaints are turned into ones that name the key.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rfplan.errors import InputFileError, ParameterError, ScenarioError
from rfplan.propagation.names import MODELS, model_class
from rfplan.scenario.additions import Expansion5GSection
from rfplan.scenario.messages import unknown

if TYPE_CHECKING:
    from rfplan.scenario.core import Scenario


def make_model(scenario: Scenario) -> Any:
    """Return the propagation model the scenario names: calibrated, where it names a calibration file."""
    values = dict(scenario.model)
    if "calibrated" in values:
        return _calibrated(scenario, values)
    name = values.pop("name", "P1812")
    if name not in MODELS:
        raise ScenarioError(f"{scenario.source}: model.name: {name!r} is not known; allowed are {', '.join(MODELS)}")
    return _made(scenario, "model", model_class(name), values)


def _calibrated(scenario: Scenario, values: Mapping[str, Any]) -> Any:
    """The model of a calibration file; before the file is there (it is checked later) its absence says nothing."""
    from rfplan.calibration import load_calibration

    if len(values) > 1 or not isinstance(values["calibrated"], str):
        raise ScenarioError(
            f"{scenario.source}: model.calibrated: the file brings its model and parameters; write only "
            '[model] calibrated = "FILE.json", which `rfplan calibrate --out` makes'
        )
    path = scenario.path(values["calibrated"])
    if not path.exists():
        return None
    try:
        return load_calibration(path)
    except InputFileError as error:
        raise ScenarioError(f"{scenario.source}: model.calibrated: {error}") from error


def make_receiver(scenario: Scenario) -> Any:
    """Return the scenario's receiver."""
    from rfplan.coverage.settings import Receiver

    return _made(scenario, "receiver", Receiver, scenario.receiver)


def make_service(scenario: Scenario) -> Any:
    """Return the scenario's service; a known name brings its required level."""
    from rfplan.coverage.settings import SERVICE_RSRP_DBM, Service

    name = scenario.service.get("name", Service.name)
    level = {"required_rsrp_dbm": SERVICE_RSRP_DBM[name]} if name in SERVICE_RSRP_DBM else {}
    return _made(scenario, "service", Service, level | scenario.service)


def make_rules(scenario: Scenario) -> Any:
    """Return the rules for candidates."""
    from rfplan.optimize.candidates import CandidateRules

    defaults = CandidateRules()
    values: dict[str, Any] = {"cost": {}, **scenario.candidates}
    priced = {"cost": scenario.costs.by_kind(defaults.cost), "tx_height_agl_m": defaults.tx_height_agl_m}
    for key, standard in priced.items():
        if isinstance(values.get(key), Mapping):
            values[key] = {**standard, **values[key]}
    if isinstance(values.get("kinds"), list):
        values["kinds"] = tuple(values["kinds"])
    return _made(scenario, "candidates", CandidateRules, values)


def make_setting_rules(scenario: Scenario) -> Any:
    """Return the rules for tuning sectors; what the plan covers stays covered, or its targets would not hold."""
    from rfplan.optimize.settings import SettingRules

    given = {} if scenario.tuning is None else scenario.tuning.rules
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    rules = _made(scenario, "tuning.rules", SettingRules, values)
    if not rules.keep_covered:
        raise ScenarioError(
            f"{scenario.source}: tuning.rules.keep_covered: got False; a plan's targets count on every pixel it "
            "covers, so tuning may take none away; leave the key out (rfplan.tune_sectors in Python takes False)"
        )
    if rules.min_sinr_db is not None and scenario.coverage.technology not in ("4G", "5G"):
        raise ScenarioError(
            f"{scenario.source}: tuning.rules.min_sinr_db: a data SINR of 4G and 5G, but coverage.technology is "
            f"{scenario.coverage.technology}; leave the key out"
        )
    return rules


def make_requirement(scenario: Scenario) -> Any:
    """Return what joint coverage asks for, or None where the scenario does not; refuse what does not go with it."""
    from rfplan.optimize.joint_map import ON_SERVING_SITES, JointRequirement

    probability = scenario.target.joint_probability
    if probability is None:
        return None
    added = [kind for kind in scenario.make_rules().kinds if kind in ON_SERVING_SITES]
    location_percent = getattr(scenario.make_model(), "location_percent", 50.0)
    others = {
        "model.location_percent": (location_percent != 50.0, "it counts shadowing itself, from the median on"),
        "rollout": (scenario.rollout is not None, "years are scheduled for one site a pixel"),
        "tuning": (scenario.tuning is not None, "sectors are tuned for one site a pixel"),
        "target.commune_population_floor": (scenario.target.commune_population_floor is not None, "it has no floors"),
        "costs.site_visit": (scenario.costs.site_visit > 0, "it has no costs that candidates share"),
        "candidates.kinds": (bool(added), f"{', '.join(added)} share the shadowing of the site they stand on"),
    }
    for key, (given, why) in others.items():
        if given:
            raise ScenarioError(
                f"{scenario.source}: {key}: does not go with target.joint_probability: {why}; leave one of them out"
            )
    return _made(scenario, "target", JointRequirement, {"probability": probability})


def make_backhaul_rules(scenario: Scenario) -> Any:
    """Return the rules for hops; costs not given are multiples of ``costs.greenfield``."""
    from rfplan.optimize.hops import BackhaulRules

    scale = scenario.costs.greenfield
    standard = BackhaulRules()
    priced = {f.name: scale * getattr(standard, f.name) for f in dataclasses.fields(standard) if "cost" in f.name}
    given = {} if scenario.backhaul is None else scenario.backhaul.hops
    return _made(scenario, "backhaul.hops", BackhaulRules, {**priced, **given})


def make_bands(scenario: Scenario) -> Any:
    """Return the 5G carriers on offer; costs not given are multiples of ``costs.greenfield``."""
    from rfplan.optimize.overlay import OVERLAY_BANDS, OverlayBand

    section = scenario.expansion_5g or Expansion5GSection(population=0.0)
    known = {b.name: dataclasses.replace(b, cost=b.cost * scenario.costs.greenfield) for b in OVERLAY_BANDS}
    for custom in section.custom:
        values = custom.model_dump()
        values["uplink_frequency_mhz"] = values["uplink_frequency_mhz"] or values["frequency_mhz"]
        known[custom.name] = OverlayBand(**values)
    bands = []
    for name in dict.fromkeys([*section.bands, *(custom.name for custom in section.custom)]):
        if name not in known:
            raise ScenarioError(
                f"{scenario.source}: expansion_5g.bands: {name!r} is not known; {unknown(name, list(known))}"
            )
        bands.append(dataclasses.replace(known[name], cost=section.cost.get(name, known[name].cost)))
    return tuple(bands)


def _made(scenario: Scenario, section: str, kind: Any, values: Mapping[str, Any]) -> Any:
    """Build an object from a section, turning its complaints into ones that name the key."""
    fields = {f.name: f for f in dataclasses.fields(kind) if f.init}
    for key, value in values.items():
        if key not in fields:
            raise ScenarioError(f"{scenario.source}: {section}.{key}: {unknown(key, list(fields))}")
        default = fields[key].default
        if isinstance(default, (int, float)) and not isinstance(default, bool) and not _is_number(value):
            raise ScenarioError(f"{scenario.source}: {section}.{key}: got {value!r}; it must be a number")
        if isinstance(default, bool) and not isinstance(value, bool):
            raise ScenarioError(f"{scenario.source}: {section}.{key}: got {value!r}; it must be true or false")
        if isinstance(default, str) and not isinstance(value, str):
            raise ScenarioError(f"{scenario.source}: {section}.{key}: got {value!r}; it must be text in quotes")
    try:
        return kind(**values)
    except (ParameterError, TypeError, ValueError) as error:
        guilty = next((key for key in values if key in str(error)), None)
        where = f"{section}.{guilty}" if guilty else section
        raise ScenarioError(f"{scenario.source}: {where}: {error}") from error


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
