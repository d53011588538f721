// The official SDKs behind one face, so that what holds for one can be asked of all: a conversation in, what the SDK
// made of the answer out. Whatever an SDK reads wrongly or not at all is missing here.

import Anthropic from '@anthropic-ai/sdk';
import { ApiError, GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';

export const SCHEMA = {
  type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer' } }, required: ['city', 'days'], additionalProperties: false,
};
const TOOL = { name: 'get_weather', description: 'The weather of a city' };
/** One red pixel. */
export const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';

/**
 * A turn: `{ prompt }`, with `image`, `tools`, `schema`, `thinking` as wished, and after tool calls
 * `{ prompt, calls, results }`. Answers `{ text, thinking, calls: [{ id, name, args }], stop, input, output }`.
 */
const anthropic = (base, key) => {
  const client = new Anthropic({ apiKey: key, baseURL: base, maxRetries: 0 });
  const body = (model, { prompt, image, tools, schema, thinking, calls, results }) => {
    const content = image
      ? [{ type: 'text', text: prompt }, { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } }]
      : prompt;
    const messages = [{ role: 'user', content }];
    if (calls) {
      messages.push({ role: 'assistant', content: calls.map(({ id, name, args }) => ({ type: 'tool_use', id, name, input: args })) });
      messages.push({ role: 'user', content: calls.map(({ id }, at) => ({ type: 'tool_result', tool_use_id: id, content: results[at] })) });
    }
    return {
      model, max_tokens: 4096, messages,
      ...(tools && { tools: [{ ...TOOL, input_schema: SCHEMA }] }),
      ...(schema && { output_config: { format: { type: 'json_schema', schema: SCHEMA } } }),
      ...(thinking && { thinking: { type: 'enabled', budget_tokens: 1024 } }),
    };
  };
  const read = (message) => ({
    text: message.content.filter(({ type }) => type === 'text').map(({ text }) => text).join(''),
    thinking: message.content.filter(({ type }) => type === 'thinking').map(({ thinking }) => thinking).join(''),
    calls: message.content.filter(({ type }) => type === 'tool_use').map(({ id, name, input }) => ({ id, name, args: input })),
    stop: message.stop_reason, input: message.usage.input_tokens, output: message.usage.output_tokens,
  });
  return {
    name: 'anthropic', ends: { text: 'end_turn', calls: 'tool_use' },
    ask: async (model, turn) => read(await client.messages.create(body(model, turn))),
    stream: async (model, turn, options) => read(await client.messages.stream(body(model, turn), options).finalMessage()),
    count: async (model) => (await client.messages.countTokens({ model, messages: [{ role: 'user', content: 'Say hello.' }] })).input_tokens,
    raises: { 400: Anthropic.BadRequestError, 401: Anthropic.AuthenticationError, 404: Anthropic.NotFoundError, 429: Anthropic.RateLimitError, 500: Anthropic.InternalServerError, any: Anthropic.APIError, abort: Anthropic.APIUserAbortError },
  };
};

const chat = (base, key) => {
  const client = new OpenAI({ apiKey: key, baseURL: `${base}/v1`, maxRetries: 0 });
  const body = (model, { prompt, image, tools, schema, thinking, calls, results }) => {
    const content = image
      ? [{ type: 'text', text: prompt }, { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } }]
      : prompt;
    const messages = [{ role: 'user', content }];
    if (calls) {
      const made = calls.map(({ id, name, args }) => ({ id, type: 'function', function: { name, arguments: JSON.stringify(args) } }));
      messages.push({ role: 'assistant', content: null, tool_calls: made });
      calls.forEach(({ id }, at) => messages.push({ role: 'tool', tool_call_id: id, content: results[at] }));
    }
    return {
      model, messages,
      ...(tools && { tools: [{ type: 'function', function: { ...TOOL, parameters: SCHEMA } }] }),
      ...(schema && { response_format: { type: 'json_schema', json_schema: { name: 'trip', strict: true, schema: SCHEMA } } }),
      ...(thinking && { reasoning_effort: 'low' }),
    };
  };
  const read = ({ choices: [{ message, finish_reason }], usage }) => ({
    text: message.content ?? '', thinking: message.reasoning_content ?? '',
    calls: (message.tool_calls ?? []).map(({ id, function: { name, arguments: args } }) => ({ id, name, args: JSON.parse(args) })),
    stop: finish_reason, input: usage.prompt_tokens, output: usage.completion_tokens,
  });
  return {
    name: 'openai-chat', ends: { text: 'stop', calls: 'tool_calls' },
    ask: async (model, turn) => read(await client.chat.completions.create(body(model, turn))),
    stream: async (model, turn, options) => {
      const runner = client.chat.completions.stream({ ...body(model, turn), stream_options: { include_usage: true } }, options);
      let thinking = '';
      for await (const chunk of runner) thinking += chunk.choices[0]?.delta?.reasoning_content ?? '';
      return { ...read(await runner.finalChatCompletion()), thinking };
    },
    embed: async (model) => (await client.embeddings.create({ model, input: ['one', 'two'] })).data.map(({ embedding }) => embedding),
    raises: { 400: OpenAI.BadRequestError, 401: OpenAI.AuthenticationError, 404: OpenAI.NotFoundError, 429: OpenAI.RateLimitError, 500: OpenAI.InternalServerError, any: OpenAI.APIError, abort: OpenAI.APIUserAbortError },
  };
};

