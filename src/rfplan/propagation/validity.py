"""The range a distance model was made for, as data: checked by the model, shown by the chooser and by comparisons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rfplan.errors import ParameterError
from rfplan.profile import Paths
from rfplan.propagation.base import check_range, require_range

FloatArray = npt.NDArray[np.float64]
Range = tuple[float, float]

__all__ = ["Validity", "broadcast"]

# Outside these a number is a slip of units (GHz or Hz for MHz, kilometres for metres), whatever the model.
_POSSIBLE_FREQUENCY_MHZ = (10.0, 300e3)
_POSSIBLE_DISTANCE_M = (1e-3, 1e6)
_POSSIBLE_HEIGHT_M = (1e-3, 9e3)


def broadcast(**named: npt.ArrayLike) -> list[FloatArray]:
    """Arguments as arrays of one shape, in order.

    Raises
    ------
    ParameterError
        When one is not numbers, or the shapes don't broadcast; the message names the parameters.
    """
    arrays = []
    for name, value in named.items():
        try:
            arrays.append(np.asarray(value, dtype=np.float64))
        except (TypeError, ValueError) as error:
            raise ParameterError(f"{name} is {value!r}; allowed: a number or an array of numbers") from error
    try:
        return list(np.broadcast_arrays(*arrays))
    except ValueError as error:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in zip(named, arrays, strict=True))
        raise ParameterError(f"shapes don't broadcast together: {shapes}; give scalars or equal lengths") from error


@dataclass(frozen=True)
class Validity:
    """Ranges that the source of a model states; None where it states none.

    Parameters
    ----------
    source
        What stated them, for the warning's text.
    frequency_mhz, distance_m, tx_height_agl_m, rx_height_agl_m
        Lowest and highest value, ends included.
    """

    source: str
    frequency_mhz: Range | None = None
    distance_m: Range | None = None
    tx_height_agl_m: Range | None = None
    rx_height_agl_m: Range | None = None

    def _ranges(self) -> dict[str, Range | None]:
        return {
            "distance_m": self.distance_m,
            "frequency_mhz": self.frequency_mhz,
            "tx_height_agl_m": self.tx_height_agl_m,
            "rx_height_agl_m": self.rx_height_agl_m,
        }

    def checked(
        self,
        distance_m: npt.ArrayLike,
        frequency_mhz: npt.ArrayLike,
        tx_height_agl_m: npt.ArrayLike | None = None,
        rx_height_agl_m: npt.ArrayLike | None = None,
        *,
        stacklevel: int = 4,
    ) -> list[FloatArray]:
        """Arguments as arrays broadcast together: impossible values raise, values out of the stated range warn.

        Parameters
        ----------
        distance_m, frequency_mhz, tx_height_agl_m, rx_height_agl_m
            What a model was given; heights that it doesn't use are None and left out of the result.
        stacklevel
            How far up the warning points.

        Returns
        -------
        list of ndarray
            The arguments that are not None, in order.

        Raises
        ------
        ParameterError
            When a value is not finite or positive, looks like a slip of units, or shapes don't broadcast.
        """
        given = {
            "distance_m": (distance_m, _POSSIBLE_DISTANCE_M, "give metres"),
            "frequency_mhz": (frequency_mhz, _POSSIBLE_FREQUENCY_MHZ, "give MHz, not GHz or Hz"),
            "tx_height_agl_m": (tx_height_agl_m, _POSSIBLE_HEIGHT_M, "give metres above ground"),
            "rx_height_agl_m": (rx_height_agl_m, _POSSIBLE_HEIGHT_M, "give metres above ground"),
        }
        stated = self._ranges()
        known = {name: value for name, (value, _, _) in given.items() if value is not None}
        arrays = broadcast(**known)
        for name, value in known.items():
            _, possible, remedy = given[name]
            require_range(name, value, *possible, remedy)
            limits = stated[name]
            if limits is not None:
                check_range(name, value, *limits, self.source, stacklevel=stacklevel)
        return arrays

    def holds(self, paths: Paths) -> npt.NDArray[np.bool_]:
        """Whether each path is within every stated range, shape (n,)."""
        inside = np.ones(len(paths), dtype=bool)
        for name, limits in self._ranges().items():
            if limits is not None:
                values = getattr(paths, name)
                inside &= (values >= limits[0]) & (values <= limits[1])
        return inside
