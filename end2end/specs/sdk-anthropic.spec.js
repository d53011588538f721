// The official Anthropic SDK against the gateway: answers, streams, and the exception classes it raises.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { booked, furnish, startGateway } from '../lib/gateway.js';
import { startUpstream } from '../lib/upstream.js';

let gateway, upstream, house, client;
const MODEL = 'claude-sonnet-4-5';
const ASK = { model: MODEL, max_tokens: 128, messages: [{ role: 'user', content: 'Say hello.' }] };

before(async () => {
  upstream = await startUpstream();
  gateway = await startGateway();
  house = await furnish(gateway, upstream);
  client = new Anthropic({ apiKey: house.key, baseURL: gateway.base, maxRetries: 0 });
});
// An account that answered 429 rests; each test begins with one that does not.
beforeEach(() => gateway.admin('POST', '/credentials/recover'));
after(async () => {
  await gateway?.stop();
  await upstream?.stop();
});

test('a message comes back whole, and its tokens stand in the log', async () => {
  const { data, response } = await client.messages.create(ASK).withResponse();
  assert.equal(data.type, 'message');
  assert.ok(data.content[0].text.length > 0);
  const row = await booked(gateway, (item) => item.request_id === response.headers.get('x-request-id'));
  assert.equal(row.status_code, 200);
  assert.equal(row.dialect, 'anthropic');
  assert.equal(row.streaming, false);
  assert.equal(row.input_tokens, data.usage.input_tokens);
  assert.equal(row.output_tokens, data.usage.output_tokens);
});

test('a stream arrives event by event and ends in a whole message', async () => {
  const kinds = [];
  const stream = client.messages.stream(ASK);
  stream.on('streamEvent', (event) => kinds.push(event.type));
  const message = await stream.finalMessage();
  assert.equal(kinds[0], 'message_start');
  assert.equal(kinds.at(-1), 'message_stop');
  assert.ok(message.content[0].text.length > 0);
  const row = await booked(gateway, (item) => item.streaming && item.dialect === 'anthropic');
  assert.equal(row.output_tokens, message.usage.output_tokens);
});

test('tokens are counted without a message', async () => {
  const { input_tokens } = await client.messages.countTokens({ model: MODEL, messages: ASK.messages });
  assert.ok(input_tokens > 0);
});

test('models are listed in the shape this SDK reads', async () => {
  const page = await client.models.list();
  for (const model of page.data) assert.equal(model.type, 'model');
});

test('an unknown key raises AuthenticationError', async () => {
  const stranger = new Anthropic({ apiKey: 'sk-tg-unknown', baseURL: gateway.base, maxRetries: 0 });
  await assert.rejects(stranger.messages.create(ASK), (error) => {
    assert.ok(error instanceof Anthropic.AuthenticationError, error);
    assert.equal(error.status, 401);
    assert.ok(error.requestID ?? error.headers.get('x-request-id'));
    return true;
  });
});

test('a request without a model raises BadRequestError', async () => {
  await assert.rejects(client.messages.create({ max_tokens: 5, messages: ASK.messages }), Anthropic.BadRequestError);
});

for (const [status, kind] of [[404, 'NotFoundError'], [429, 'RateLimitError'], [500, 'InternalServerError'], [529, 'InternalServerError']]) {
  for (const stream of [false, true]) {
    test(`an upstream's ${status} raises ${kind}${stream ? ' before a stream' : ''}`, async () => {
      await assert.rejects(client.messages.create({ ...ASK, model: `fake-${status}`, stream }), (error) => {
        assert.ok(error instanceof Anthropic[kind], `${error.constructor.name}: ${error.message}`);
        return true;
      });
    });
  }
}

test('a stream that breaks between events raises an APIError and never looks finished', async () => {
  const ask = { ...ASK, model: 'claude-breaks' };
  await upstream.breakAfter(4, '/v1/messages', ask);
  const kinds = [];
  const stream = client.messages.stream(ask);
  stream.on('streamEvent', (event) => kinds.push(event.type));
  await assert.rejects(stream.finalMessage(), Anthropic.APIError);
  assert.ok(kinds.includes('content_block_start') && !kinds.includes('message_stop'), kinds);
});

test('a stream that breaks inside an event raises an APIError and never looks finished', async () => {
  await assert.rejects(client.messages.stream({ ...ASK, model: 'fake-cut' }).finalMessage(), Anthropic.APIError);
});
