"""Radio network planning: from a terrain model and a list of sites to which sites to build.

Names are loaded on first use, so that ``import rfplan`` and the command line's ``--help`` stay fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rfplan.antenna import Antenna as Antenna
    from rfplan.calibration import (
        CalibratedModel as CalibratedModel,
        Calibration as Calibration,
        CalibrationSettings as CalibrationSettings,
        Measurements as Measurements,
        calibrate as calibrate,
        load_calibration as load_calibration,
        read_measurements as read_measurements,
    )
    from rfplan.coverage import (
        Coverage as Coverage,
        Receiver as Receiver,
        Service as Service,
        compute_coverage as compute_coverage,
    )
    from rfplan.demand import Demand as Demand, derive_clutter as derive_clutter, open_demand as open_demand
    from rfplan.errors import (
        DataWarning as DataWarning,
        InputFileError as InputFileError,
        OutputError as OutputError,
        ParameterError as ParameterError,
        RfplanError as RfplanError,
        RfplanWarning as RfplanWarning,
        ScenarioError as ScenarioError,
        ValidityWarning as ValidityWarning,
    )
    from rfplan.io.fetch import fetch as fetch
    from rfplan.metrics import KeyFigures as KeyFigures, summarize as summarize, threshold_sweep as threshold_sweep
    from rfplan.network import Network as Network, read_network as read_network
    from rfplan.optimize import (
        Candidates as Candidates,
        MaximalCoverage as MaximalCoverage,
        Plan as Plan,
        SetCover as SetCover,
        TargetCover as TargetCover,
        find_candidates as find_candidates,
    )
    from rfplan.plan import run_plan as run_plan
    from rfplan.profile import PathProfile as PathProfile, Paths as Paths, Zone as Zone
    from rfplan.propagation.base import GeometryModel as GeometryModel, PropagationModel as PropagationModel
    from rfplan.propagation.free_space import FreeSpace as FreeSpace, free_space_loss_db as free_space_loss_db
    from rfplan.propagation.grid import path_loss_grid as path_loss_grid, path_loss_window as path_loss_window
    from rfplan.propagation.p1812 import P1812 as P1812
    from rfplan.report import write_report as write_report
    from rfplan.scenario import Scenario as Scenario, load_scenario as load_scenario
    from rfplan.terrain import Terrain as Terrain, open_terrain as open_terrain

__version__ = "0.1.0"

# public name → the module that defines it; tests hold this table and the imports above together
_EXPORTS: dict[str, str] = {
    "Antenna": "antenna",
    "CalibratedModel": "calibration",
    "Calibration": "calibration",
    "CalibrationSettings": "calibration",
    "Candidates": "optimize",
    "Coverage": "coverage",
    "DataWarning": "errors",
    "Demand": "demand",
    "FreeSpace": "propagation.free_space",
    "GeometryModel": "propagation.base",
    "InputFileError": "errors",
    "KeyFigures": "metrics",
    "MaximalCoverage": "optimize",
    "Measurements": "calibration",
    "Network": "network",
    "OutputError": "errors",
    "P1812": "propagation.p1812",
    "ParameterError": "errors",
    "PathProfile": "profile",
    "Paths": "profile",
    "Plan": "optimize",
    "PropagationModel": "propagation.base",
    "Receiver": "coverage",
    "RfplanError": "errors",
    "RfplanWarning": "errors",
    "Scenario": "scenario",
    "ScenarioError": "errors",
    "Service": "coverage",
    "SetCover": "optimize",
    "TargetCover": "optimize",
    "Terrain": "terrain",
    "ValidityWarning": "errors",
    "Zone": "profile",
    "calibrate": "calibration",
    "compute_coverage": "coverage",
    "derive_clutter": "demand",
    "fetch": "io.fetch",
    "find_candidates": "optimize",
    "free_space_loss_db": "propagation.free_space",
    "load_calibration": "calibration",
    "load_scenario": "scenario",
    "open_demand": "demand",
    "open_terrain": "terrain",
    "path_loss_grid": "propagation.grid",
    "path_loss_window": "propagation.grid",
    "read_measurements": "calibration",
    "read_network": "network",
    "run_plan": "plan",
    "summarize": "metrics",
    "threshold_sweep": "metrics",
    "write_report": "report",
}

__all__ = ["__version__", *_EXPORTS]


def __getattr__(name: str) -> Any:
    module = _EXPORTS.get(name)
    if module is None:
        raise AttributeError(f"module 'rfplan' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"rfplan.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
