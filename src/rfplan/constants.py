"""Physical and planning constants, each with its source."""

from __future__ import annotations

from typing import Final

SPEED_OF_LIGHT_M_S: Final = 299_792_458.0
"""Speed of light in vacuum, m/s (exact, SI)."""

SPEED_OF_LIGHT_ITU_M_S: Final = 2.998e8
"""Speed of light as Recommendation ITU-R P.1812-8 and P.452-18 round it, m/s."""

BOLTZMANN_J_K: Final = 1.380649e-23
"""Boltzmann constant, J/K (exact, SI)."""

EARTH_RADIUS_KM: Final = 6371.0
"""Mean Earth radius, km (P.1812-8, section 4.1)."""

BETA0_EARTH_RADIUS_FACTOR: Final = 3.0
"""Effective Earth radius factor exceeded for beta0 percent of time (P.1812-8, equation 7b)."""

REFERENCE_TEMPERATURE_K: Final = 290.0
"""Reference noise temperature, K (ITU-R P.372)."""

NORTHERN_VIETNAM_DELTA_N: Final = 50.0
"""Annual mean radio-refractivity lapse through the lowest 1 km, N-units/km, taken for the Red River delta.

A rounded planning value read for about 21 N 105 E from the world maps that accompany ITU-R P.452 and P.1812
(no map is shipped): humid subtropical air, gradient steeper than the 40 N-units/km of a standard atmosphere.
"""

NORTHERN_VIETNAM_N0: Final = 370.0
"""Annual mean sea-level surface refractivity, N-units, taken for the Red River delta (rounded as for delta N)."""
