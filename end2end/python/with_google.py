"""The official Google GenAI SDK: content, plain and as streams, on its blocking and on its asynchronous client."""

import base64

from common import PIXEL, SCHEMA, TOOL, Trip, cancel_soon, parsed
from google import genai
from google.genai import types


class Content:
    def __init__(self, base, key):
        options = types.HttpOptions(base_url=base, retry_options=types.HttpRetryOptions(attempts=1))
        self.client = genai.Client(api_key=key, http_options=options)
        self.last = None

    def body(self, model, turn):
        parts = [types.Part.from_text(text=turn["prompt"])]
        if turn.get("image"):
            parts.append(types.Part.from_bytes(data=base64.b64decode(PIXEL), mime_type="image/png"))
        contents = [types.Content(role="user", parts=parts)]
        if "results" in turn:
            # As the SDK's handbook does it: its own object goes back.
            contents.append(self.last)
            made = [part.function_call for part in self.last.parts if part.function_call]
            results = [
                types.Part(function_response=types.FunctionResponse(id=call.id, name=call.name, response={"output": said}))
                for call, said in zip(made, turn["results"], strict=True)
            ]
            contents.append(types.Content(role="user", parts=results))
        config = types.GenerateContentConfig()
        if turn.get("tools"):
            declared = types.FunctionDeclaration(**TOOL, parameters_json_schema=SCHEMA)
            config.tools = [types.Tool(function_declarations=[declared])]
        if turn.get("schema"):
            config.response_mime_type = "application/json"
            config.response_schema = Trip
        if turn.get("thinking"):
            config.thinking_config = types.ThinkingConfig(include_thoughts=True)
        return {"model": model, "contents": contents, "config": config}

    def read(self, chunks):
        parts, stop, usage, form = [], None, None, None
        for chunk in chunks:
            candidate = chunk.candidates[0] if chunk.candidates else None
            if candidate:
                parts += (candidate.content and candidate.content.parts) or []
                stop = candidate.finish_reason or stop
            usage = chunk.usage_metadata or usage
            form = chunk.parsed if isinstance(chunk.parsed, Trip) else form
        self.last = types.Content(role="model", parts=parts)
        made = [part.function_call for part in parts if part.function_call]
        said = {
            "text": "".join(part.text for part in parts if part.text and not part.thought),
            "thinking": "".join(part.text for part in parts if part.text and part.thought),
            "calls": [{"id": call.id, "name": call.name, "args": call.args} for call in made],
            "stop": stop and stop.value,
            "input": usage.prompt_token_count,
            "output": (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0),
        }
        if form is not None:
            said["parsed"] = parsed(form)
        return said

    def ask(self, model, turn):
        return self.read([self.client.models.generate_content(**self.body(model, turn))])

    def stream(self, model, turn):
        return self.read(self.client.models.generate_content_stream(**self.body(model, turn)))

    async def ask_async(self, model, turn):
        return self.read([await self.client.aio.models.generate_content(**self.body(model, turn))])

    async def stream_async(self, model, turn):
        stream = await self.client.aio.models.generate_content_stream(**self.body(model, turn))
        return self.read([chunk async for chunk in stream])

    def leave(self, model, turn):
        stream = self.client.models.generate_content_stream(**self.body(model, turn))
        first = next(stream)
        stream.close()
        return {"finished": bool(first.candidates and first.candidates[0].finish_reason)}

    def leave_async(self, model, turn):
        async def reading(begun):
            async for _ in await self.client.aio.models.generate_content_stream(**self.body(model, turn)):
                begun.set()

        return cancel_soon(reading)

    def loop(self, model, turn):
        """The SDK calls a function of ours and sends on what it answered."""

        def get_weather(city: str, days: int) -> str:
            """The weather of a city"""
            return f"It rains in {city} for {days} days."

        config = types.GenerateContentConfig(tools=[get_weather])
        return {"text": self.client.models.generate_content(model=model, contents=turn["prompt"], config=config).text}

    def count(self, model, _):
        return self.client.models.count_tokens(model=model, contents="Say hello.").total_tokens

    def embed(self, model, _):
        return [item.values for item in self.client.models.embed_content(model=model, contents=["one", "two"]).embeddings]

    def models(self, *_):
        return [model.name for model in self.client.models.list()]
