"""Settings, read from the environment once."""

import os
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

PREFIX = "LYCH_"


class Settings(BaseModel):
    """What can be set; every field is the variable `LYCH_<FIELD>`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    title: str = "lych"
    database_url: str | None = None
    database_timeout: Annotated[float, Field(gt=0, le=60)] = 2.0
    body_limit: Annotated[int, Field(gt=0)] = 32 * 1024 * 1024

    @classmethod
    def from_environment(cls) -> Self:
        """Read the variables that are set and not empty."""
        named = {field: os.environ.get(PREFIX + field.upper()) for field in cls.model_fields}
        return cls.model_validate({field: value for field, value in named.items() if value})
