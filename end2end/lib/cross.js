// What every official SDK must do, whatever its language, on models of each dialect: the whole list, asked of faces as
// `sdks.js` and `python.js` make them, against fake vendors that speak one dialect each.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { booked as bookedAmong, startGateway } from './gateway.js';
import { startRecorder } from './recorder.js';
import { PIXEL } from './sdks.js';
import { startUpstream } from './upstream.js';

const KINDS = { anthropic: 'anthropic', 'openai-chat': 'openai', 'openai-responses': 'openai', gemini: 'gemini' };
export const HELLO = 'Hello from the fake upstream: all is well.';
const ARGS = { city: 'Paris', days: 3 };

/** Every row that is looked for here was written a moment ago. */
const booked = (gateway, matches) => bookedAmong(gateway, matches, 10_000, 10);

/** Whether an SDK raised what it should: a class of this language, or another's by its name. */
function raised(error, kind) {
  const right = typeof kind === 'string' ? error.classes?.includes(kind) : error instanceof kind;
  assert.ok(right, `${error.classes?.[0] ?? error.constructor.name}: ${error.message}`);
  return true;
}

/**
 * One suite for each SDK and each dialect; an SDK's own dialect only if `own`, as a control.
 * `leaves` are the ways to stop reading, by name: `(sdk, recorder) => …` begins a stream of `fake-slow` and leaves it.
 * `more` adds an SDK's own tests: `({ from, to, sdk, sent, script }) => …`, where `sdk()` is there once a test runs.
 */
