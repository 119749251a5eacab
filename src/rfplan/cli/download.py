"""The command that downloads open data: fetch."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from rfplan.cli.options import QuietOption, numbers
from rfplan.cli.progress import bytes_as_stages, plain_warnings, shown_progress


def fetch(
    bbox: Annotated[str, typer.Option(help="WEST,SOUTH,EAST,NORTH in degrees.")],
    what: Annotated[str, typer.Option(help="Sources, comma-separated.")] = "glo30,worldcover,worldpop,osm",
    folder: Annotated[Path | None, typer.Option(help="Cache folder, in place of the user's.")] = None,
    show: Annotated[bool, typer.Option("--list", help="Only list the files; nothing is downloaded.")] = False,
    quiet: QuietOption = False,
) -> None:
    """Download open elevation, ground cover, population and roads of an area into the cache.

    Sources: glo30, worldcover, worldpop, ghs-pop, osm, opencellid (needs your key in OPENCELLID_KEY). Each file is
    checked; an interrupted download goes on where it stopped.
    """
    from rfplan.io import fetch as fetching
    from rfplan.io.sources import LICENCES

    area = numbers("--bbox", bbox, 4, "WEST,SOUTH,EAST,NORTH")
    box = (area[0], area[1], area[2], area[3])
    sources = [word.strip() for word in what.split(",") if word.strip()]
    key = os.environ.get("OPENCELLID_KEY")
    if show:
        for remote in fetching.list_files(box, sources, opencellid_key=key):
            print(remote.shown_url)
    else:
        with plain_warnings(quiet), shown_progress(quiet) as progress:
            found = fetching.fetch(box, sources, folder=folder, progress=bytes_as_stages(progress), opencellid_key=key)
        for item in found:
            state = "nothing there" if item.path is None else str(item.path)
            print(f"{state}{' (from the cache)' if item.from_cache else ''}")
    if not quiet:
        for name in dict.fromkeys(sources):
            print(f"{name}: {LICENCES[name]}", file=sys.stderr)
