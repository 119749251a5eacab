"""How well a variant of a calibration does on sites, and on ground, that it was not fitted to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import log_ndtr

from rfplan.calibration.links import Links
from rfplan.calibration.mixed import MixedFit, Problem, make_problem, solve_problem
from rfplan.errors import ParameterError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

MAX_FOLDS = 12
FOLD_TOLERANCE_DB = 1e-2  # far below what any held-out figure is quoted to
CLUTTER_STEP_M = 2.5


@dataclass(frozen=True)
class Variant:
    """Columns that are fitted to measured minus predicted level.

    Attributes
    ----------
    name : str
    columns : tuple of str
        Fixed effects; none leaves the model as it is.
    bounds : mapping of str to (low, high)
        Physical limits of fixed effects.
    prior : mapping of str to (mean, standard deviation)
        What is known of them beforehand.
    by_clutter : bool
        Whether receivers of one clutter height share an offset.
    """

    name: str
    columns: tuple[str, ...]
    bounds: Mapping[str, tuple[float, float]]
    prior: Mapping[str, tuple[float, float]]
    by_clutter: bool = False


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Prediction error of each link when its group is held out (NaN where it can't be had), and the mean log score.

    The log score is minus the log-likelihood of what was received and of what was not: an error of received levels
    alone rewards models that are too optimistic where nothing was received.
    """

    error_db: FloatArray
    log_score: float


def clutter_levels(links: Links) -> tuple[FloatArray, IntArray]:
    """Representative clutter heights at the receivers, to 2.5 m, and the level of each link."""
    heights, level = np.unique(np.round(links.clutter_height_m / CLUTTER_STEP_M) * CLUTTER_STEP_M, return_inverse=True)
    return heights, level.astype(np.int64)


def groups_of(links: Links, by_clutter: bool) -> dict[str, IntArray]:
    """Groupings with more than one level: with one, its effect is the offset."""
    groups = {}
    heights, level = clutter_levels(links)
    if by_clutter and heights.size > 1:
        groups["clutter"] = level
    if np.unique(links.site).size > 1:
        groups["site"] = links.site
    if np.unique(links.device).size > 1:
        groups["device"] = links.device
    return groups


@dataclass(frozen=True, eq=False)
class Fitter:
    """One variant on one set of links: fits to all of them or to folds.

    Attributes
    ----------
    links : Links
    error_db : ndarray
        Measured minus predicted level (the limit's, where nothing was received).
    columns : mapping of str to ndarray
        Values of the fixed effects.
    variant : Variant
    """

    links: Links
    error_db: FloatArray
    columns: Mapping[str, FloatArray]
    variant: Variant

    @property
    def usable(self) -> BoolArray:
        """Links the model has a prediction for."""
        return np.isfinite(self.error_db)

    def problem(self) -> Problem:
        """Rows and columns of the variant; links without a prediction stand for nothing."""
        names = self.variant.columns
        return make_problem(
            np.where(self.usable, self.error_db, 0.0),
            np.column_stack([self.columns[name] for name in names]),
            names,
            groups_of(self.links, self.variant.by_clutter),
            censored=self.links.censored,
            bounds=self.variant.bounds,
            prior=self.variant.prior,
        )

    def fit(self) -> MixedFit | None:
        """Fit to all links; None for the variant without columns."""
        if not self.variant.columns:
            return None
        return solve_problem(self.problem(), self.links.weight * self.usable)

    def held_out(self, group: IntArray, whole: MixedFit | None) -> HeldOut:
        """Leave out each group in turn and predict it; effects of what a fold has not seen are 0.

        `whole` is the fit to all links, from which folds start.
        """
        n = len(self.links)
        error, variance = np.full(n, np.nan), np.full(n, np.nan)
        received = self.usable & ~self.links.censored
        weight = self.links.weight * self.usable
        problem = None if whole is None else self.problem()
        for test in folds(group):
            if not (received & ~test).any():
                continue
            if problem is None:
                error[test] = self.error_db[test]
                variance[test] = np.mean(self.error_db[received & ~test] ** 2)
                continue
            try:
                fit = solve_problem(problem, weight * ~test, start=whole, tolerance_db=FOLD_TOLERANCE_DB)
            except ParameterError:
                continue  # too little is left to learn from
            error[test], variance[test] = _predicted(problem, fit, self.error_db, weight * ~test, test)
        known = self.usable & np.isfinite(variance)
        score = _log_score(error[known], np.sqrt(variance[known]), self.links.censored[known])
        mean = float(np.average(score, weights=weight[known])) if known.any() else float("nan")
        error[~received] = np.nan
        return HeldOut(error, mean)


