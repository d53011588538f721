// The official Google GenAI SDK against the gateway: answers, streams, and the errors it raises.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { ApiError, GoogleGenAI } from '@google/genai';
import { booked, furnish, startGateway } from '../lib/gateway.js';
import { startUpstream } from '../lib/upstream.js';

let gateway, upstream, house, client;
const ASK = { model: 'gemini-2.5-flash', contents: 'Say hello.' };
const connect = (apiKey, apiVersion) =>
  new GoogleGenAI({ apiKey, httpOptions: { baseUrl: gateway.base, ...(apiVersion && { apiVersion }) } });

before(async () => {
  upstream = await startUpstream();
  gateway = await startGateway();
  house = await furnish(gateway, upstream);
  client = connect(house.key);
});
// An account that answered 429 rests; each test begins with one that does not.
beforeEach(() => gateway.admin('POST', '/credentials/recover'));
after(async () => {
  await gateway?.stop();
  await upstream?.stop();
});

for (const version of [undefined, 'v1', 'v1beta']) {
  test(`content comes back whole on ${version ?? 'the version this SDK chooses'}, and its tokens stand in the log`, async () => {
    const seen = (await gateway.admin('GET', '/requests?limit=100')).items.map((item) => item.request_id);
    const answer = await connect(house.key, version).models.generateContent(ASK);
    assert.ok(answer.text.length > 0);
    const row = await booked(gateway, (item) => !seen.includes(item.request_id));
    assert.equal(row.dialect, 'gemini');
    assert.equal(row.input_tokens, answer.usageMetadata.promptTokenCount);
    assert.equal(row.model, ASK.model);
  });
}

test('a stream delivers text and ends with a reason', async () => {
  let text = '';
  let reason;
  for await (const chunk of await client.models.generateContentStream(ASK)) {
    text += chunk.text ?? '';
    reason = chunk.candidates?.[0]?.finishReason ?? reason;
  }
  assert.ok(text.length > 0);
  assert.equal(reason, 'STOP');
});

test('tokens are counted', async () => {
  const { totalTokens } = await client.models.countTokens(ASK);
  assert.ok(totalTokens > 0);
});

test('models are listed in the shape this SDK reads', async () => {
  const pager = await client.models.list();
  for (const model of pager.page) assert.match(model.name, /^models\//);
});

test('an unknown key raises an ApiError with 401', async () => {
  await assert.rejects(connect('sk-tg-unknown').models.generateContent(ASK), (error) => {
    assert.ok(error instanceof ApiError, error);
    assert.equal(error.status, 401);
    return true;
  });
});

for (const status of [404, 429, 500]) {
  for (const call of ['generateContent', 'generateContentStream']) {
    test(`an upstream's ${status} raises an ApiError with ${status === 500 ? '5xx' : status} from ${call}`, async () => {
      await assert.rejects(
        async () => {
          const answer = await client.models[call]({ ...ASK, model: `fake-${status}` });
          if (call === 'generateContentStream') for await (const chunk of answer) assert.ok(chunk);
        },
        (error) => {
          assert.ok(error instanceof ApiError, error);
          if (status === 500) assert.ok(error.status >= 500, error);
          else assert.equal(error.status, status);
          return true;
        },
      );
    });
  }
}