const responses = (base, key) => {
  const client = new OpenAI({ apiKey: key, baseURL: `${base}/v1`, maxRetries: 0 });
  const body = (model, { prompt, image, tools, schema, thinking, calls, results }) => {
    const content = [{ type: 'input_text', text: prompt }];
    if (image) content.push({ type: 'input_image', image_url: `data:image/png;base64,${PIXEL}`, detail: 'auto' });
    const input = [{ role: 'user', content }];
    if (calls) {
      calls.forEach(({ id, name, args }) => input.push({ type: 'function_call', call_id: id, name, arguments: JSON.stringify(args) }));
      calls.forEach(({ id }, at) => input.push({ type: 'function_call_output', call_id: id, output: results[at] }));
    }
    return {
      model, input,
      ...(tools && { tools: [{ type: 'function', ...TOOL, parameters: SCHEMA, strict: true }] }),
      ...(schema && { text: { format: { type: 'json_schema', name: 'trip', strict: true, schema: SCHEMA } } }),
      ...(thinking && { reasoning: { effort: 'low', summary: 'auto' } }),
    };
  };
  const read = (answer) => ({
    text: answer.output_text,
    thinking: answer.output.filter(({ type }) => type === 'reasoning').flatMap(({ summary }) => summary.map(({ text }) => text)).join(''),
    calls: answer.output.filter(({ type }) => type === 'function_call').map(({ call_id, name, arguments: args }) => ({ id: call_id, name, args: JSON.parse(args) })),
    stop: answer.status, input: answer.usage.input_tokens, output: answer.usage.output_tokens,
  });
  return {
    name: 'openai-responses', ends: { text: 'completed', calls: 'completed' },
    ask: async (model, turn) => read(await client.responses.create(body(model, turn))),
    stream: async (model, turn, options) => {
      const answer = await client.responses.stream(body(model, turn), options).finalResponse();
      // This SDK raises nothing for a response that failed: it hands it out, with its error.
      if (answer.status === 'failed') throw new OpenAI.APIError(undefined, answer.error, answer.error.message, undefined);
      return read(answer);
    },
    compact: async (model, { prompt, then }) => {
      const { object, output, usage } = await client.responses.compact({ model, input: [{ role: 'user', content: prompt }] });
      const answer = await client.responses.create({ model, input: [...output, { role: 'user', content: then }] });
      // The same as Codex asks it.
      const trigger = [{ role: 'user', content: prompt }, { type: 'compaction_trigger' }];
      const streamed = await client.responses.stream({ model, input: trigger }).finalResponse();
      const kinds = (items) => items.map(({ type }) => type);
      return { object, kinds: kinds(output), streamed: kinds(streamed.output), input: usage.input_tokens, text: answer.output_text };
    },
    raises: chat(base, key).raises,
  };
};

const gemini = (base, key) => {
  const client = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: base } });
  const body = (model, { prompt, image, tools, schema, thinking, calls, results }, abortSignal) => {
    const parts = [{ text: prompt }];
    if (image) parts.push({ inlineData: { mimeType: 'image/png', data: PIXEL } });
    const contents = [{ role: 'user', parts }];
    if (calls) {
      contents.push({ role: 'model', parts: calls.map(({ id, name, args }) => ({ functionCall: { id, name, args } })) });
      contents.push({ role: 'user', parts: calls.map(({ id, name }, at) => ({ functionResponse: { id, name, response: { output: results[at] } } })) });
    }
    return {
      model, contents,
      config: {
        abortSignal,
        ...(tools && { tools: [{ functionDeclarations: [{ ...TOOL, parametersJsonSchema: SCHEMA }] }] }),
        ...(schema && { responseMimeType: 'application/json', responseJsonSchema: SCHEMA }),
        ...(thinking && { thinkingConfig: { includeThoughts: true } }),
      },
    };
  };
  const none = { text: '', thinking: '', calls: [], stop: undefined, input: undefined, output: undefined };
  const read = (chunk, said = none) => {
    const [candidate] = chunk.candidates ?? [];
    const parts = candidate?.content?.parts ?? [];
    const texts = (thought) => parts.filter((part) => part.text && Boolean(part.thought) === thought).map(({ text }) => text).join('');
    const made = (chunk.functionCalls ?? []).map(({ id, name, args }) => ({ id, name, args }));
    const { promptTokenCount, candidatesTokenCount = 0, thoughtsTokenCount = 0 } = chunk.usageMetadata ?? {};
    return {
      text: said.text + texts(false), thinking: said.thinking + texts(true), calls: [...said.calls, ...made],
      stop: candidate?.finishReason ?? said.stop, input: promptTokenCount ?? said.input,
      output: chunk.usageMetadata ? candidatesTokenCount + thoughtsTokenCount : said.output,
    };
  };
  return {
    name: 'gemini', ends: { text: 'STOP', calls: 'STOP' },
    ask: async (model, turn) => read(await client.models.generateContent(body(model, turn))),
    stream: async (model, turn, { signal } = {}) => {
      let said = none;
      for await (const chunk of await client.models.generateContentStream(body(model, turn, signal))) said = read(chunk, said);
      return said;
    },
    count: async (model) => (await client.models.countTokens({ model, contents: 'Say hello.' })).totalTokens,
    embed: async (model) => (await client.models.embedContent({ model, contents: ['one', 'two'] })).embeddings.map(({ values }) => values),
    raises: { 400: ApiError, 401: ApiError, 404: ApiError, 429: ApiError, 500: ApiError, any: Error, abort: Error },
  };
};

/** Every SDK, made for a gateway and a key. */
export const SDKS = { anthropic, 'openai-chat': chat, 'openai-responses': responses, gemini };
