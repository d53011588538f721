// Secrets that are tried before they are stored: a session key that is replaced, the key of a new provider, the keys of
// another gateway's file. And the way out: chosen providers in a sealed file.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from '../lib/browser.js';
import { WAYS, desk, named } from '../lib/desk.js';
import { startGateway } from '../lib/gateway.js';
import { startUpstream } from '../lib/upstream.js';

const PASSPHRASE = 'correct horse battery';
const WORDS = {
  en: { kept: /Nothing was saved/, hint: /copied whole/, taken: 'tried: its vendor takes it', refused: 'was tried and not taken' },
  zh: { kept: /未保存任何内容/, hint: /copied whole/, taken: '已验证：供应商接受', refused: '验证未通过' },
};

let upstream, browser;

before(async () => {
  upstream = await startUpstream();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await upstream?.stop();
});

/** As long as session keys are. */
const sessionKey = (name) => `sk-ant-sid01-${name}-${'x'.repeat(60)}`;

/** What the fake vendor says from now on, to whom the rule is for. */
async function script(rule) {
  const answer = await fetch(`${upstream.url}/__fakeup/script`, { method: 'POST', body: JSON.stringify(rule) });
  assert.ok(answer.ok, await answer.text());
}

/** What the vendor says about session keys. */
const organisations = (status, body) => script({
  path: '/api/organizations', status, content_type: 'application/json', body: JSON.stringify(body),
});

/** How often the vendor was asked about a session key. */
const asked = async () => (await upstream.invoice()).filter(({ target }) => target === '/api/organizations').length;

/** What the form above the cards says went wrong. */
async function failure(page) {
  const flash = page.locator('.flash.bad');
  await flash.waitFor();
  return flash.innerText();
}

