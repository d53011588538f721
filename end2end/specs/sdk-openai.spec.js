// The official OpenAI SDK against the gateway: chat and responses, streams, and the exception classes it raises.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import OpenAI from 'openai';
import { booked, furnish, startGateway } from '../lib/gateway.js';
import { startUpstream } from '../lib/upstream.js';

let gateway, upstream, house, client;
const MODEL = 'gpt-5-mini';
const CHAT = { model: MODEL, messages: [{ role: 'user', content: 'Say hello.' }] };
const RESPONSE = { model: MODEL, input: 'Say hello.' };

before(async () => {
  upstream = await startUpstream();
  gateway = await startGateway();
  house = await furnish(gateway, upstream);
  client = new OpenAI({ apiKey: house.key, baseURL: `${gateway.base}/v1`, maxRetries: 0 });
});
// An account that answered 429 rests; each test begins with one that does not.
beforeEach(() => gateway.admin('POST', '/credentials/recover'));
after(async () => {
  await gateway?.stop();
  await upstream?.stop();
});

test('a chat completion comes back whole, and its tokens stand in the log', async () => {
  const { data, response } = await client.chat.completions.create(CHAT).withResponse();
  assert.ok(data.choices[0].message.content.length > 0);
  const row = await booked(gateway, (item) => item.request_id === response.headers.get('x-request-id'));
  assert.equal(row.dialect, 'openai-chat');
  assert.equal(row.input_tokens, data.usage.prompt_tokens);
  assert.equal(row.output_tokens, data.usage.completion_tokens);
});

test('a chat stream delivers text and ends with a reason', async () => {
  let text = '';
  let reason;
  for await (const chunk of await client.chat.completions.create({ ...CHAT, stream: true })) {
    text += chunk.choices[0]?.delta?.content ?? '';
    reason = chunk.choices[0]?.finish_reason ?? reason;
  }
  assert.ok(text.length > 0);
  assert.ok(reason);
  const row = await booked(gateway, (item) => item.streaming && item.dialect === 'openai-chat');
  assert.ok(row.output_tokens > 0);
});

test('a response comes back whole, and its tokens stand in the log', async () => {
  const { data, response } = await client.responses.create(RESPONSE).withResponse();
  assert.equal(data.status, 'completed');
  assert.ok(data.output_text.length > 0);
  const row = await booked(gateway, (item) => item.request_id === response.headers.get('x-request-id'));
  assert.equal(row.dialect, 'openai-responses');
  assert.equal(row.input_tokens, data.usage.input_tokens);
  assert.equal(row.output_tokens, data.usage.output_tokens);
});

test('a response stream ends in response.completed', async () => {
  const kinds = [];
  for await (const event of await client.responses.create({ ...RESPONSE, stream: true })) kinds.push(event.type);
  assert.equal(kinds[0], 'response.created');
  assert.equal(kinds.at(-1), 'response.completed');
});

test('embeddings come back', async () => {
  const { data } = await client.embeddings.create({ model: 'text-embedding-3-small', input: 'hello' });
  assert.ok(data[0].embedding.length > 0);
});

test('models are listed in the shape this SDK reads', async () => {
  const page = await client.models.list();
  for (const model of page.data) assert.equal(model.object, 'model');
});

test('an unknown key raises AuthenticationError', async () => {
  const stranger = new OpenAI({ apiKey: 'sk-tg-unknown', baseURL: `${gateway.base}/v1`, maxRetries: 0 });
  await assert.rejects(stranger.chat.completions.create(CHAT), OpenAI.AuthenticationError);
  await assert.rejects(stranger.models.list(), OpenAI.AuthenticationError);
});

test('a request without a model raises BadRequestError', async () => {
  await assert.rejects(client.chat.completions.create({ messages: CHAT.messages }), OpenAI.BadRequestError);
});

const CALLS = {
  chat: (model, stream) => client.chat.completions.create({ ...CHAT, model, stream }),
  responses: (model, stream) => client.responses.create({ ...RESPONSE, model, stream }),
};
for (const [status, kind] of [[404, 'NotFoundError'], [429, 'RateLimitError'], [500, 'InternalServerError']]) {
  for (const [surface, call] of Object.entries(CALLS)) {
    for (const stream of [false, true]) {
      test(`an upstream's ${status} raises ${kind} on ${surface}${stream ? ' before a stream' : ''}`, async () => {
        await assert.rejects(call(`fake-${status}`, stream), (error) => {
          assert.ok(error instanceof OpenAI[kind], `${error.constructor.name}: ${error.message}`);
          return true;
        });
      });
    }
  }
}

for (const where of ['between events', 'inside an event']) {
  const breaking = async (path, ask) => {
    if (where === 'inside an event') return { ...ask, model: 'fake-cut' };
    const broken = { ...ask, model: `breaks-on${path.replaceAll('/', '-')}` };
    // Past the first content: a stream that breaks before it is not opened at all.
    await upstream.breakAfter(path.endsWith('responses') ? 6 : 3, path, broken);
    return broken;
  };

  test(`a chat stream that breaks ${where} raises an APIError and never looks finished`, async () => {
    const ask = await breaking('/v1/chat/completions', CHAT);
    await assert.rejects(async () => {
      for await (const chunk of await client.chat.completions.create({ ...ask, stream: true })) {
        assert.equal(chunk.choices?.[0]?.finish_reason ?? null, null);
      }
    }, OpenAI.APIError);
  });

  test(`a response stream that breaks ${where} ends in response.failed`, async () => {
    const ask = await breaking('/v1/responses', RESPONSE);
    const kinds = [];
    for await (const event of await client.responses.create({ ...ask, stream: true })) kinds.push(event.type);
    assert.equal(kinds.at(-1), 'response.failed');
  });
}
