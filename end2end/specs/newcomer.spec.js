// The way of a newcomer: from the sign-in page to his first request in the log. In both languages, with scripts
// and without; everything is done by hand on pages, nothing through the API.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hydrated, launch, seen, signIn, visitor } from '../lib/browser.js';
import { ADMIN_TOKEN, startGateway } from '../lib/gateway.js';
import { claudeCode } from '../lib/traffic.js';
import { startUpstream } from '../lib/upstream.js';

let upstream, browser;

before(async () => {
  upstream = await startUpstream();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await upstream?.stop();
});

const WORDS = {
  en: { providers: 'Providers', requests: 'Requests' },
  zh: { providers: '供应商', requests: '请求' },
};

for (const lang of ['en', 'zh']) {
  for (const scripts of [true, false]) {
    test(`a newcomer reaches his first request, ${lang}, scripts ${scripts ? 'on' : 'off'}`, async () => {
      const gateway = await startGateway();
      const { page, faults, close } = await visitor(browser, gateway.base, { lang, scripts });
      const settle = async () => scripts && hydrated(page);
      try {
        // Sign in; the page that was asked for comes after it.
        await page.goto('/');
        assert.equal(new URL(page.url()).pathname, '/login');
        await settle();
        await signIn(page, ADMIN_TOKEN);
        await settle();
        assert.match(await page.locator('nav').first().innerText(), new RegExp(WORDS[lang].providers));

        // A provider, from a preset, with its key.
        await page.goto('/providers');
        await settle();
        await page.locator('a[href="/providers/new"]').first().click();
        await page.waitForURL('**/providers/new');
        await page.locator('a[href$="preset=anthropic"]').click();
        await page.waitForURL('**/providers/new?preset=anthropic');
        await page.locator('[name="form[name]"][value=Anthropic]').waitFor();
        await page.locator('[name="form[base_url]"]').fill(upstream.url);
        await page.locator('[name="form[api_key]"]').fill('sk-upstream-newcomer');
        await page.locator('.save-bar button.primary').click();
        await page.waitForURL(/\/providers\/\d+/);

        // A test with a real call.
        await page.locator('#test input[name=model]').fill('claude-sonnet-4-5');
        await page.locator('#test form button').first().click();
        await page.locator('.test-result').waitFor();
        assert.match(await page.locator('.test-result').innerText(), /200/);

        // A user.
        await page.goto('/users/new');
        await settle();
        await page.locator('[name="form[name]"]').fill('Ada Lovelace');
        await page.locator('.save-bar button.primary').click();
        await page.waitForURL(/\/users\/\d+/);

        // A key for this user; it is shown, with the set-up of every client, and never again.
        await page.locator('a[href^="/keys/new"]').first().click();
        await page.waitForURL('**/keys/new?user_id=*');
        await page.locator('[name="form[name]"]').fill('laptop');
        await page.locator('.save-bar button.primary').click();
        await page.waitForURL(/\/keys\/\d+/);
        await page.locator('.fresh-key pre').waitFor();
        const key = (await page.locator('.fresh-key pre').innerText()).trim();
        assert.match(key, /^sk-tg-/);
        const setUp = await page.locator('main').textContent();
        for (const part of [`ANTHROPIC_BASE_URL=${gateway.base}`, `ANTHROPIC_AUTH_TOKEN=${key}`, `${gateway.base}/v1`]) {
          assert.ok(setUp.includes(part), `the set-up does not say ${part}`);
        }
        await page.reload();
        assert.ok(!(await page.content()).includes(key), 'the key is shown a second time');

        // The first request, streamed, in Claude Code's shape.
        const { status, id, text } = await claudeCode(gateway, key);
        assert.equal(status, 200);
        assert.match(text, /event: message_stop/);

        // It stands in the log, with its tokens.
        const row = page.locator(`tr:has(a[href="/requests/${id}"])`);
        for (let tries = 0; tries < 50 && (await row.count()) === 0; tries += 1) await page.goto('/requests');
        await settle();
        const cells = await row.innerText();
        assert.match(cells, /claude-sonnet-4-5/);
        assert.match(cells, /Ada Lovelace/);
        await row.locator('a').first().click();
        await page.waitForURL(`**/requests/${id}`);
        await page.locator('main dl').first().waitFor();
        const output = Number(/"output_tokens":(\d+)(?!.*"output_tokens")/s.exec(text)[1]);
        assert.ok(output > 0);
        assert.match(await page.locator('main').innerText(), new RegExp(`\\b${output}\\b`));

        if (scripts) assert.deepEqual((await seen(page)).violations, []);
        assert.deepEqual(faults, []);
      } finally {
        await close();
        await gateway.stop();
      }
    });
  }
}

test('the live tail shows a request while the page is open', async () => {
  const gateway = await startGateway();
  const { page, faults, close } = await visitor(browser, gateway.base);
  try {
    await gateway.admin('POST', '/providers', { name: 'Fake', kind: 'anthropic', base_url: upstream.url, api_key: 'sk-x' });
    const user = await gateway.admin('POST', '/users', { name: 'Ada' });
    const { key } = await gateway.admin('POST', `/users/${user.id}/keys`, { name: 'laptop' });
    await signIn(page, ADMIN_TOKEN);
    await page.goto('/requests');
    await hydrated(page);
    const opened = page.waitForResponse('**/live/requests');
    await page.locator('.live button').click();
    await opened;
    const { id } = await claudeCode(gateway, key);
    await page.locator(`.live a[href="/requests/${id}"]`).waitFor();
    assert.deepEqual(faults, []);
  } finally {
    await close();
    await gateway.stop();
  }
});

test('language and theme are chosen on the page and stay', async () => {
  const gateway = await startGateway();
  for (const scripts of [true, false]) {
    const { page, context, close } = await visitor(browser, gateway.base, { scripts });
    await context.clearCookies();
    await page.goto('/login');
    await page.locator('button[name=lang][value=zh]').first().click();
    await page.locator('html[lang=zh-CN]').waitFor({ state: 'attached' });
    await page.locator('button[name=theme][value=dark]').first().click();
    await page.locator('html[data-theme=dark]').waitFor({ state: 'attached' });
    await page.goto('/login');
    assert.equal(await page.locator('html').getAttribute('lang'), 'zh-CN');
    assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
    await close();
  }
  await gateway.stop();
});
