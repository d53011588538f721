// Programs that run beside a spec: started with a log, waited for, and ended with it.
// Only our own children are signalled.

import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Starts a program. `log()` is all it has said so far, on either output. */
export function start(program, args, env = {}) {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const listeners = new Set();
  const hear = (chunk) => {
    said += chunk;
    for (const listener of listeners) listener();
  };
  child.stdout.setEncoding('utf8').on('data', hear);
  child.stderr.setEncoding('utf8').on('data', hear);
  child.on('error', (error) => hear(`${program}: ${error.message}\n`));
  const ended = new Promise((resolve) => child.once('close', resolve));

  /** Waits until the output matches, and answers the match. */
  async function hears(pattern, limit = 30_000) {
    const signal = AbortSignal.timeout(limit);
    return new Promise((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(said);
        if (match) finish(resolve, match);
        else if (child.exitCode !== null) finish(reject, new Error(`${program} ended early:\n${said}`));
      };
      const late = () => finish(reject, new Error(`${program} never said ${pattern}:\n${said}`));
      const finish = (how, value) => {
        listeners.delete(look);
        signal.removeEventListener('abort', late);
        how(value);
      };
      listeners.add(look);
      signal.addEventListener('abort', late);
      child.once('close', look);
      look();
    });
  }

  async function stop() {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      const insist = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(insist);
    }
  }

  return { child, ended, hears, stop, log: () => said, once: (event) => once(child, event) };
}
