// The fake vendor: `fakeup`, the same program that the integration tests use. What it does is chosen by the model's
// name: `fake-<status>` answers with that status, `fake-cut` breaks off in the middle, any other answers well.

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { start } from './child.js';

const here = import.meta.dirname ?? new URL('.', import.meta.url).pathname;
const BINARY = resolve(process.env.FAKEUP_BIN ?? join(here, '../../target/debug/fakeup'));

export async function startUpstream() {
  if (!existsSync(BINARY)) throw new Error(`${BINARY} is missing: cargo build -p fakeup --bin fakeup`);
  const process_ = start(BINARY, []);
  const [url] = await process_.hears(/http:\/\/127\.0\.0\.1:\d+/);
  /** Everything it was asked, and what it billed for it. */
  const invoice = async () => (await (await fetch(`${url}/__fakeup/invoice`)).json()).entries;
  /** Lets requests that fit a rule meet its behaviour, until `forget()`. */
  const script = async (rule) => {
    const answer = await fetch(`${url}/__fakeup/script`, { method: 'POST', body: JSON.stringify(rule) });
    if (!answer.ok) throw new Error(`the upstream does not take ${JSON.stringify(rule)}: ${await answer.text()}`);
  };
  const forget = () => fetch(`${url}/__fakeup/script`, { method: 'DELETE' });
  /** Breaks every later stream of this model off after so many whole events; `request` is one that asks for it. */
  const breakAfter = async (events, path, request) => {
    const whole = await (await fetch(`${url}${path}`, { method: 'POST', body: JSON.stringify({ ...request, stream: true }) })).text();
    let at = 0;
    for (let seen = 0; seen < events; seen += 1) at = whole.indexOf('\n\n', at) + 2;
    if (at < 2) throw new Error(`the stream of ${request.model} has no ${events} events`);
    await script({ model: request.model, cut: { at, then: 'close' } });
  };
  return { url, invoice, script, forget, breakAfter, stop: process_.stop, log: process_.log };
}
