"""Specific attenuation by atmospheric gases for P.452: the line-by-line sums of P.676-13, Annex 1, at any frequency.

P.452 applies them from 100 MHz on, below the 1 GHz where P.676 starts; the caller passes the line tables.
"""

from __future__ import annotations

import math
from typing import Any

from rfplan.kernels._jit import jit


@jit
def oxygen_db_km(f: float, pressure_hpa: float, theta: float, vapour_hpa: float, lines: Any) -> float:
    """Oxygen and pressure-induced nitrogen, dB/km, at f GHz; theta = 300 / T (equations 1 to 3 and 5 to 9)."""
    theta_08: float = theta**0.8
    total_hpa = pressure_hpa + vapour_hpa
    acc: float = 0.0
    for i in range(lines.shape[0]):
        line = lines[i, 0]
        strength = lines[i, 1] * 1e-7 * pressure_hpa * theta**3 * math.exp(lines[i, 2] * (1.0 - theta))
        width = lines[i, 3] * 1e-4 * (pressure_hpa * theta ** (0.8 - lines[i, 4]) + 1.1 * vapour_hpa * theta)
        width = math.sqrt(width * width + 2.25e-6)
        shift = (lines[i, 5] + lines[i, 6] * theta) * 1e-4 * total_hpa * theta_08
        below = line - f
        above = line + f
        shape = (width - shift * below) / (below * below + width * width)
        shape += (width - shift * above) / (above * above + width * width)
        acc += strength * shape * f / line
    debye = 5.6e-4 * total_hpa * theta_08
    dry: float = 6.14e-5 / (debye * (1.0 + (f / debye) ** 2))
    dry += 1.4e-12 * pressure_hpa * theta**1.5 / (1.0 + 1.9e-5 * f**1.5)
    return 0.182 * f * (acc + f * pressure_hpa * theta * theta * dry)


@jit
def vapour_db_km(f: float, pressure_hpa: float, theta: float, vapour_hpa: float, lines: Any) -> float:
    """Water vapour, dB/km, at f GHz (equations 1 to 3, 5 and 6)."""
    acc: float = 0.0
    for i in range(lines.shape[0]):
        line = lines[i, 0]
        strength = lines[i, 1] * 0.1 * vapour_hpa * theta**3.5 * math.exp(lines[i, 2] * (1.0 - theta))
        width = (
            lines[i, 3] * 1e-4 * (pressure_hpa * theta ** lines[i, 4] + lines[i, 5] * vapour_hpa * theta ** lines[i, 6])
        )
        width = 0.535 * width + math.sqrt(0.217 * width * width + 2.1316e-12 * line * line / theta)
        shape = width / ((line - f) ** 2 + width * width) + width / ((line + f) ** 2 + width * width)
        acc += strength * shape * f / line
    return 0.182 * f * acc


@jit
def specific_attenuation_db_km(
    f: float, pressure_hpa: float, temperature_k: float, density_g_m3: float, oxygen: Any, vapour: Any
) -> float:
    """Oxygen and water vapour together, dB/km, at f GHz; the vapour pressure is rho T / 216.7 (equation 4)."""
    theta = 300.0 / temperature_k
    vapour_hpa = density_g_m3 * temperature_k / 216.7
    dry = oxygen_db_km(f, pressure_hpa, theta, vapour_hpa, oxygen)
    return dry + vapour_db_km(f, pressure_hpa, theta, vapour_hpa, vapour)


@jit
def specific_attenuations(
    frequency_ghz: Any, density_g_m3: Any, pressure_hpa: float, temperature_k: float, oxygen: Any, vapour: Any, out: Any
) -> None:
    """`specific_attenuation_db_km` of pairs of frequency and water vapour density, into ``out``."""
    for i in range(frequency_ghz.size):
        out[i] = specific_attenuation_db_km(
            frequency_ghz[i], pressure_hpa, temperature_k, density_g_m3[i], oxygen, vapour
        )
