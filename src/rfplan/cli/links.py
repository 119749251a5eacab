"""Commands on propagation models: link, models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rfplan.cli.options import known_model, lonlat


def link(
    terrain: Annotated[list[Path], typer.Argument(help="Elevation files.")],
    start: Annotated[str, typer.Option("--from", help="Transmitter: LON,LAT in degrees.")],
    end: Annotated[str, typer.Option("--to", help="Receiver: LON,LAT in degrees.")],
    frequency_mhz: Annotated[float, typer.Option(help="Frequency, MHz.")] = 1800.0,
    tx_height_agl_m: Annotated[float, typer.Option(help="Transmitter height above ground, m.")] = 30.0,
    rx_height_agl_m: Annotated[float, typer.Option(help="Receiver height above ground, m.")] = 1.5,
    model: Annotated[str, typer.Option(help="A model; `rfplan models` lists them.")] = "P1812",
    clutter: Annotated[str, typer.Option(help="default, bare-earth or a land-cover file.")] = "default",
) -> None:
    """Predict one link over terrain: distance, path loss and its parts."""
    import rfplan
    from rfplan.propagation.names import model_class

    known_model(model)
    a, b = lonlat("--from", start), lonlat("--to", end)
    ground = rfplan.open_terrain(list(terrain), clutter=clutter, bounds=_around(a, b))
    profile = ground.profile(a, b)
    paths = profile.paths(frequency_mhz=frequency_mhz, tx_height_agl_m=tx_height_agl_m, rx_height_agl_m=rx_height_agl_m)
    predictor = model_class(model)()
    rows: list[tuple[str, float, str]] = [("distance", profile.distance_m[-1] / 1000.0, "km")]
    rows += [
        ("transmitter ground", profile.elevation_amsl_m[0], "m"),
        ("receiver ground", profile.elevation_amsl_m[-1], "m"),
    ]
    rows += [("highest ground between", max(profile.elevation_amsl_m), "m")]
    rows += [(f"path loss, {model}", float(predictor.path_loss_db(paths)[0]), "dB")]
    if hasattr(predictor, "loss_parts"):
        rows += [(f"  {name}", float(part[0]), "") for name, part in predictor.loss_parts(paths).items()]
    for name, value, unit in rows:
        print(f"{name:<34s} {value:10.2f} {unit}".rstrip())


def _around(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float, float, float]:
    """Return a box a little larger than a link: only that much of the terrain is read."""
    pad = 0.02
    lon, lat = sorted((a[0], b[0])), sorted((a[1], b[1]))
    return lon[0] - pad, lat[0] - pad, lon[1] + pad, lat[1] + pad


def models() -> None:
    """List the propagation models a scenario may name, with what they need and their parameters."""
    import dataclasses

    from rfplan.propagation.names import MODELS, model_class

    for name in MODELS:
        kind = model_class(name)
        print(f"{name} (needs {kind.needs}): {getattr(kind, 'citation', '')}")
        for field in dataclasses.fields(kind):
            if field.init:
                default = "required" if field.default is dataclasses.MISSING else f"{field.default!r}"
                print(f"    {field.name} = {default}")
