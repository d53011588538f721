// An administrator at the dashboard's forms, with scripts or without: the same steps, the same words.

import assert from 'node:assert/strict';
import { hydrated, seen, signIn, visitor } from './browser.js';
import { ADMIN_TOKEN } from './gateway.js';

/** Both halves of the dashboard, each in one of its languages. */
export const WAYS = [{ lang: 'en', scripts: true }, { lang: 'zh', scripts: false }];

export const named = ({ lang, scripts }) => `${lang}, scripts ${scripts ? 'on' : 'off'}`;

/** Signs in; `go` opens a page and waits until it can be used. */
export async function desk(browser, gateway, { lang, scripts }) {
  const { page, faults, close } = await visitor(browser, gateway.base, { lang, scripts });
  await signIn(page, ADMIN_TOKEN);
  const settled = async () => scripts && hydrated(page);
  const go = async (path) => {
    const answer = await page.goto(path);
    assert.equal(answer.status(), 200, path);
    await settled();
  };
  /** The field of a form by its name, within a part of the page. */
  const field = (name, within = 'main') => page.locator(`${within} [name="form[${name}]"]`).first();
  /** Presses a button whose work leads to an address, and waits for that; also if the page is there already. */
  const press = async (button, address) => {
    const there = typeof address === 'function' ? address(new URL(page.url())) : address.test(page.url());
    // Panels ask in JSON; only forms post as forms do.
    const posted = (answer) => /x-www-form-urlencoded/.test(answer.request().headers()['content-type'] ?? '');
    const done = there && (scripts ? page.waitForResponse(posted) : page.waitForEvent('load'));
    await button.click();
    await done;
    await page.waitForURL(address);
    await settled();
  };
  /** Presses a button whose form is refused, and waits for the note under the field. Answers the note. */
  const refused = async (button, name, within = 'main') => {
    await button.click();
    const note = page.locator(`${within} .field:has([name="form[${name}]"]) .note`).first();
    await note.waitFor();
    await settled();
    return note.innerText();
  };
  /** Opens a question by its trigger and answers it with yes. */
  const confirm = async (trigger, address) => {
    await trigger.click();
    await page.locator('dialog[open]').waitFor();
    await press(page.locator('dialog[open] form button'), address);
  };
  const flash = () => page.locator('.flash.good[role=status]').first().innerText();
  const end = async () => {
    if (scripts) assert.deepEqual((await seen(page)).violations, []);
    // A refused form is answered with its status, which Chromium writes on the console.
    const refusals = /status of (409|422|429) /;
    assert.deepEqual(faults.filter((fault) => !refusals.test(fault)), []);
  };
  return { page, go, field, press, refused, confirm, flash, end, close };
}

/** `2030-01-02T03:04`, as the browser's field wants it, so many days from now. */
export const inDays = (days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 16);
