"""Does what a spec asks of one official SDK: a line of JSON in, a line of JSON out, one after the other.

    {"do": "ask", "base": …, "key": …, "model": …, "turn": {…}}    →    {"said": {…}} or {"raised": {…}}

`python serve.py <dialect>` chooses the SDK. Nothing is judged here; the spec does that.
"""

import asyncio
import importlib
import json
import sys

FACES = {
    "anthropic": ("with_anthropic", "Messages"),
    "openai-chat": ("with_openai", "Chat"),
    "openai-responses": ("with_openai", "Responses"),
    "gemini": ("with_google", "Content"),
}


def raised(error):
    """What a caller's `except` clauses would see of it."""
    classes = [f"{kind.__module__.split('.')[0]}.{kind.__name__}" for kind in type(error).__mro__]
    status = getattr(error, "status_code", None) or getattr(error, "code", None)
    return {"classes": classes, "message": str(error), "status": status if isinstance(status, int) else None}


def main():
    # What a library prints is no answer.
    answers, sys.stdout = sys.stdout, sys.stderr
    module, name = FACES[sys.argv[1]]
    face = getattr(importlib.import_module(module), name)
    loop = asyncio.new_event_loop()
    clients = {}
    for line in sys.stdin:
        order = json.loads(line)
        where = (order["base"], order["key"])
        try:
            if where not in clients:
                clients[where] = face(*where)
            said = getattr(clients[where], order["do"])(order.get("model"), order.get("turn") or {})
            if asyncio.iscoroutine(said):
                said = loop.run_until_complete(said)
            answer = {"said": said}
        except Exception as error:  # Every class is an answer: the spec tells the right one from a wrong one.
            answer = {"raised": raised(error)}
        print(json.dumps(answer), file=answers, flush=True)


main()