def _predicted(
    problem: Problem, fit: MixedFit, error_db: FloatArray, train_weight: FloatArray, test: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Error and its variance on the rows of a fold."""
    error = error_db[test] - problem.fixed[test] @ fit.coefficients
    variance = np.full(error.size, fit.sigma_db**2)
    for g, (name, where) in enumerate(problem.where.items()):
        column = problem.column[:, g] - where.start
        seen = np.zeros(where.stop - where.start, dtype=bool)
        seen[column[(train_weight > 0) & (column >= 0)]] = True
        known = seen[column[test]]
        error -= np.where(known, fit.effects[name][column[test]], 0.0)
        variance += np.where(known, 0.0, fit.tau_db[name] ** 2)
    return error, variance


def _log_score(error: FloatArray, sigma: FloatArray, censored: BoolArray) -> FloatArray:
    z = error / sigma
    return np.asarray(np.where(censored, -log_ndtr(z), 0.5 * z * z + np.log(sigma) + 0.5 * np.log(2 * np.pi)))


def folds(group: IntArray) -> list[BoolArray]:
    """Leave out each group in turn; with many groups, every MAX_FOLDS-th together."""
    found, index = np.unique(group, return_inverse=True)
    fold = index % MAX_FOLDS
    return [np.asarray(fold == k) for k in range(min(MAX_FOLDS, found.size))]


def score(error_db: FloatArray, prefix: str) -> dict[str, float]:
    """Mean, standard deviation and RMSE of errors, dB, NaN left out."""
    known = error_db[np.isfinite(error_db)]
    if known.size == 0:
        return {f"{prefix}_{name}_db": float("nan") for name in ("mean", "std", "rmse")}
    return {
        f"{prefix}_mean_db": float(known.mean()),
        f"{prefix}_std_db": float(known.std()),
        f"{prefix}_rmse_db": float(np.sqrt(np.mean(known**2))),
    }


def plain_sigmas(links: Links, error_db: FloatArray) -> tuple[float, float]:
    """Standard deviation of errors within sites, and of sites' means, dB, for a model as it is."""
    rows = np.isfinite(error_db) & ~links.censored
    by_site = pd.Series(error_db[rows]).groupby(links.site[rows])
    within = error_db[rows] - by_site.transform("mean").to_numpy()
    means = by_site.mean()
    return float(np.std(within)), float(means.std()) if len(means) > 1 else 0.0


@dataclass(frozen=True, eq=False)
class Judgement:
    """One variant judged.

    Attributes
    ----------
    fitter : Fitter
    fit : MixedFit or None
    site_error_db : ndarray
        Error of each link when its site is held out.
    row : dict
        Its row in the table of a calibration.
    """

    fitter: Fitter
    fit: MixedFit | None
    site_error_db: FloatArray
    row: dict[str, Any]


def judge(fitter: Fitter, blocks: IntArray, model_name: str) -> Judgement:
    """Fit a variant, hold out its sites and then blocks of ground, and gather the figures."""
    links = fitter.links
    fit = fitter.fit()
    row: dict[str, Any] = {"model": model_name, "variant": fitter.variant.name}
    site_error = np.full(len(links), np.nan)
    for prefix, group in (("site", links.site), ("block", blocks)):
        held_out = HeldOut(np.full(len(links), np.nan), float("nan"))
        if np.unique(group).size > 1:
            held_out = fitter.held_out(group, fit)
        row |= score(held_out.error_db, prefix) | {f"{prefix}_log_score": held_out.log_score}
        site_error = held_out.error_db if prefix == "site" else site_error
    own = fitter.error_db
    sigmas = plain_sigmas(links, own)
    if fit is not None:
        problem = fitter.problem()
        own, _ = _predicted(problem, fit, own, links.weight * fitter.usable, np.ones(len(links), dtype=bool))
        sigmas = fit.sigma_db, fit.tau_db.get("site", 0.0)
    row["fitted_rmse_db"] = score(np.where(links.censored, np.nan, own), "fitted")["fitted_rmse_db"]
    row["sigma_within_db"], row["sigma_between_db"] = sigmas
    row["links"] = int((fitter.usable & ~links.censored).sum())
    return Judgement(fitter, fit, site_error, row)


def criterion(links: Links, table: pd.DataFrame) -> str:
    """The column that chooses: held-out sites where three or more were measured, else blocks; a log score where
    non-receptions are known, else the RMSE.
    """
    name = "site" if np.unique(links.site[~links.censored]).size >= 3 else "block"
    name += "_log_score" if links.censored.any() else "_rmse_db"
    return name if np.isfinite(table[name]).any() else "fitted_rmse_db"
