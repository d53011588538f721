"""The official Anthropic SDK: messages, plain and as streams, on its blocking and on its asynchronous client."""

import anthropic
from common import PIXEL, SCHEMA, TOOL, Trip, cancel_soon, parsed


class Messages:
    def __init__(self, base, key):
        self.client = anthropic.Anthropic(api_key=key, base_url=base, max_retries=0)
        self.asynchronous = anthropic.AsyncAnthropic(api_key=key, base_url=base, max_retries=0)
        self.last = None

    def body(self, model, turn):
        content = turn["prompt"]
        if turn.get("image"):
            source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
            content = [{"type": "text", "text": content}, {"type": "image", "source": source}]
        messages = [{"role": "user", "content": content}]
        if "results" in turn:
            # As the SDK's handbook does it: its own object goes back.
            messages.append({"role": "assistant", "content": self.last.content})
            made = [block for block in self.last.content if block.type == "tool_use"]
            results = [
                {"type": "tool_result", "tool_use_id": call.id, "content": said}
                for call, said in zip(made, turn["results"], strict=True)
            ]
            messages.append({"role": "user", "content": results})
        body = {"model": model, "max_tokens": 4096, "messages": messages}
        if turn.get("tools"):
            body["tools"] = [{**TOOL, "input_schema": SCHEMA}]
        if turn.get("thinking"):
            body["thinking"] = {"type": "enabled", "budget_tokens": 1024}
        if turn.get("schema"):
            body["output_format"] = Trip
        return body

    def read(self, message):
        self.last = message
        blocks = message.content
        said = {
            "text": "".join(block.text for block in blocks if block.type == "text"),
            "thinking": "".join(block.thinking for block in blocks if block.type == "thinking"),
            "calls": [{"id": b.id, "name": b.name, "args": b.input} for b in blocks if b.type == "tool_use"],
            "stop": message.stop_reason,
            "input": message.usage.input_tokens,
            "output": message.usage.output_tokens,
        }
        if isinstance(getattr(message, "parsed_output", None), Trip):
            said["parsed"] = parsed(message.parsed_output)
        return said

    def ask(self, model, turn):
        make = self.client.messages.parse if turn.get("schema") else self.client.messages.create
        return self.read(make(**self.body(model, turn)))

    def stream(self, model, turn):
        with self.client.messages.stream(**self.body(model, turn)) as stream:
            return self.read(stream.get_final_message())

    async def ask_async(self, model, turn):
        return self.read(await self.asynchronous.messages.create(**self.body(model, turn)))

    async def stream_async(self, model, turn):
        async with self.asynchronous.messages.stream(**self.body(model, turn)) as stream:
            return self.read(await stream.get_final_message())

    def leave(self, model, turn):
        with self.client.messages.stream(**self.body(model, turn)) as stream:
            for event in stream:
                return {"finished": event.type == "message_stop"}

    def leave_async(self, model, turn):
        async def reading(begun):
            async with self.asynchronous.messages.stream(**self.body(model, turn)) as stream:
                async for _ in stream:
                    begun.set()

        return cancel_soon(reading)

    def loop(self, model, turn):
        """The SDK calls a function of ours and sends on what it answered."""

        @anthropic.beta_tool
        def get_weather(city: str, days: int) -> str:
            """The weather of a city"""
            return f"It rains in {city} for {days} days."

        runner = self.client.beta.messages.tool_runner(**self.body(model, turn), tools=[get_weather])
        return {"text": "".join(block.text for block in runner.until_done().content if block.type == "text")}

    def count(self, model, _):
        messages = [{"role": "user", "content": "Say hello."}]
        return self.client.messages.count_tokens(model=model, messages=messages).input_tokens

    def models(self, *_):
        return [model.id for model in self.client.models.list()]
