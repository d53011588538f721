"""The official OpenAI SDK: chat completions and responses, plain and as streams, on both of its clients."""

import openai
from common import PIXEL, SCHEMA, TOOL, Trip, cancel_soon, parsed


class OpenAI:
    def __init__(self, base, key):
        self.client = openai.OpenAI(api_key=key, base_url=f"{base}/v1", max_retries=0)
        self.asynchronous = openai.AsyncOpenAI(api_key=key, base_url=f"{base}/v1", max_retries=0)
        self.last = None

    def models(self, *_):
        return [model.id for model in self.client.models.list()]


class Chat(OpenAI):
    def body(self, model, turn):
        content = turn["prompt"]
        if turn.get("image"):
            picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
            content = [{"type": "text", "text": content}, picture]
        messages = [{"role": "user", "content": content}]
        if "results" in turn:
            # As the SDK's handbook does it: its own object goes back.
            messages.append(self.last)
            for call, said in zip(self.last.tool_calls, turn["results"], strict=True):
                messages.append({"role": "tool", "tool_call_id": call.id, "content": said})
        body = {"model": model, "messages": messages}
        if turn.get("tools"):
            body["tools"] = [{"type": "function", "function": {**TOOL, "parameters": SCHEMA, "strict": True}}]
        if turn.get("schema"):
            body["response_format"] = Trip
        if turn.get("thinking"):
            body["reasoning_effort"] = "low"
        return body

    def read(self, answer, thinking=None):
        choice = answer.choices[0]
        message = self.last = choice.message
        said = {
            "text": message.content or "",
            "thinking": getattr(message, "reasoning_content", None) or "" if thinking is None else thinking,
            "calls": [
                {"id": call.id, "name": call.function.name, "args": call.function.parsed_arguments}
                for call in message.tool_calls or []
            ],
            "stop": choice.finish_reason,
            "input": answer.usage.prompt_tokens,
            "output": answer.usage.completion_tokens,
        }
        if isinstance(message.parsed, Trip):
            said["parsed"] = parsed(message.parsed)
        return said

    def streamed(self, model, turn):
        return {**self.body(model, turn), "stream_options": {"include_usage": True}}

    @staticmethod
    def thought(event):
        if event.type != "chunk" or not event.chunk.choices:
            return ""
        # Not a field of OpenAI's own API, but of many vendors that speak it.
        return getattr(event.chunk.choices[0].delta, "reasoning_content", None) or ""

    def ask(self, model, turn):
        return self.read(self.client.chat.completions.parse(**self.body(model, turn)))

    def stream(self, model, turn):
        with self.client.chat.completions.stream(**self.streamed(model, turn)) as stream:
            thinking = "".join(self.thought(event) for event in stream)
            return self.read(stream.get_final_completion(), thinking)

    async def ask_async(self, model, turn):
        return self.read(await self.asynchronous.chat.completions.parse(**self.body(model, turn)))

    async def stream_async(self, model, turn):
        async with self.asynchronous.chat.completions.stream(**self.streamed(model, turn)) as stream:
            thinking = "".join([self.thought(event) async for event in stream])
            return self.read(await stream.get_final_completion(), thinking)

    def leave(self, model, turn):
        with self.client.chat.completions.create(**self.body(model, turn), stream=True) as stream:
            for chunk in stream:
                return {"finished": chunk.choices[0].finish_reason is not None}

    def leave_async(self, model, turn):
        async def reading(begun):
            async with await self.asynchronous.chat.completions.create(**self.body(model, turn), stream=True) as stream:
                async for _ in stream:
                    begun.set()

        return cancel_soon(reading)

    def embed(self, model, _):
        return [item.embedding for item in self.client.embeddings.create(model=model, input=["one", "two"]).data]


class Responses(OpenAI):
    def body(self, model, turn):
        content = [{"type": "input_text", "text": turn["prompt"]}]
        if turn.get("image"):
            content.append({"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}", "detail": "auto"})
        sent = [{"role": "user", "content": content}]
        if "results" in turn:
            # As the SDK's handbook does it: its own objects go back.
            sent += self.last.output
            made = [item for item in self.last.output if item.type == "function_call"]
            for call, said in zip(made, turn["results"], strict=True):
                sent.append({"type": "function_call_output", "call_id": call.call_id, "output": said})
        body = {"model": model, "input": sent}
        if turn.get("tools"):
            body["tools"] = [{"type": "function", **TOOL, "parameters": SCHEMA, "strict": True}]
        if turn.get("schema"):
            body["text_format"] = Trip
        if turn.get("thinking"):
            body["reasoning"] = {"effort": "low", "summary": "auto"}
        return body

    def read(self, answer):
        self.last = answer
        said = {
            "text": answer.output_text,
            "thinking": "".join(
                part.text for item in answer.output if item.type == "reasoning" for part in item.summary
            ),
            "calls": [
                {"id": item.call_id, "name": item.name, "args": item.parsed_arguments}
                for item in answer.output
                if item.type == "function_call"
            ],
            "stop": answer.status,
            "input": answer.usage.input_tokens,
            "output": answer.usage.output_tokens,
        }
        if isinstance(answer.output_parsed, Trip):
            said["parsed"] = parsed(answer.output_parsed)
        return said

    @staticmethod
    def check(event):
        """This SDK raises nothing for a response that failed: it hands the event out."""
        if event.type == "response.failed":
            raise openai.APIError(event.response.error.message, request=None, body=None)

    def ask(self, model, turn):
        return self.read(self.client.responses.parse(**self.body(model, turn)))

    def stream(self, model, turn):
        with self.client.responses.stream(**self.body(model, turn)) as stream:
            for event in stream:
                self.check(event)
            return self.read(stream.get_final_response())

    async def ask_async(self, model, turn):
        return self.read(await self.asynchronous.responses.parse(**self.body(model, turn)))

    async def stream_async(self, model, turn):
        async with self.asynchronous.responses.stream(**self.body(model, turn)) as stream:
            async for event in stream:
                self.check(event)
            return self.read(await stream.get_final_response())

    def compact(self, model, turn):
        compacted = self.client.responses.compact(model=model, input=[{"role": "user", "content": turn["prompt"]}])
        # As the SDK's handbook does it: its own objects go back.
        sent = [*compacted.output, {"role": "user", "content": turn["then"]}]
        answer = self.client.responses.create(model=model, input=sent)
        # The same as Codex asks it.
        trigger = [{"role": "user", "content": turn["prompt"]}, {"type": "compaction_trigger"}]
        with self.client.responses.stream(model=model, input=trigger) as stream:
            for event in stream:
                self.check(event)
            streamed = stream.get_final_response()
        return {
            "streamed": [item.type for item in streamed.output],
            "object": compacted.object,
            "kinds": [item.type for item in compacted.output],
            "input": compacted.usage.input_tokens,
            "text": answer.output_text,
        }

    def leave(self, model, turn):
        with self.client.responses.create(**self.body(model, turn), stream=True) as stream:
            for event in stream:
                return {"finished": event.type == "response.completed"}

    def leave_async(self, model, turn):
        async def reading(begun):
            async with await self.asynchronous.responses.create(**self.body(model, turn), stream=True) as stream:
                async for _ in stream:
                    begun.set()

        return cancel_soon(reading)
