"""Fetched data in a plan: real ground, ground cover and people where the cache holds them, and what was used said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rfplan.io.fetch import cache_folder, find_cached
from rfplan.io.sources import LICENCES
from rfplan.scenario import FETCHED, Scenario, SynthesizeSection

WHAT = {
    "glo30": "ground (Copernicus GLO-30)",
    "worldcover": "ground cover (ESA WorldCover)",
    "worldpop": "people (WorldPop)",
}
STATIONS_SEED = 2025


def use_fetched(scenario: Scenario) -> tuple[Scenario, frozenset[str]]:
    """Put fetched files in the place of a scenario's own, source by source, where all files of a source are cached.

    Stations of a synthetic scenario are sited anew on fetched ground or by fetched people: those of the synthetic
    ground stand on hills that are not there.

    Returns
    -------
    Scenario, frozenset of str
        With notes that say what was used and what was not, and the keys of the inputs that are fetched.
    """
    section = scenario.fetched
    if section is None:
        return scenario, frozenset()
    cached = find_cached(section.bbox, section.use, country=section.country)
    whole = {source: files for source, (files, count) in cached.items() if files and len(files) == count}
    notes = [_note(source, *found, used=source in whole) for source, found in cached.items()]
    if not whole:
        box = ",".join(f"{value:g}" for value in section.bbox)
        notes = [
            f"No fetched data is used: {'; '.join(notes)}. "
            f"`rfplan fetch --bbox {box} --what {','.join(section.use)}` fetches it."
        ]
        return scenario.edited({"notes": (*scenario.notes, *notes)}), frozenset()
    update, keys = _replacements(scenario, whole)
    update["notes"] = (*scenario.notes, *(f"{note}." for note in notes))
    if scenario.synthetic:
        update |= _words(scenario, whole)
    return scenario.edited(update), frozenset(keys)


def _note(source: str, files: list[Path], count: int, *, used: bool) -> str:
    if used:
        return f"{WHAT[source]}: fetched, {count} file{'s' if count > 1 else ''}"
    return f"{WHAT[source]}: {len(files)} of {count} files are in the cache, so the scenario's own is used"


def _replacements(scenario: Scenario, whole: dict[str, list[Path]]) -> tuple[dict[str, Any], list[str]]:
    section = scenario.fetched
    assert section is not None
    root = cache_folder()
    names = {
        source: tuple(f"{FETCHED}{path.relative_to(root).as_posix()}" for path in files)
        for source, files in whole.items()
    }
    ground: dict[str, Any] = {}
    keys: list[str] = []
    licences = dict(scenario.licences)
    if "glo30" in names:
        ground |= {"files": names["glo30"], "bounds": scenario.terrain.bounds or section.bbox, "nodata": None}
        keys += [f"terrain.files[{k}]" for k in range(len(names["glo30"]))]
        licences = {key: text for key, text in licences.items() if not key.startswith("terrain.files")}
        licences |= dict.fromkeys(keys, LICENCES["glo30"])
    if "worldcover" in names:
        ground |= {"clutter": names["worldcover"], "clutter_table": "worldcover"}
        covers = [f"terrain.clutter[{k}]" for k in range(len(names["worldcover"]))]
        keys += covers
        licences |= dict.fromkeys(covers, LICENCES["worldcover"])
    update: dict[str, Any] = {"terrain": scenario.terrain.model_copy(update=ground)}
    if "worldpop" in names:
        update["demand"] = scenario.demand.model_copy(update={"population": names["worldpop"][0]})
        keys.append("demand.population")
        licences["demand.population"] = LICENCES["worldpop"]
    if section.synthesize is not None and {"glo30", "worldpop"} & set(names):
        stations = SynthesizeSection(count=section.synthesize, seed=STATIONS_SEED)
        gone = {"sites": None, "sectors": None, "cells": None, "synthesize": stations}
        update["network"] = scenario.network.model_copy(update=gone)
    return update | {"licences": licences}, keys


def _words(scenario: Scenario, whole: dict[str, list[Path]]) -> dict[str, str]:
    """Title and note that no longer call synthetic what is real."""
    real = [WHAT[source] for source in WHAT if source in whole]
    derived = "worldcover" if scenario.terrain.clutter == "derived" else ""  # from people: neither real nor made up
    made_up = [WHAT[source] for source in WHAT if source not in whole and source != derived]
    nouns = ", ".join(text.split(" (")[0] for text in real)
    invented = ", ".join([*(text.split(" (")[0] for text in made_up), "stations, outline and borders"])
    return {
        "title": f"{scenario.title.split(' (')[0]} (fetched {nouns}; synthetic stations and borders)",
        "synthetic_note": f"Real, fetched: {', '.join(real)}. Synthetic: {invented}. Names, codes, areas and official "
        "totals of the units are real.",
    }
