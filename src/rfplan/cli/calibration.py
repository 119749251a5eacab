"""The command that learns from measurements: calibrate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rfplan.cli.options import OutOption, known_model
from rfplan.cli.progress import plain_warnings

if TYPE_CHECKING:
    from rfplan.calibration import Calibration, CalibrationSettings, Measurements
    from rfplan.terrain import Terrain


def calibrate(
    measurements: Annotated[Path, typer.Argument(help="Drive test or device report, CSV or XLSX.")],
    transmitters: Annotated[Path, typer.Option(help="Table: site_id, lon_deg, lat_deg, tx_height_agl_m, eirp_dbm.")],
    terrain: Annotated[list[Path], typer.Option(help="Elevation file; may be given several times.")],
    out: OutOption = None,
    model: Annotated[str, typer.Option(help="A model; `rfplan models` lists them.")] = "P1812",
    frequency_mhz: Annotated[float, typer.Option(help="Frequency where a transmitter states none, MHz.")] = 1800.0,
    rx_height_agl_m: Annotated[float, typer.Option(help="Receiver height above ground, m.")] = 1.5,
    sensitivity_dbm: Annotated[float | None, typer.Option(help="Level below which nothing is received, dBm.")] = None,
    eirp_dbm: Annotated[float | None, typer.Option(help="EIRP of transmitters that state none, dBm.")] = None,
    from_packets: Annotated[bool, typer.Option(help="Count what other sites of a packet did not hear.")] = False,
    clutter: Annotated[str, typer.Option(help="default, bare-earth or a land-cover file.")] = "default",
    compare: Annotated[bool, typer.Option(help="Set every model that suits the frequency beside it.")] = False,
) -> None:
    """Calibrate a model on measurements and judge it on held-out sites.

    SPM gets its constants and clutter losses fitted, other models a correction. Into the output folder go
    calibration.json (for [model] calibrated in a scenario), tables, residuals as points, and plots.
    """
    import rfplan
    from rfplan.calibration import CalibrationSettings

    known_model(model)
    with plain_warnings(False):
        settings = CalibrationSettings(
            frequency_mhz=frequency_mhz,
            rx_height_agl_m=rx_height_agl_m,
            sensitivity_dbm=sensitivity_dbm,
            eirp_dbm=eirp_dbm,
            non_receptions="packets" if from_packets else "given",
        )
        ground = rfplan.open_terrain(list(terrain), clutter=clutter)
        table = rfplan.read_measurements(measurements)
        found = _calibrated(table, transmitters, ground, model, settings, compare)
    print(found)
    for note in found.notes:
        print(f"note: {note}")
    if out is not None:
        for path in rfplan.write_calibration(found, out):
            print(path)


def _calibrated(
    table: Measurements, transmitters: Path, ground: Terrain, model: str, settings: CalibrationSettings, compare: bool
) -> Calibration:
    """Fit the constants of SPM, or the correction of another model."""
    import rfplan
    from rfplan.propagation.names import model_class

    if model == "SPM":
        return rfplan.calibrate_spm(table, transmitters, ground, settings=settings)
    predictor = model_class(model)()
    return rfplan.calibrate(
        table, transmitters, ground, model=predictor, settings=settings, compare="all" if compare else ()
    )
