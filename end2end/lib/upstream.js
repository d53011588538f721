// The fake vendor: `fakeup`, the same program that the integration tests use.

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { start } from './child.js';

const here = import.meta.dirname ?? new URL('.', import.meta.url).pathname;
const BINARY = resolve(process.env.FAKEUP_BIN ?? join(here, '../../target/debug/fakeup'));

export async function startUpstream() {
  if (!existsSync(BINARY)) throw new Error(`${BINARY} is missing: cargo build -p fakeup --bin fakeup`);
  const process_ = start(BINARY, []);
  const [url] = await process_.hears(/http:\/\/127\.0\.0\.1:\d+/);
  return { url, stop: process_.stop, log: process_.log };
}
