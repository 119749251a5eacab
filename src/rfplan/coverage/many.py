"""Several technologies and operators in one pass: path loss of a site is worked out once for all its bands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import numpy.typing as npt

from rfplan.coverage.core import PLANES, Coverage, Planes, finish_coverage, grid_dataset
from rfplan.coverage.link import SiteCells
from rfplan.coverage.predict import Predictor, Progress, SharedSettings, checked_sites, make_predictor
from rfplan.coverage.settings import Service
from rfplan.errors import ParameterError
from rfplan.io.memo import Memo
from rfplan.network import TECHNOLOGIES, Network
from rfplan.propagation.store import PathLossStore, StoredLoss
from rfplan.terrain import Terrain

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, eq=False)
class CoverageSet:
    """Coverage by technology, and by operator where asked for.

    Attributes
    ----------
    by_technology : dict
        Technology → coverage by any operator's cells.
    by_operator : dict
        (operator, technology) → coverage by that operator's cells; empty unless asked for.
    """

    by_technology: Mapping[str, Coverage]
    by_operator: Mapping[tuple[str, str], Coverage]

    def layers(self) -> xr.Dataset:
        """``covered_2g`` … per technology, ``best_technology`` (newest that covers, 0 none) and ``operator_count``."""
        first = next(iter(self.by_technology.values()))
        shape = first.terrain.shape
        variables: dict[str, tuple[npt.NDArray[Any], dict[str, str]]] = {}
        best = np.zeros(shape, dtype=np.uint8)
        for technology in sorted(self.by_technology):
            covered = self.by_technology[technology].covered
            best[covered] = int(technology[0])
            about = {"units": "1", "long_name": f"covered by {technology} of any operator"}
            variables[f"covered_{technology.lower()}"] = (covered, about)
        variables["best_technology"] = (
            best,
            {"units": "1", "long_name": "newest technology that covers (2…5, 0 none)"},
        )
        if self.by_operator:
            count = np.zeros(shape, dtype=np.uint8)
            for operator in sorted({o for o, _ in self.by_operator}):
                served = np.zeros(shape, dtype=np.bool_)
                for (name, _), coverage in self.by_operator.items():
                    if name == operator:
                        served |= coverage.covered
                count += served
            variables["operator_count"] = (
                count,
                {"units": "1", "long_name": "operators that cover with any technology"},
            )
        return grid_dataset(first.terrain, variables, {"service": first.service.name})


def compute_coverages(
    network: Network,
    terrain: Terrain,
    *,
    technologies: Sequence[str] | None = None,
    by_operator: bool = False,
    service: Service | Mapping[str, Service] | None = None,
    progress: Progress | None = None,
    **settings: Unpack[SharedSettings],
) -> CoverageSet:
    """Coverage of several technologies, and of each operator, at the cost of one pass over the sites.

    Parameters
    ----------
    network, terrain, model, receiver, radius_m, method, antennas, progress
        As for :func:`compute_coverage`; results are bit-identical to it.
    technologies : sequence of str, optional
        Those of the network by default.
    by_operator : bool
        Also reduce every operator's cells on their own.
    service : Service or mapping of technology to Service, optional
        One service is put in each technology's terms by :meth:`Service.for_technology`.
    """
    return recall_coverages(
        Memo(None),
        "coverages",
        network,
        terrain,
        technologies=technologies,
        by_operator=by_operator,
        service=service,
        progress=progress,
        **settings,
    )


def recall_coverages(
    memo: Memo,
    step: str,
    network: Network,
    terrain: Terrain,
    *,
    technologies: Sequence[str] | None = None,
    by_operator: bool = False,
    service: Service | Mapping[str, Service] | None = None,
    progress: Progress | None = None,
    **settings: Unpack[SharedSettings],
) -> CoverageSet:
    """Do what :func:`compute_coverages` does, or take its layers from a memo that knows them as `step`."""
    present = set(network.cells["technology"])
    names = [t for t in TECHNOLOGIES if t in present] if technologies is None else list(technologies)
    if not names:
        raise ParameterError("no technology to predict: the network has no cell")
    settings["path_loss_store"] = PathLossStore.of(settings.get("path_loss_store"))
    predictors = {
        name: make_predictor(network, terrain, service=_service(service, name), technology=name, **settings)
        for name in names
    }
    operators = network.sites["operator"].to_numpy().astype(str)

    def work() -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        found = _reduce(predictors, operators if by_operator else None, progress)
        about = {"groups": [list(group) for group in found]}
        return about, {f"{i} {name}": getattr(p, name) for i, p in enumerate(found.values()) for name in PLANES}

    known = memo
    if memo.folder is not None:
        known = memo.on(*(part for p in predictors.values() for part in p.identity()), operators, by_operator)
    found = known.recall(step, work)
    antennas = settings.get("antennas")
    by_technology: dict[str, Coverage] = {}
    each: dict[tuple[str, str], Coverage] = {}
    for i, (technology, *operator) in enumerate(found.about["groups"]):
        planes = Planes(*(found.arrays[f"{i} {name}"] for name in PLANES))
        coverage = finish_coverage(predictors[technology], network, technology, planes, antennas)
        if operator:
            each[operator[0], technology] = coverage
        else:
            by_technology[technology] = coverage
    return CoverageSet(by_technology, each)


def _reduce(
    predictors: Mapping[str, Predictor], operators: npt.NDArray[Any] | None, progress: Progress | None
) -> dict[tuple[str, ...], Planes]:
    """Planes of each (technology,), and with operators of each (technology, operator) in their order."""
    terrain = next(iter(predictors.values())).terrain
    whole = {name: Planes.empty(terrain.shape) for name in predictors}
    own: dict[tuple[str, str], Planes] = {}
    sites = _sites_of(predictors)
    for done, (site, parts) in enumerate(sites.items(), start=1):
        for name, cells, window in _windows(predictors, parts):
            p = predictors[name].predict(cells, window)
            targets = [whole[name]]
            if operators is not None:
                targets.append(own.setdefault((str(operators[site]), name), Planes.empty(terrain.shape)))
            for planes in targets:
                planes.merge(p)
        if progress is not None:
            progress(done, len(sites))
    found: dict[tuple[str, ...], Planes] = {(name,): planes for name, planes in whole.items()}
    return found | {(name, operator): planes for (operator, name), planes in sorted(own.items())}


def _service(service: Service | Mapping[str, Service] | None, technology: str) -> Service:
    if isinstance(service, Mapping):
        if technology not in service:
            raise ParameterError(f"service has no entry for {technology}; it has: {', '.join(service)}")
        return service[technology]
    return (service or Service()).for_technology(technology)


def _sites_of(predictors: Mapping[str, Predictor]) -> dict[int, dict[str, SiteCells]]:
    """Predictable sites in the network's order, each with its cells of every technology."""
    found: dict[int, dict[str, SiteCells]] = {}
    for name, predictor in predictors.items():
        for cells in checked_sites(predictor, stacklevel=5):
            found.setdefault(cells.site, {})[name] = cells
    return {site: found[site] for site in sorted(found)}


def _windows(
    predictors: Mapping[str, Predictor], parts: Mapping[str, SiteCells]
) -> Iterator[tuple[str, SiteCells, StoredLoss]]:
    """Path loss once for all (height, frequency) pairs of a site, handed out technology by technology."""
    some = next(iter(predictors.values()))
    bands = tuple(sorted({band for cells in parts.values() for band in cells.bands}))
    whole = some.window(next(iter(parts.values())).site, bands)
    for name, cells in parts.items():
        mine = np.ascontiguousarray(whole.path_loss_db[[bands.index(b) for b in cells.bands]])
        yield name, cells, StoredLoss(whole.rows, whole.cols, mine)
