"""What the requests of all SDKs have in common."""

import asyncio
from contextlib import suppress

from pydantic import BaseModel, ConfigDict

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
"""One red pixel."""

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
TOOL = {"name": "get_weather", "description": "The weather of a city"}


class Trip(BaseModel):
    """The form of an answer, as a class: what these SDKs make of it is the point."""

    model_config = ConfigDict(extra="forbid")
    city: str
    days: int


def parsed(form):
    return form.model_dump() if form is not None else None


async def cancel_soon(reading):
    """Lets a stream begin, then cancels the task that reads it."""
    begun = asyncio.Event()
    task = asyncio.ensure_future(reading(begun))
    waiting = asyncio.ensure_future(begun.wait())
    await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    ended = task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return {"finished": ended}
