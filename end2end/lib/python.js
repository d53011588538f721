// The official Python SDKs behind the face of `sdks.js`: one Python process for each face, told what to do line by line.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const here = import.meta.dirname ?? new URL('.', import.meta.url).pathname;
const PYTHON = join(here, '../.venv/bin/python');
const MAKE = 'python3 -m venv .venv && .venv/bin/pip install --requirement python/requirements.txt';

/** Why the Python SDKs cannot be asked here, or false. In CI that is a failure. */
export function missing() {
  if (existsSync(PYTHON)) return false;
  const why = `the Python SDKs are not installed; in end2end: ${MAKE}`;
  if (!['', 'false', '0'].includes(process.env.CI ?? '')) throw new Error(why);
  return why;
}

/** What a Python program raised. `classes` are its class and those above it, as `openai.RateLimitError`. */
export class PythonError extends Error {
  constructor({ classes, message, status }) {
    super(message);
    Object.assign(this, { classes, status });
  }
}

/** Starts `serve.py` for one SDK: a line in, a line out, in order. It ends with its standard input. */
function start(dialect) {
  // Nothing of ours: a proxy, or a variable that an SDK listens to, would lead it elsewhere.
  const env = { PATH: process.env.PATH, PYTHONUTF8: '1', PYTHONDONTWRITEBYTECODE: '1' };
  const child = spawn(PYTHON, [join(here, '../python/serve.py'), dialect], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (chunk) => { said += chunk; });
  const waiting = [];
  createInterface(child.stdout).on('line', (line) => {
    const { resolve, reject } = waiting.shift();
    const { said: value, raised } = JSON.parse(line);
    if (raised) reject(new PythonError(raised));
    else resolve(value);
  });
  const ended = new Promise((done) => child.once('close', done));
  ended.then(() => waiting.splice(0).forEach(({ reject }) => reject(new Error(`Python ended early:\n${said}`))));
  // A process that is gone is told of by `ended`.
  child.stdin.on('error', () => {});
  const order = (what) => new Promise((resolve, reject) => {
    if (child.exitCode !== null) return reject(new Error(`Python has ended:\n${said}`));
    waiting.push({ resolve, reject });
    return child.stdin.write(`${JSON.stringify(what)}\n`);
  });
  return { order, stop: () => { child.stdin.end(); return ended; } };
}

const status = (root) => ({
  400: `${root}.BadRequestError`, 401: `${root}.AuthenticationError`, 404: `${root}.NotFoundError`,
  429: `${root}.RateLimitError`, 500: `${root}.InternalServerError`, any: `${root}.APIError`,
});
const google = { 400: 'google.ClientError', 401: 'google.ClientError', 404: 'google.ClientError', 429: 'google.ClientError', 500: 'google.ServerError', any: 'google.APIError' };
const TRAITS = {
  anthropic: { ends: { text: 'end_turn', calls: 'tool_use' }, raises: status('anthropic'), parses: ['ask', 'stream'] },
  'openai-chat': { ends: { text: 'stop', calls: 'tool_calls' }, raises: status('openai'), parses: ['ask', 'stream'] },
  'openai-responses': { ends: { text: 'completed', calls: 'completed' }, raises: status('openai'), parses: ['ask', 'stream'] },
  gemini: { ends: { text: 'STOP', calls: 'STOP' }, raises: google, parses: ['ask'] },
};
const DOES = ['ask', 'stream', 'ask_async', 'stream_async', 'leave', 'leave_async', 'loop', 'count', 'embed', 'models', 'compact'];

/** Every Python SDK, made for a gateway and a key, as in `sdks.js`. All are started at once; `stop()` ends them. */
export function pythonSdks() {
  const running = Object.keys(TRAITS).map((dialect) => [dialect, start(dialect)]);
  const face = ([dialect, { order }]) => [dialect, (base, key) => {
    const does = (what) => [what, (model, turn) => order({ do: what, base, key, model, turn })];
    return { name: dialect, ...TRAITS[dialect], ...Object.fromEntries(DOES.map(does)) };
  }];
  const stop = () => Promise.all(running.map(([, process_]) => process_.stop()));
  return { faces: Object.fromEntries(running.map(face)), stop };
}
