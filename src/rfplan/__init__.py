"""Radio network planning: from a terrain model and a list of sites to which sites to build.

Names are loaded on first use, so that ``import rfplan`` and the command line's ``--help`` stay fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rfplan.antenna import (
        Antenna as Antenna,
        Array as Array,
        Beam as Beam,
        ParametricPattern as ParametricPattern,
        array_antenna as array_antenna,
        element_antenna as element_antenna,
        find_antenna as find_antenna,
        omni_antenna as omni_antenna,
        parametric_antenna as parametric_antenna,
        polar_plot as polar_plot,
        read_antenna as read_antenna,
        ssb_beams as ssb_beams,
        traffic_beams as traffic_beams,
        write_antenna as write_antenna,
    )
    from rfplan.bench import BenchResult as BenchResult, run_bench as run_bench, synthetic_relief as synthetic_relief
    from rfplan.calibration import (
        CalibratedModel as CalibratedModel,
        Calibration as Calibration,
        CalibrationSettings as CalibrationSettings,
        LinkFilter as LinkFilter,
        Measurements as Measurements,
        average_along_track as average_along_track,
        calibrate as calibrate,
        calibrate_spm as calibrate_spm,
        detect_rssi_convention as detect_rssi_convention,
        effective_signal_power_dbm as effective_signal_power_dbm,
        load_calibration as load_calibration,
        plot_calibration as plot_calibration,
        plot_comparison as plot_comparison,
        plot_residual_distance as plot_residual_distance,
        plot_residual_map as plot_residual_map,
        read_measurements as read_measurements,
        write_calibration as write_calibration,
    )
    from rfplan.clutter import ClutterClass as ClutterClass, ClutterTable as ClutterTable
    from rfplan.coverage import (
        BuildingEntry as BuildingEntry,
        CarEntry as CarEntry,
        Coverage as Coverage,
        CoverageSet as CoverageSet,
        Explanation as Explanation,
        LoadResult as LoadResult,
        MonteCarloLoad as MonteCarloLoad,
        PowerControl as PowerControl,
        RadioMap as RadioMap,
        Receiver as Receiver,
        Service as Service,
        TruncatedShannon as TruncatedShannon,
        compute_coverage as compute_coverage,
        compute_coverages as compute_coverages,
        compute_radio as compute_radio,
        explain as explain,
        simulate_load as simulate_load,
        site_margins as site_margins,
        solve_load as solve_load,
        strongest_servers as strongest_servers,
        traffic_mbps as traffic_mbps,
    )
    from rfplan.demand import (
        Demand as Demand,
        DemandGrid as DemandGrid,
        derive_clutter as derive_clutter,
        open_demand as open_demand,
    )
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
    from rfplan.metrics import (
        KeyFigures as KeyFigures,
        compare as compare,
        summarize as summarize,
        summarize_mask as summarize_mask,
        threshold_sweep as threshold_sweep,
    )
    from rfplan.network import (
        Finding as Finding,
        Network as Network,
        NetworkReport as NetworkReport,
        SectorTemplate as SectorTemplate,
        plan_reuse as plan_reuse,
        read_atoll as read_atoll,
        read_network as read_network,
        read_opencellid as read_opencellid,
        write_atoll as write_atoll,
        write_network as write_network,
    )
    from rfplan.optimize import (
        OVERLAY_BANDS as OVERLAY_BANDS,
        BackhaulPlan as BackhaulPlan,
        BackhaulRules as BackhaulRules,
        CandidateRules as CandidateRules,
        Candidates as Candidates,
        JointCover as JointCover,
        MaximalCoverage as MaximalCoverage,
        NeighbourRules as NeighbourRules,
        OverlayBand as OverlayBand,
        ParameterPlan as ParameterPlan,
        Plan as Plan,
        RollOut as RollOut,
        Rules as Rules,
        SetCover as SetCover,
        SettingRules as SettingRules,
        SettingsPlan as SettingsPlan,
        Solution as Solution,
        TargetCover as TargetCover,
        find_candidates as find_candidates,
        one_band_a_site as one_band_a_site,
        overlay_candidates as overlay_candidates,
        plan_backhaul as plan_backhaul,
        plan_parameters as plan_parameters,
        site_configurations as site_configurations,
        tune_sectors as tune_sectors,
    )
    from rfplan.plan import (
        Baseline as Baseline,
        ScenarioPlan as ScenarioPlan,
        make_baseline as make_baseline,
        run_plan as run_plan,
        run_prediction as run_prediction,
    )
    from rfplan.plot import (
        plot_best_technology as plot_best_technology,
        plot_coverage as plot_coverage,
        plot_curve as plot_curve,
        plot_profile as plot_profile,
        plot_sweep as plot_sweep,
    )
    from rfplan.profile import PathProfile as PathProfile, Paths as Paths, Zone as Zone
    from rfplan.propagation.area import Link as Link, make_link as make_link
    from rfplan.propagation.base import GeometryModel as GeometryModel, PropagationModel as PropagationModel
    from rfplan.propagation.compare import compare_models as compare_models
    from rfplan.propagation.corrections import WithCorrections as WithCorrections
    from rfplan.propagation.ehata import ExtendedHata as ExtendedHata
    from rfplan.propagation.fixed_access import (
        Ecc33 as Ecc33,
        Ericsson9999 as Ericsson9999,
        Sui as Sui,
        ecc33_loss_db as ecc33_loss_db,
        ecc33_parts_db as ecc33_parts_db,
        ericsson9999_loss_db as ericsson9999_loss_db,
        sui_loss_db as sui_loss_db,
        sui_shadow_sigma_db as sui_shadow_sigma_db,
    )
    from rfplan.propagation.free_space import FreeSpace as FreeSpace, free_space_loss_db as free_space_loss_db
    from rfplan.propagation.grid import (
        PathLossWindow as PathLossWindow,
        path_loss_grid as path_loss_grid,
        path_loss_pixels as path_loss_pixels,
        path_loss_window as path_loss_window,
    )
    from rfplan.propagation.hata import (
        Cost231Hata as Cost231Hata,
        OkumuraHata as OkumuraHata,
        cost231_hata_loss_db as cost231_hata_loss_db,
        okumura_hata_loss_db as okumura_hata_loss_db,
    )
    from rfplan.propagation.itm import (
        ITM as ITM,
        Climate as Climate,
        ITMFlag as ITMFlag,
        ITMMode as ITMMode,
        ITMResult as ITMResult,
        VariabilityMode as VariabilityMode,
    )
    from rfplan.propagation.itm_area import ITMArea as ITMArea, Siting as Siting, itm_area_loss_db as itm_area_loss_db
    from rfplan.propagation.p452 import P452 as P452
    from rfplan.propagation.p526 import (
        P526 as P526,
        knife_edge_loss_db as knife_edge_loss_db,
        knife_edge_parameter as knife_edge_parameter,
        spherical_earth_loss_db as spherical_earth_loss_db,
    )
    from rfplan.propagation.p530 import (
        Hop as Hop,
        annual_percent_from_worst_month as annual_percent_from_worst_month,
        fade_exceeded_percent as fade_exceeded_percent,
        first_fresnel_radius_m as first_fresnel_radius_m,
        hop_availability_percent as hop_availability_percent,
        multipath_occurrence_percent as multipath_occurrence_percent,
        multipath_occurrence_quick_percent as multipath_occurrence_quick_percent,
        rain_fade_db as rain_fade_db,
        rain_outage_percent as rain_outage_percent,
    )
    from rfplan.propagation.p676 import (
        GasAttenuation as GasAttenuation,
        gas_attenuation_db as gas_attenuation_db,
        oxygen_attenuation_db_km as oxygen_attenuation_db_km,
        water_vapour_attenuation_db_km as water_vapour_attenuation_db_km,
    )
    from rfplan.propagation.p833 import (
        VegetationLoss as VegetationLoss,
        slant_woodland_loss_db as slant_woodland_loss_db,
        tree_loss_db as tree_loss_db,
        vegetation_specific_attenuation_db_m as vegetation_specific_attenuation_db_m,
        woodland_loss_db as woodland_loss_db,
    )
    from rfplan.propagation.p838 import (
        rain_attenuation_db_km as rain_attenuation_db_km,
        rain_coefficients as rain_coefficients,
    )
    from rfplan.propagation.p1546 import (
        P1546 as P1546,
        P1546Link as P1546Link,
        p1546_field_dbuv_m as p1546_field_dbuv_m,
        p1546_loss_db as p1546_loss_db,
    )
    from rfplan.propagation.p1546_curves import (
        CurveQuery as CurveQuery,
        curve_field as curve_field,
        fresnel_clear_km as fresnel_clear_km,
        knife_edge_db as knife_edge_db,
    )
    from rfplan.propagation.p1546_terrain import P1546Terrain as P1546Terrain, terrain_of_paths as terrain_of_paths
    from rfplan.propagation.p1812 import P1812 as P1812
    from rfplan.propagation.p2108 import (
        TerrestrialClutterLoss as TerrestrialClutterLoss,
        clutter_height_gain_db as clutter_height_gain_db,
        clutter_loss_slant_db as clutter_loss_slant_db,
        clutter_loss_terrestrial_db as clutter_loss_terrestrial_db,
    )
    from rfplan.propagation.p2109 import (
        BuildingEntryLoss as BuildingEntryLoss,
        building_entry_loss_db as building_entry_loss_db,
    )
    from rfplan.propagation.plane_earth import (
        Egli as Egli,
        LogDistance as LogDistance,
        TwoRay as TwoRay,
        egli_loss_db as egli_loss_db,
        log_distance_loss_db as log_distance_loss_db,
        plane_earth_loss_db as plane_earth_loss_db,
        two_ray_loss_db as two_ray_loss_db,
    )
    from rfplan.propagation.radio_climate import RadioClimate as RadioClimate, open_radio_climate as open_radio_climate
    from rfplan.propagation.spm import SPM as SPM, HataDem as HataDem, spm_loss_db as spm_loss_db
    from rfplan.propagation.store import PathLossStore as PathLossStore
    from rfplan.propagation.sweep import sweep_loss as sweep_loss
    from rfplan.propagation.tr38901 import (
        TR38901 as TR38901,
        tr38901_los_probability as tr38901_los_probability,
        tr38901_loss_db as tr38901_loss_db,
        tr38901_penetration_db as tr38901_penetration_db,
        tr38901_penetration_sigma_db as tr38901_penetration_sigma_db,
        tr38901_shadow_sigma_db as tr38901_shadow_sigma_db,
    )
    from rfplan.propagation.variability import (
        location_margin_db as location_margin_db,
        location_sigma_db as location_sigma_db,
    )
    from rfplan.propagation.walfisch_ikegami import (
        UrbanForm as UrbanForm,
        WalfischIkegami as WalfischIkegami,
        walfisch_ikegami_loss_db as walfisch_ikegami_loss_db,
        walfisch_ikegami_parts_db as walfisch_ikegami_parts_db,
    )
    from rfplan.report import write_report as write_report
    from rfplan.scenario import Scenario as Scenario, load_scenario as load_scenario
    from rfplan.terrain import (
        Terrain as Terrain,
        open_terrain as open_terrain,
        with_osm_clutter as with_osm_clutter,
        with_sea as with_sea,
    )

__version__ = "0.1.0"

# public name → the module that defines it; tests hold this table and the imports above together
_EXPORTS: dict[str, str] = {
    "Antenna": "antenna",
    "Array": "antenna",
    "BackhaulPlan": "optimize",
    "BackhaulRules": "optimize",
    "Baseline": "plan",
    "Beam": "antenna",
    "BenchResult": "bench",
    "BuildingEntry": "coverage",
    "BuildingEntryLoss": "propagation.p2109",
    "CalibratedModel": "calibration",
    "Calibration": "calibration",
    "CalibrationSettings": "calibration",
    "CandidateRules": "optimize",
    "Candidates": "optimize",
    "CarEntry": "coverage",
    "Climate": "propagation.itm",
    "ClutterClass": "clutter",
    "ClutterTable": "clutter",
    "Cost231Hata": "propagation.hata",
    "Coverage": "coverage",
    "CoverageSet": "coverage",
    "CurveQuery": "propagation.p1546_curves",
    "DataWarning": "errors",
    "Demand": "demand",
    "DemandGrid": "demand",
    "Ecc33": "propagation.fixed_access",
    "Egli": "propagation.plane_earth",
    "Ericsson9999": "propagation.fixed_access",
    "Explanation": "coverage",
    "ExtendedHata": "propagation.ehata",
    "Finding": "network",
    "FreeSpace": "propagation.free_space",
    "GasAttenuation": "propagation.p676",
    "GeometryModel": "propagation.base",
    "HataDem": "propagation.spm",
    "Hop": "propagation.p530",
    "ITM": "propagation.itm",
    "ITMArea": "propagation.itm_area",
    "ITMFlag": "propagation.itm",
    "ITMMode": "propagation.itm",
    "ITMResult": "propagation.itm",
    "InputFileError": "errors",
    "JointCover": "optimize",
    "KeyFigures": "metrics",
    "Link": "propagation.area",
    "LinkFilter": "calibration",
    "LoadResult": "coverage",
    "LogDistance": "propagation.plane_earth",
    "MaximalCoverage": "optimize",
    "Measurements": "calibration",
    "MonteCarloLoad": "coverage",
    "NeighbourRules": "optimize",
    "Network": "network",
    "NetworkReport": "network",
    "OVERLAY_BANDS": "optimize",
    "OkumuraHata": "propagation.hata",
    "OutputError": "errors",
    "OverlayBand": "optimize",
    "P1546": "propagation.p1546",
    "P1546Link": "propagation.p1546",
    "P1546Terrain": "propagation.p1546_terrain",
    "P1812": "propagation.p1812",
    "P452": "propagation.p452",
    "P526": "propagation.p526",
    "ParameterError": "errors",
    "ParameterPlan": "optimize",
    "ParametricPattern": "antenna",
    "PathLossStore": "propagation.store",
    "PathLossWindow": "propagation.grid",
    "PathProfile": "profile",
    "Paths": "profile",
    "Plan": "optimize",
    "PowerControl": "coverage",
    "PropagationModel": "propagation.base",
    "RadioClimate": "propagation.radio_climate",
    "RadioMap": "coverage",
    "Receiver": "coverage",
    "RfplanError": "errors",
    "RfplanWarning": "errors",
    "RollOut": "optimize",
    "Rules": "optimize",
    "SPM": "propagation.spm",
    "Scenario": "scenario",
    "ScenarioError": "errors",
    "ScenarioPlan": "plan",
    "SectorTemplate": "network",
    "Service": "coverage",
    "SetCover": "optimize",
    "SettingRules": "optimize",
    "SettingsPlan": "optimize",
    "Siting": "propagation.itm_area",
    "Solution": "optimize",
    "Sui": "propagation.fixed_access",
    "TR38901": "propagation.tr38901",
    "TargetCover": "optimize",
    "Terrain": "terrain",
    "TerrestrialClutterLoss": "propagation.p2108",
    "TruncatedShannon": "coverage",
    "TwoRay": "propagation.plane_earth",
    "UrbanForm": "propagation.walfisch_ikegami",
    "ValidityWarning": "errors",
    "VariabilityMode": "propagation.itm",
    "VegetationLoss": "propagation.p833",
    "WalfischIkegami": "propagation.walfisch_ikegami",
    "WithCorrections": "propagation.corrections",
    "Zone": "profile",
    "annual_percent_from_worst_month": "propagation.p530",
    "array_antenna": "antenna",
    "average_along_track": "calibration",
    "building_entry_loss_db": "propagation.p2109",
    "calibrate": "calibration",
    "calibrate_spm": "calibration",
    "clutter_height_gain_db": "propagation.p2108",
    "clutter_loss_slant_db": "propagation.p2108",
    "clutter_loss_terrestrial_db": "propagation.p2108",
    "compare": "metrics",
    "compare_models": "propagation.compare",
    "compute_coverage": "coverage",
    "compute_coverages": "coverage",
    "compute_radio": "coverage",
    "cost231_hata_loss_db": "propagation.hata",
    "curve_field": "propagation.p1546_curves",
    "derive_clutter": "demand",
    "detect_rssi_convention": "calibration",
    "ecc33_loss_db": "propagation.fixed_access",
    "ecc33_parts_db": "propagation.fixed_access",
    "effective_signal_power_dbm": "calibration",
    "egli_loss_db": "propagation.plane_earth",
    "element_antenna": "antenna",
    "ericsson9999_loss_db": "propagation.fixed_access",
    "explain": "coverage",
    "fade_exceeded_percent": "propagation.p530",
    "fetch": "io.fetch",
    "find_antenna": "antenna",
    "find_candidates": "optimize",
    "first_fresnel_radius_m": "propagation.p530",
    "free_space_loss_db": "propagation.free_space",
    "fresnel_clear_km": "propagation.p1546_curves",
    "gas_attenuation_db": "propagation.p676",
    "hop_availability_percent": "propagation.p530",
    "itm_area_loss_db": "propagation.itm_area",
    "knife_edge_db": "propagation.p1546_curves",
    "knife_edge_loss_db": "propagation.p526",
    "knife_edge_parameter": "propagation.p526",
    "load_calibration": "calibration",
    "load_scenario": "scenario",
    "location_margin_db": "propagation.variability",
    "location_sigma_db": "propagation.variability",
    "log_distance_loss_db": "propagation.plane_earth",
    "make_baseline": "plan",
    "make_link": "propagation.area",
    "multipath_occurrence_percent": "propagation.p530",
    "multipath_occurrence_quick_percent": "propagation.p530",
    "okumura_hata_loss_db": "propagation.hata",
    "omni_antenna": "antenna",
    "one_band_a_site": "optimize",
    "open_demand": "demand",
    "open_radio_climate": "propagation.radio_climate",
    "open_terrain": "terrain",
    "overlay_candidates": "optimize",
    "oxygen_attenuation_db_km": "propagation.p676",
    "p1546_field_dbuv_m": "propagation.p1546",
    "p1546_loss_db": "propagation.p1546",
    "parametric_antenna": "antenna",
    "path_loss_grid": "propagation.grid",
    "path_loss_pixels": "propagation.grid",
    "path_loss_window": "propagation.grid",
    "plan_backhaul": "optimize",
    "plan_parameters": "optimize",
    "plane_earth_loss_db": "propagation.plane_earth",
    "plan_reuse": "network",
    "plot_best_technology": "plot",
    "plot_calibration": "calibration",
    "plot_comparison": "calibration",
    "plot_coverage": "plot",
    "plot_curve": "plot",
    "plot_profile": "plot",
    "plot_sweep": "plot",
    "plot_residual_distance": "calibration",
    "plot_residual_map": "calibration",
    "polar_plot": "antenna",
    "rain_attenuation_db_km": "propagation.p838",
    "rain_coefficients": "propagation.p838",
    "rain_fade_db": "propagation.p530",
    "rain_outage_percent": "propagation.p530",
    "read_antenna": "antenna",
    "read_atoll": "network",
    "read_measurements": "calibration",
    "read_network": "network",
    "read_opencellid": "network",
    "run_bench": "bench",
    "run_plan": "plan",
    "run_prediction": "plan",
    "simulate_load": "coverage",
    "site_configurations": "optimize",
    "site_margins": "coverage",
    "slant_woodland_loss_db": "propagation.p833",
    "solve_load": "coverage",
    "spherical_earth_loss_db": "propagation.p526",
    "spm_loss_db": "propagation.spm",
    "ssb_beams": "antenna",
    "strongest_servers": "coverage",
    "sui_loss_db": "propagation.fixed_access",
    "sui_shadow_sigma_db": "propagation.fixed_access",
    "summarize": "metrics",
    "summarize_mask": "metrics",
    "sweep_loss": "propagation.sweep",
    "synthetic_relief": "bench",
    "terrain_of_paths": "propagation.p1546_terrain",
    "threshold_sweep": "metrics",
    "tr38901_los_probability": "propagation.tr38901",
    "tr38901_loss_db": "propagation.tr38901",
    "tr38901_penetration_db": "propagation.tr38901",
    "tr38901_penetration_sigma_db": "propagation.tr38901",
    "tr38901_shadow_sigma_db": "propagation.tr38901",
    "traffic_beams": "antenna",
    "traffic_mbps": "coverage",
    "tree_loss_db": "propagation.p833",
    "tune_sectors": "optimize",
    "two_ray_loss_db": "propagation.plane_earth",
    "vegetation_specific_attenuation_db_m": "propagation.p833",
    "walfisch_ikegami_loss_db": "propagation.walfisch_ikegami",
    "walfisch_ikegami_parts_db": "propagation.walfisch_ikegami",
    "water_vapour_attenuation_db_km": "propagation.p676",
    "with_osm_clutter": "terrain",
    "with_sea": "terrain",
    "woodland_loss_db": "propagation.p833",
    "write_antenna": "antenna",
    "write_atoll": "network",
    "write_calibration": "calibration",
    "write_network": "network",
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
