// Each official Python SDK on a model of every dialect, its own too: the whole list of what an SDK does, and what only
// these SDKs do: two kinds of clients, answers as objects of a class, and functions that the SDK calls by itself.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { crossing, HELLO } from '../lib/cross.js';
import { missing, pythonSdks } from '../lib/python.js';

const SLOW = ['fake-slow', { prompt: 'x' }];

/** Reads a stream's first event, or begins to, and goes. */
const leaves = (how) => async (sdk) => assert.deepEqual(await sdk[how](...SLOW), { finished: false });

/** What the JavaScript SDKs have no like of. */
function more({ from, to, sdk, sent, script }) {
  for (const way of ['ask_async', 'stream_async']) {
    test(`${way}: text, and a tool`, async () => {
      const said = await sdk()[way]('m-1', { prompt: 'Say hello.' });
      assert.deepEqual([said.text, said.stop], [HELLO, sdk().ends.text]);
      const turn = { prompt: 'How is the weather?', tools: true };
      const first = await sdk()[way]('fake-tools', turn);
      assert.deepEqual(first.calls.map(({ args }) => args), [{ city: 'Paris', days: 3 }]);
      const second = await sdk()[way]('fake-tools', { ...turn, results: ['It rains.'] });
      assert.deepEqual([second.text, second.calls], [HELLO, []]);
      assert.match(sent(), /It rains\./);
    });
  }

  for (const way of ['ask', 'stream']) {
    test(`${way}: thoughts before a tool call go back with its result, as the SDK holds them`, async () => {
      const model = `m-thought-${way}-${from}-${to}`;
      await script(model, { agent: { thinking: 'Let me see.', calls: [{ name: 'get_weather', arguments: JSON.stringify({ city: 'Paris', days: 3 }) }] } });
      const turn = { prompt: 'How is the weather?', tools: true, thinking: true };
      const first = await sdk()[way](model, turn);
      assert.deepEqual([first.thinking, first.calls.length], ['Let me see.', 1]);
      const second = await sdk()[way](model, { ...turn, results: ['It rains.'] });
      assert.deepEqual([second.text, second.calls], [HELLO, []]);
      assert.match(sent(), /It rains\./);
    });
  }

  if (from === 'anthropic' || from === 'gemini') {
    test('the SDK calls a function by itself, and its result leads to words', async () => {
      const said = await sdk().loop('fake-tools', { prompt: 'How is the weather?' });
      assert.equal(said.text, HELLO);
      assert.match(sent(), /It rains in Paris for 3 days\./);
    });
  }

  test('models are listed', async () => {
    const names = await sdk().models();
    assert.ok(names.includes(from === 'gemini' ? 'models/m-listed' : 'm-listed'), String(names));
  });
}

const why = missing();
if (why) {
  test('the Python SDKs', { skip: why }, () => {});
} else {
  const { faces, stop } = pythonSdks();
  after(stop);
  crossing(faces, {
    whose: 'the Python SDK', own: true, more,
    leaves: { 'who stops reading': leaves('leave'), 'who cancels the task that reads': leaves('leave_async') },
  });
}
