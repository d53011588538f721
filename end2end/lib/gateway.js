// A fresh gateway for one spec file: the real binary, an empty data folder, a free port.

import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { start } from './child.js';

export const ADMIN_TOKEN = 'end2end-admin-token-of-more-than-32-characters';

const here = import.meta.dirname ?? new URL('.', import.meta.url).pathname;
const BINARY = resolve(process.env.TOLLGATE_BIN ?? join(here, '../../target/debug/tollgate'));

/** A port on loopback that was free a moment ago. */
export async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

/** Starts the gateway and waits until it is ready. */
export async function startGateway(env = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'tollgate-end2end-'));
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const process_ = start(BINARY, ['serve'], {
    HOST: '127.0.0.1',
    PORT: String(port),
    DATA_DIR: dir,
    ADMIN_TOKEN,
    HTTP_PROXY: '',
    HTTPS_PROXY: '',
    ...env,
  });
  const stop = async () => {
    await process_.stop();
    await rm(dir, { recursive: true, force: true });
    // Whatever a spec looked at: nothing behind it may have panicked.
    const panics = process_.log().split('\n').filter((line) => line.includes('panicked'));
    if (panics.length > 0) throw new Error(`the gateway panicked ${panics.length} times:\n${panics.slice(0, 3).join('\n')}`);
  };
  const until = Date.now() + 60_000;
  for (;;) {
    const ready = await fetch(`${base}/readyz`).then((answer) => answer.ok, () => false);
    if (ready) break;
    if (process_.child.exitCode !== null || Date.now() > until) {
      await stop();
      throw new Error(`the gateway did not become ready:\n${process_.log()}`);
    }
    await new Promise((wake) => setTimeout(wake, 30));
  }
  return { base, dir, stop, log: process_.log, admin: adminOf(base) };
}

/** The admin REST API: `admin('POST', '/users', {…})`. Answers the body, fails on any status but 2xx. */
function adminOf(base) {
  return async (method, path, body) => {
    const answer = await fetch(`${base}/api/admin${path}`, {
      method,
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
    return text ? JSON.parse(text) : null;
  };
}

/** One provider of each kind at the upstream, one user, one key. */
export async function furnish(gateway, upstream, extra = {}) {
  const { admin } = gateway;
  const providers = {};
  for (const kind of ['anthropic', 'openai', 'gemini']) {
    providers[kind] = await admin('POST', '/providers', {
      name: `Fake ${kind}`,
      kind,
      base_url: upstream.url,
      api_key: `sk-upstream-${kind}`,
      ...extra,
    });
  }
  const user = await admin('POST', '/users', { name: 'Ada' });
  const key = await admin('POST', `/users/${user.id}/keys`, { name: 'laptop' });
  return { providers, user, key: key.key, keyId: key.id };
}

/** The row of a request in the log, once the books have it; among the last `rows`. */
export async function booked(gateway, matches, limit = 30_000, rows = 100) {
  const until = Date.now() + limit;
  for (;;) {
    const { items } = await gateway.admin('GET', `/requests?limit=${rows}`);
    const row = items.find(matches);
    if (row) return row;
    if (Date.now() > until) throw new Error(`no such row among ${JSON.stringify(items, null, 1)}`);
    await new Promise((wake) => setTimeout(wake, 50));
  }
}
