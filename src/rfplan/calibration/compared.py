"""Which models a comparison of all models takes."""

from __future__ import annotations

from rfplan.propagation.base import PropagationModel
from rfplan.propagation.compare import model_name


def models_for(frequency_mhz: float, first: PropagationModel) -> list[PropagationModel]:
    """Every model of rfplan that a frequency suits, in the form that fits open and suburban ground; not `first`."""
    from rfplan.propagation.ehata import ExtendedHata
    from rfplan.propagation.free_space import FreeSpace
    from rfplan.propagation.hata import Cost231Hata, OkumuraHata
    from rfplan.propagation.itm import ITM
    from rfplan.propagation.p452 import P452
    from rfplan.propagation.p526 import P526
    from rfplan.propagation.p1812 import P1812
    from rfplan.propagation.plane_earth import Egli, LogDistance, TwoRay
    from rfplan.propagation.spm import SPM, HataDem

    models: list[PropagationModel] = [FreeSpace(), TwoRay(), LogDistance(), P526()]
    if 30.0 <= frequency_mhz <= 6000.0:
        models.append(P1812())
    if frequency_mhz >= 100.0:
        models.append(P452())
    if 20.0 <= frequency_mhz <= 20_000.0:
        models += [ITM(), ITM(add_clutter=True)]
    if 150.0 <= frequency_mhz <= 3000.0:
        models += [ExtendedHata(), HataDem(environment="suburban"), SPM()]
    if 150.0 <= frequency_mhz <= 1500.0:
        models.append(OkumuraHata(environment="suburban"))
    if 1500.0 <= frequency_mhz <= 2000.0:
        models.append(Cost231Hata(environment="suburban"))
    if 40.0 <= frequency_mhz <= 1000.0:
        models.append(Egli())
    return [model for model in models if model_name(model) != model_name(first)]
