"""What the commands on a scenario show beside their files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rfplan.plan import Baseline


def show_plan(made: Any, page: Path) -> None:
    """Print what a planner wants to know first."""
    before, after = (figures.table.iloc[-1] for figures in (made.key_figures_before, made.key_figures_after))
    print(f"{'':24s}{'before':>12s}{'after':>12s}")
    for words, column in (
        ("people covered, %", "covered_population_percent"),
        ("area covered, %", "covered_area_percent"),
    ):
        print(f"{words:24s}{before[column]:12.2f}{after[column]:12.2f}")
    _show_additions(made)
    rest = made.uncoverable
    people = float(rest["people"].sum()) if len(rest) else 0.0
    area = float(rest["area_km2"].sum()) if len(rest) else 0.0
    print(
        f"sites to build: {len(made.sites)}, cost {made.sites['cost'].sum():g} {made.additions.cost_unit} "
        f"(objective {made.objective:g}, proven bound {made.bound:g}, gap {100 * made.gap:.1f} %), "
        f"{'verified' if made.verified else 'NOT VERIFIED'}\n"
        f"beyond any candidate: {people:,.0f} people, {area:,.1f} km2\n"
        f"report: {page}"
    )


def _show_additions(made: Any) -> None:
    """Print years, tuning, backhaul, 5G and parameters where there are any."""
    extra = made.additions
    if extra.rollout is not None:
        for row in extra.rollout.years.to_dict("records"):
            milestone = "" if row["met"] else "  MILESTONE MISSED: " + row["reason"]
            print(
                f"  {row['year']}: {row['sites']:4d} sites, cost {row['spent']:8.2f}, "
                f"people {row['people_percent']:.2f} %, area {row['area_percent']:.2f} %{milestone}"
            )
    if extra.tuning is not None:
        settings, measure = extra.tuning.settings, extra.tuning.rules.objective
        gained, unit = (settings.gained_people, "people") if measure == "people" else (settings.gained_km2, "km2")
        print(f"sectors tuned: {extra.tuning.cells['sector_id'].nunique()}, gained {gained:,.1f} {unit}")
    if extra.backhaul is not None:
        counts = extra.backhaul.sites["medium"].value_counts()
        print("backhaul: " + ", ".join(f"{count} x {name}" for name, count in counts.items()))
    if extra.expansion_5g is not None:
        before, after = extra.expansion_5g.figures_before.total, extra.expansion_5g.figures_after.total
        print(
            f"5G: {len(extra.expansion_5g.plan.sites)} carriers, people {before['covered_population_percent']:.2f} -> "
            f"{after['covered_population_percent']:.2f} %"
        )
    if extra.parameters is not None:
        print(f"parameters: {extra.parameters.collisions} collisions, {extra.parameters.confusions} confusions")


def draw_baseline(baseline: Baseline | None, folder: Path, synthetic: str) -> None:
    """Draw the baseline, where there is one, beside its tables."""
    if baseline is None:
        return
    import io

    from matplotlib.figure import Figure

    from rfplan.io.atomic import write_bytes
    from rfplan.plot import plot_best_technology, plot_sweep

    for name, draw, title, size in (
        ("best_technology_before", plot_best_technology, "Newest technology that covers", (7.0, 8.0)),
        ("baseline_sweep", plot_sweep, "Threshold sweep, both links", (6.0, 4.0)),
    ):
        figure, picture = Figure(figsize=size, layout="constrained"), io.BytesIO()
        draw(baseline, ax=figure.add_subplot(), title=title + synthetic)
        figure.savefig(picture, format="png", dpi=150)
        write_bytes(folder / "stages" / f"{name}.png", picture.getvalue())
