// Each official JavaScript SDK on a model of every other dialect: the whole list of what an SDK does.

import assert from 'node:assert/strict';
import { crossing } from '../lib/cross.js';
import { SDKS } from '../lib/sdks.js';

/** Stops a stream by a signal, once the vendor was asked. */
async function abort(sdk, recorder) {
  const stop = new AbortController();
  const before = recorder.count();
  const reading = assert.rejects(sdk.stream('fake-slow', { prompt: 'x' }, { signal: stop.signal }));
  while (recorder.count() === before) await new Promise((wake) => setTimeout(wake, 10));
  stop.abort();
  await reading;
}

crossing(SDKS, { leaves: { 'who stops reading': abort } });