for (const way of WAYS) {
  const words = WORDS[way.lang];

  test(`a session key is replaced by one that the vendor takes, or that somebody insists on, ${named(way)}`, async () => {
    const gateway = await startGateway();
    const { page, go, press, flash, end, close } = await desk(browser, gateway, way);
    try {
      await gateway.admin('PUT', '/settings/account_session_key_probe', { value: 'true' });
      const provider = await gateway.admin('POST', '/providers', {
        name: 'Claude', kind: 'anthropic', base_url: upstream.url, api_key: sessionKey('old'),
      });
      const state = async () => (await gateway.admin('GET', '/credentials')).items[0];
      const probed = async () => (await gateway.admin('GET', '/audit?object=credential')).items[0].after.probe;
      const form = page.locator('#credentials .card form.inset');
      const key = form.locator('[name="form[api_key]"]');
      const tick = form.locator('[name="form[probe]"]');
      const save = form.locator('button.primary');
      const open = async () => {
        await go(`/providers/${provider.id}`);
        const link = page.locator('#credentials .card a[href$="#credential-api_key"]');
        await press(link, /edit=\d+/);
        await form.waitFor();
        assert.ok(await tick.isChecked(), 'the vendor is asked first');
      };

      await organisations(401, { error: { message: 'Invalid session' } });
      const before = await state();
      const first = await asked();
      await open();
      await key.fill('sk-ant-sid01-cut-short');
      await save.click();
      const told = await failure(page);
      assert.match(told, words.kept);
      assert.match(told, /Invalid session/);
      assert.match(told, words.hint, 'a key that was cut short is named');
      assert.ok(!(await page.content()).includes('sk-ant-sid01-cut-short'), 'what was typed is not sent back');
      assert.equal((await state()).version, before.version, 'nothing was stored');
      assert.equal(await asked(), first + 1);

      // Somebody insists: nobody is asked.
      await open();
      await key.fill(sessionKey('insisted'));
      await tick.uncheck();
      await press(save, /done=saved/);
      assert.ok((await flash()).length > 3);
      assert.equal(await probed(), 'skipped');
      assert.equal(await asked(), first + 1);

      await organisations(200, [{ uuid: 'o-1' }]);
      await open();
      await key.fill(sessionKey('good'));
      await press(save, /done=saved/);
      assert.equal(await probed(), 'passed');
      const { state: now } = await state();
      assert.equal(now, 'valid');
      assert.equal(await asked(), first + 2);
      assert.ok(!(await page.content()).includes(sessionKey('good')));
      await end();
    } finally {
      await close();
      await gateway.stop();
    }
  });

  test(`the key of a new provider is tried before either is stored, ${named(way)}`, async () => {
    const gateway = await startGateway();
    const { page, go, field, press, end, close } = await desk(browser, gateway, way);
    const providers = async () => (await gateway.admin('GET', '/providers')).items;
    try {
      await script({ credential: 'sk-refused-000001', status: 401 });
      await go('/providers/new?preset=generic');
      await field('name').fill('Tried');
      await field('base_url').fill(upstream.url);
      await field('api_key').fill('sk-refused-000001');
      await field('probe').check();
      await page.locator('.save-bar button.primary').click();
      assert.match(await failure(page), words.kept);
      assert.deepEqual(await providers(), [], 'neither the key nor the provider');
      assert.equal(await field('name').inputValue(), 'Tried', 'what was typed is still there');
      assert.ok(await field('probe').isChecked());
      await field('api_key').fill('sk-taken-000002');
      await press(page.locator('.save-bar button.primary'), /done=created/);
      assert.deepEqual((await providers()).map(({ name, credential_count }) => [name, credential_count]), [['Tried', 1]]);
      await end();
    } finally {
      await close();
      await gateway.stop();
    }
  });

  test(`the secrets of a file are tried, and what passed is imported, or all of it, ${named(way)}`, async () => {
    const gateway = await startGateway();
    const { page, go, field, press, end, close } = await desk(browser, gateway, way);
    const names = async () => (await gateway.admin('GET', '/providers')).items.map(({ name }) => name).sort();
    try {
      await script({ credential: 'sk-refused-000003', status: 401 });
      const channel = (name, key) => ({ type: 8, name, base_url: `${upstream.url}/${name}`, key, models: 'm' });
      const content = JSON.stringify([channel('Good', 'sk-taken-000004'), channel('Bad', 'sk-refused-000003')]);
      const look = async () => {
        await go('/credentials/import');
        await field('content').fill(content);
        await field('probe').check();
        await press(page.locator('.import-form button.primary'), /kept=/);
        await page.locator('#previewed').waitFor();
      };
      await look();
      const rows = page.locator('#previewed tbody tr');
      assert.match(await rows.nth(1).innerText(), new RegExp(words.taken));
      assert.match(await rows.nth(3).innerText(), new RegExp(`${words.refused}.*401`));
      assert.deepEqual(await names(), [], 'trying stores nothing');
      await press(page.locator('form.inline-form button.primary'), /done=taken_over/);
      assert.deepEqual(await names(), ['Good']);
      await look();
      assert.equal(await page.locator('form.inline-form button.primary').count(), 0, 'nothing else passed');
      await press(page.locator('form.inline-form:has([name=insist]) button'), /done=taken_over/);
      assert.deepEqual(await names(), ['Bad', 'Good']);
      await end();
    } finally {
      await close();
      await gateway.stop();
    }
  });

  test(`chosen providers alone go into a sealed export, ${named(way)}`, async () => {
    const [one, two] = [await startGateway(), await startGateway()];
    const { page, go, refused, press, end, close } = await desk(browser, one, way);
    try {
      for (const name of ['First', 'Second', 'Third']) {
        await one.admin('POST', '/providers', { name, kind: 'openai-compatible', base_url: `${upstream.url}/${name}`, api_key: `sk-${name}-000001` });
      }
      await go('/credentials/import');
      const form = page.locator('form.export-form');
      const box = (name) => form.locator('label.check-line').filter({ hasText: name }).locator('input');
      await form.locator('summary').click();
      await box('First').check();
      await box('Third').check();
      await form.locator('[name="form[passphrase]"]').fill('too short');
      await refused(form.locator('button'), 'passphrase', '.export-form');
      assert.ok(await box('First').isChecked() && await box('Third').isChecked(), 'the choice stays');
      assert.ok(!await box('Second').isChecked());
      await form.locator('[name="form[passphrase]"]').fill(PASSPHRASE);
      await press(form.locator('button'), /exported=/);
      const text = page.locator('#exported textarea');
      await text.waitFor();
      const content = await text.inputValue();
      await two.admin('POST', '/credentials/import', { content, passphrase: PASSPHRASE });
      const { items } = await two.admin('GET', '/providers');
      assert.deepEqual(items.map(({ name }) => name).sort(), ['First', 'Third']);
      await end();
    } finally {
      await close();
      await one.stop();
      await two.stop();
    }
  });
}