export function crossing(faces, { whose = 'the SDK', own = false, leaves, more = () => {} }) {
  let gateway, upstream, recorder;
  const keys = {};

  before(async () => {
    upstream = await startUpstream();
    recorder = await startRecorder(upstream.url);
    gateway = await startGateway();
    const user = await gateway.admin('POST', '/users', { name: 'someone' });
    for (const [dialect, kind] of Object.entries(KINDS)) {
      await gateway.admin('POST', '/providers', {
        name: `Speaks ${dialect}`, kind, base_url: recorder.url, api_key: `sk-${dialect}`, dialects: [dialect],
        groups: [dialect], models: ['m-listed', 'm-*', 'fake-*'],
      });
      keys[dialect] = (await gateway.admin('POST', `/users/${user.id}/keys`, { name: dialect, groups: [dialect] })).key;
    }
  });
  // An account that answered 429 rests, and one that broke often is left alone; each test begins without either.
  beforeEach(() => gateway.admin('POST', '/credentials/recover'));
  after(async () => {
    await gateway?.stop();
    await recorder?.stop();
    await upstream?.stop();
  });

  /** Lets every request for a model meet a behaviour. */
  async function script(model, behaviour) {
    const answer = await fetch(`${upstream.url}/__fakeup/script`, { method: 'POST', body: JSON.stringify({ model, ...behaviour }) });
    assert.ok(answer.ok, await answer.text());
  }

  /** What the vendor was sent last, and all of it. */
  const sent = () => recorder.last();
  const bodies = () => recorder.bodies();

  for (const [from, make] of Object.entries(faces)) {
    for (const to of Object.keys(KINDS).filter((name) => own || name !== from)) {
      describe(`${whose} for ${from} on a model that speaks ${to}`, () => {
        let sdk;
        before(() => { sdk = make(gateway.base, keys[to]); });
        const name = (what) => `m-${what}-${from}-${to}`;

        for (const way of ['ask', 'stream']) {
          test(`${way}: text, its end and its tokens`, async () => {
            const said = await sdk[way]('m-1', { prompt: 'Say hello.' });
            assert.equal(said.text, HELLO);
            assert.equal(said.stop, sdk.ends.text);
            const row = await booked(gateway, (item) => item.dialect === from && item.upstream_dialect === to && item.model === 'm-1' && item.streaming === (way === 'stream'));
            assert.equal(said.input, row.input_tokens + row.cache_read_tokens + row.cache_write_tokens);
            assert.equal(said.output, row.output_tokens);
          });

          test(`${way}: a tool is called, and its result leads to words`, async () => {
            const turn = { prompt: 'How is the weather?', tools: true };
            const first = await sdk[way]('fake-tools', turn);
            assert.deepEqual(first.calls.map(({ name, args }) => ({ name, args })), [{ name: 'get_weather', args: ARGS }]);
            assert.equal(first.stop, sdk.ends.calls);
            const second = await sdk[way]('fake-tools', { ...turn, calls: first.calls, results: ['It rains.'] });
            assert.deepEqual([second.text, second.calls], [HELLO, []]);
            assert.match(sent(), /It rains\./);
          });

          test(`${way}: two tools are called at once, and both results arrive`, async () => {
            const model = name(`two-${way}`);
            const calls = ['Paris', 'Rome'].map((city) => ({ name: 'get_weather', arguments: JSON.stringify({ city, days: 1 }) }));
            await script(model, { agent: { calls } });
            const turn = { prompt: 'How is the weather in both?', tools: true };
            const first = await sdk[way](model, turn);
            assert.deepEqual(first.calls.map(({ args }) => args.city), ['Paris', 'Rome']);
            // A Gemini model gives its calls no ids, and nothing is added where nothing is translated.
            if (from !== to || from !== 'gemini') {
              assert.equal(new Set(first.calls.map(({ id }) => id)).size, 2, 'each has an id of its own');
            }
            const second = await sdk[way](model, { ...turn, calls: first.calls, results: ['It rains.', 'The sun shines.'] });
            assert.equal(second.text, HELLO);
            const body = sent();
            assert.ok(body.includes('It rains.') && body.includes('The sun shines.'), body);
          });

          test(`${way}: an image arrives`, async () => {
            const said = await sdk[way]('m-1', { prompt: 'What is this?', image: true });
            assert.equal(said.text, HELLO);
            assert.ok((sent()).includes(PIXEL), 'the vendor got the pixels');
          });

          test(`${way}: an answer in a form that was asked for`, async () => {
            const model = name(`form-${way}`);
            await script(model, { text: JSON.stringify(ARGS) });
            const said = await sdk[way](model, { prompt: 'Where to, and for how long?', schema: true });
            assert.deepEqual(JSON.parse(said.text), ARGS);
            if (sdk.parses?.includes(way)) assert.deepEqual(said.parsed, ARGS, 'the SDK made an object of it');
            assert.match(sent(), /city/, 'the vendor was told the form');
          });

          test(`${way}: thinking`, async () => {
            const said = await sdk[way]('fake-thinking', { prompt: 'Think.', thinking: true });
            assert.equal(said.text, HELLO);
            // Chat Completions of vendors do not hand thoughts out by a common field; the fake one does.
            assert.equal(said.thinking, 'Let me see.');
          });

          for (const status of [400, 404, 429, 500]) {
            test(`${way}: an upstream's ${status} raises the class for it`, async () => {
              await assert.rejects(sdk[way](`fake-${status}`, { prompt: 'x' }), (error) => {
                raised(error, sdk.raises[status]);
                if (from === 'gemini') assert.equal(status === 500 ? error.status >= 500 : error.status === status, true, String(error.status));
                return true;
              });
            });
          }
        }

        test('a stream that breaks off never looks finished', async () => {
          await assert.rejects(sdk.stream('fake-cut', { prompt: 'x' }), (error) => raised(error, sdk.raises.any));
        });

        test('an unknown key raises the class for it', async () => {
          const stranger = make(gateway.base, 'sk-tg-unknown');
          await assert.rejects(stranger.ask('m-1', { prompt: 'x' }), (error) => raised(error, sdk.raises[401]));
        });

        for (const [who, leave] of Object.entries(leaves)) {
          test(`${who} cancels the model`, async () => {
            const seen = (await gateway.admin('GET', '/requests?limit=10')).items.map((item) => item.request_id);
            await leave(sdk, recorder);
            const row = await booked(gateway, (item) => !seen.includes(item.request_id) && item.model === 'fake-slow');
            assert.deepEqual([row.dialect, row.upstream_dialect, row.outcome], [from, to, 'client_gone']);
          });
        }

        if (from === 'openai-responses') {
          test('a conversation is compacted, and goes on from there', async () => {
            const [model, summary] = [name('compact'), 'They want a red bridge.'];
            await script(model, { text: summary });
            const said = await sdk.compact(model, { prompt: 'Build a bridge.', then: 'Now paint it.' });
            // OpenAI's own item is its secret and goes back to it as it is; from others it is the model's summary.
            const own = from === to;
            assert.deepEqual([said.object, said.kinds], ['response.compaction', own ? ['compaction'] : ['message', 'compaction']]);
            assert.ok(said.input > 0 && said.text === summary, JSON.stringify(said));
            // The fake vendor knows no such trigger.
            assert.deepEqual(said.streamed, [own ? 'message' : 'compaction']);
            const opened = own ? '"gAAA"' : summary;
            assert.ok(bodies().some((body) => body.includes(opened) && body.includes('Now paint it.')), sent());
          });
        }

        if (from === 'anthropic' || from === 'gemini') {
          test('tokens are counted', async () => assert.ok((await sdk.count('m-1')) > 0));
        }
        const embeds = ['openai-chat', 'gemini'];
        if (embeds.includes(from) && embeds.includes(to)) {
          test('embeddings', async () => {
            const vectors = await sdk.embed('m-embedding');
            assert.equal(vectors.length, 2);
            for (const vector of vectors) assert.ok(vector.length > 0 && vector.every((number) => typeof number === 'number'));
          });
        }
        more({ from, to, sdk: () => sdk, sent, script });
      });
    }
  }
}
