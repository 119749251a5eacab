"""What all sections of a scenario are made of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Amount = Annotated[float, Field(ge=0.0)]
Year = Annotated[int, Field(ge=1980, le=2100)]
Technology = Literal["2G", "3G", "4G", "5G"]
#: Time limit of a search, in seconds: a day at most.
TimeLimit = Annotated[float, Field(gt=0, le=86_400)]


class Section(BaseModel):
    """A table of the scenario: frozen, without unknown keys, numbers finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)
