// The official OpenAI SDK's WebSocket for responses against the gateway, on a model of each dialect.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { ResponsesWS } from 'openai/resources/responses/ws';
import { booked, startGateway } from '../lib/gateway.js';
import { startRecorder } from '../lib/recorder.js';
import { startUpstream } from '../lib/upstream.js';

const KINDS = { anthropic: 'anthropic', 'openai-chat': 'openai', 'openai-responses': 'openai', gemini: 'gemini' };
const HELLO = 'Hello from the fake upstream: all is well.';

let gateway, upstream, recorder, user;
const keys = {};

before(async () => {
  upstream = await startUpstream();
  recorder = await startRecorder(upstream.url);
  gateway = await startGateway();
  user = await gateway.admin('POST', '/users', { name: 'someone' });
  for (const [dialect, kind] of Object.entries(KINDS)) {
    await gateway.admin('POST', '/providers', {
      name: `Speaks ${dialect}`, kind, base_url: recorder.url, api_key: `sk-${dialect}`, dialects: [dialect],
      groups: [dialect], models: ['m-*', 'fake-*'],
    });
    keys[dialect] = (await gateway.admin('POST', `/users/${user.id}/keys`, { name: dialect, groups: [dialect] })).key;
  }
});
after(async () => {
  await gateway?.stop();
  await recorder?.stop();
  await upstream?.stop();
});

const connect = (apiKey) => new ResponsesWS(new OpenAI({ apiKey, baseURL: `${gateway.base}/v1`, maxRetries: 0 }), { reconnect: false });

/** The events of one response; an error event is thrown as the SDK's error. */
async function turn(events, send) {
  send();
  const said = [];
  for (;;) {
    const { value: event, done } = await events.next();
    if (done || event.type === 'close') throw new Error('closed before the response was over');
    if (event.type === 'error') throw event.error;
    if (event.type !== 'message') continue;
    said.push(event.message);
    if (/^response\.(completed|failed|incomplete)$/.test(event.message.type)) return said;
  }
}

const text = (said) => said.filter(({ type }) => type === 'response.output_text.delta').map(({ delta }) => delta).join('');

for (const to of Object.keys(KINDS)) {
  test(`two turns on one connection, the second continues the first, on a model that speaks ${to}`, async () => {
    const socket = connect(keys[to]);
    const events = socket.stream();
    try {
      const ask = { type: 'response.create', model: 'm-1', store: false, stream_id: 'main' };
      const first = await turn(events, () => socket.send({ ...ask, input: 'The word is apple.' }));
      assert.equal(first[0].type, 'response.created');
      assert.equal(text(first), HELLO);
      assert.ok(first.every(({ stream_id }) => stream_id === 'main'));
      const { id } = first.at(-1).response;
      const second = await turn(events, () => socket.send({ ...ask, input: 'Which word?', previous_response_id: id }));
      assert.equal(text(second), HELLO);
      assert.match(recorder.last(), /apple/);
      const row = await booked(gateway, (item) => item.dialect === 'openai-responses' && item.upstream_dialect === to);
      assert.equal(row.input_tokens + row.cache_read_tokens + row.cache_write_tokens, second.at(-1).response.usage.input_tokens);
    } finally {
      socket.close();
    }
  });

  test(`a tool is called over the socket by a model that speaks ${to}`, async () => {
    const socket = connect(keys[to]);
    const events = socket.stream();
    try {
      const tools = [{ type: 'function', name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } }, strict: false }];
      const ask = { type: 'response.create', model: 'fake-tools', store: false, tools };
      const first = (await turn(events, () => socket.send({ ...ask, input: 'The weather?' }))).at(-1).response;
      const [call] = first.output.filter(({ type }) => type === 'function_call');
      assert.equal(JSON.parse(call.arguments).city, 'Paris');
      const input = [{ type: 'function_call_output', call_id: call.call_id, output: 'It rains.' }];
      const second = await turn(events, () => socket.send({ ...ask, input, previous_response_id: first.id }));
      assert.equal(text(second), HELLO);
      assert.match(recorder.last(), /It rains\./);
    } finally {
      socket.close();
    }
  });
}

test('errors are raised with their code, and the connection goes on', async () => {
  const socket = connect(keys['openai-chat']);
  const events = socket.stream();
  try {
    const ask = { type: 'response.create', model: 'm-1', input: 'x' };
    await assert.rejects(turn(events, () => socket.send({ ...ask, previous_response_id: 'resp_unknown' })), (error) => {
      assert.deepEqual([error.error.error.code, error.error.status], ['previous_response_not_found', 400]);
      return true;
    });
    assert.equal(text(await turn(events, () => socket.send(ask))), HELLO);
  } finally {
    socket.close();
  }
});

test('a warm-up can be continued', async () => {
  const socket = connect(keys.anthropic);
  const events = socket.stream();
  try {
    const ask = { type: 'response.create', model: 'm-1', store: false };
    const before = recorder.count();
    const [, , warm] = await turn(events, () => socket.send({ ...ask, input: 'The word is apple.', generate: false }));
    assert.equal(recorder.count(), before, 'no model was asked');
    assert.equal(text(await turn(events, () => socket.send({ ...ask, input: [], previous_response_id: warm.response.id }))), HELLO);
    assert.match(recorder.last(), /apple/);
  } finally {
    socket.close();
  }
});

test('an unknown key gets no connection', async () => {
  const socket = connect('sk-tg-unknown');
  const failed = await new Promise((done) => {
    socket.on('error', done);
    socket.on('close', done);
  });
  assert.match(String(failed?.message ?? failed), /401|1006/);
});
