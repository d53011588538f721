// What holds for every page: it obeys its own policy, takes over quietly, stands still, and opens only to whom it may.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { NARROW, PAGES, WIDE, hydrated, launch, seen, signIn, visitor } from '../lib/browser.js';
import { ADMIN_TOKEN, furnish, startGateway } from '../lib/gateway.js';
import { sendSome } from '../lib/traffic.js';
import { startUpstream } from '../lib/upstream.js';

let gateway, upstream, house, browser, pages;

before(async () => {
  upstream = await startUpstream();
  gateway = await startGateway();
  house = await furnish(gateway, upstream);
  const sent = await sendSome(gateway, house);
  pages = [...PAGES, `/providers/${house.providers.anthropic.id}`, `/users/${house.user.id}`, `/keys/${house.keyId}`, `/requests/${sent}`];
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
  await upstream?.stop();
});

// Content may grow into place once; more than this is a jump that a reader notices (a tenth of what is called good).
const MOST_SHIFT = 0.01;

for (const lang of ['en', 'zh']) {
  for (const [width, viewport] of Object.entries({ wide: WIDE, narrow: NARROW })) {
    test(`every page hydrates without a fault and without jumping, ${lang}, ${width}`, async () => {
      const { page, faults, close } = await visitor(browser, gateway.base, { lang, viewport });
      await signIn(page, ADMIN_TOKEN);
      for (const path of pages) {
        const answer = await page.goto(path);
        assert.equal(answer.status(), 200, path);
        await hydrated(page);
        assert.equal(page.url().slice(gateway.base.length), path);
        assert.equal(await page.locator('html').getAttribute('lang'), lang === 'zh' ? 'zh-CN' : 'en');
        const { shift, moved, violations } = await seen(page);
        assert.deepEqual(violations, [], path);
        assert.ok(shift <= MOST_SHIFT, `${path} jumped by ${shift}: ${moved.join(', ')}`);
        const { over, widest } = await page.evaluate(() => {
          const width = document.documentElement.clientWidth;
          const over = document.documentElement.scrollWidth - width;
          const wide = [...document.querySelectorAll('main *')].filter((node) => node.getBoundingClientRect().right > width);
          return { over, widest: wide.slice(-3).map((node) => `${node.tagName.toLowerCase()}.${node.className}`) };
        });
        assert.ok(over <= 0, `${path} is ${over} px wider than the screen: ${widest.join(', ')}`);
      }
      assert.deepEqual(faults, []);
      await close();
    });
  }
}

// Names of products and vendors; what programs say word for word stands in `<code>` and `<pre>`, which are not read.
const NAMES = /^(Google Gen AI SDK \(Python\)|Google account by BASE_URL|Kiro \(AWS IAM Identity Center\)|personal,shared,fallback)$/;

test('no page speaks English to a reader of Chinese', async () => {
  // Tasks say what they did: they must have done something.
  for (let tasks = []; tasks.filter((task) => task.last_result).length < 3;) {
    tasks = (await gateway.admin('GET', '/system')).tasks;
    await new Promise((wake) => setTimeout(wake, 100));
  }
  const { page, close } = await visitor(browser, gateway.base, { lang: 'zh', scripts: false });
  await signIn(page, ADMIN_TOKEN);
  const found = [];
  for (const path of [...pages, '/oauth/vendors/claude', '/no-such-page']) {
    // The descriptions of the admin API are its own document, and the audit log names fields as they are called.
    if (['/api-docs', '/audit'].includes(path)) continue;
    await page.goto(path);
    const body = (await page.content()).replace(/<(script|style|code|pre|textarea|option)\b[^>]*>[\s\S]*?<\/\1>/g, ' ');
    const said = [...body.matchAll(/>([^<>]+)</g), ...body.matchAll(/(?:title|aria-label|placeholder)="([^"]+)"/g)];
    for (const text of said.map((match) => match[1].trim())) {
      const english = /[A-Za-z]{2,}(?:[ ,]+[A-Za-z]{2,}){2,}/.test(text) && !/[\u4e00-\u9fff]/.test(text);
      if (english && !NAMES.test(text)) found.push(`${path}: ${text}`);
    }
  }
  assert.deepEqual([...new Set(found)], []);
  await close();
});

test('scripts change nothing that is already there', async () => {
  const plain = await visitor(browser, gateway.base, { scripts: false });
  const full = await visitor(browser, gateway.base);
  await signIn(plain.page, ADMIN_TOKEN);
  await signIn(full.page, ADMIN_TOKEN);
  for (const path of pages) {
    await plain.page.goto(path);
    await full.page.goto(path);
    await hydrated(full.page);
    const [before, after] = [await headings(plain.page), await headings(full.page)];
    assert.ok(before.length > 0, `${path} has no heading without scripts`);
    assert.deepEqual(after, before, path);
  }
  await plain.close();
  await full.close();
});

const headings = (page) => page.locator('main').locator('h1, h2, th').allInnerTexts();

describe('who may open what', () => {
  test('a stranger is sent to the door from every page, and comes back after signing in', async () => {
    const { page, close } = await visitor(browser, gateway.base);
    for (const path of pages) {
      await page.goto(path);
      const url = new URL(page.url());
      assert.equal(url.pathname, '/login', path);
      if (path !== '/') assert.equal(url.searchParams.get('next'), path);
    }
    await page.goto('/providers');
    await page.locator('input[name=secret]').fill(ADMIN_TOKEN);
    await page.locator('form:has(input[name=secret]) button').click();
    await page.waitForURL('**/providers');
    await close();
  });

  test('a wrong token is refused on the page itself', async () => {
    const { page, close } = await visitor(browser, gateway.base);
    await page.goto('/login');
    await page.locator('input[name=secret]').fill('not-the-token-of-this-house-at-all');
    await page.locator('form:has(input[name=secret]) button').click();
    await page.locator('[role=alert]').waitFor();
    assert.equal(new URL(page.url()).pathname, '/login');
    await close();
  });

  test('a member sees himself and nothing of the house', async () => {
    const { page, close } = await visitor(browser, gateway.base);
    await signIn(page, house.key);
    assert.equal((await page.goto('/me')).status(), 200);
    for (const path of pages.filter((path) => !/^\/(me|requests|models|conformance|playground)/.test(path) && path !== '/')) {
      const answer = await page.goto(path);
      assert.ok([403, 404].includes(answer.status()) || new URL(page.url()).pathname === '/me', `${path}: ${answer.status()}`);
      assert.ok(!(await page.content()).includes(upstream.url), `${path} names the upstream`);
    }
    await close();
  });

  test('signing out ends the session', async () => {
    const { page, close } = await visitor(browser, gateway.base);
    await signIn(page, ADMIN_TOKEN);
    await page.locator('form[action="/auth/logout"] button').first().click();
    await page.waitForURL('**/login*');
    await page.goto('/providers');
    assert.equal(new URL(page.url()).pathname, '/login');
    await close();
  });
});
