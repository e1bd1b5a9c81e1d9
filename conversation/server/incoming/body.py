"""What every body of a request has in common."""

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """A body, or a part of one, in which a field that would have no effect is refused by name."""

    model_config = ConfigDict(extra="forbid")
