// Taking over another gateway's file: look, then import exactly that, and it serves. Handing on: a sealed export that
// opens on a second gateway with its passphrase and with no other.

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch } from '../lib/browser.js';
import { WAYS, desk, named } from '../lib/desk.js';
import { startGateway } from '../lib/gateway.js';
import { startUpstream } from '../lib/upstream.js';

const PASSPHRASE = 'correct horse battery';
const WORDS = { en: { add: 'add', here: 'here already', out: 'leave out' }, zh: { add: '新增', here: '已存在', out: '跳过' } };

let upstream, browser;

before(async () => {
  upstream = await startUpstream();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await upstream?.stop();
});

/** A gateway with one user and his key. */
async function house() {
  const gateway = await startGateway();
  const user = await gateway.admin('POST', '/users', { name: 'Ada' });
  const { key } = await gateway.admin('POST', `/users/${user.id}/keys`, { name: 'laptop' });
  const providers = async () => (await gateway.admin('GET', '/providers')).items;
  /** The status of a small request, and the credential that the vendor saw with it. */
  const ask = async (model) => {
    const answer = await fetch(`${gateway.base}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hi' }] }),
    });
    await answer.text();
    const seen = (await upstream.invoice()).filter((entry) => entry.model === model);
    return [answer.status, seen.at(-1)?.credential];
  };
  return { ...gateway, providers, ask };
}

/** Fills the form in: as an upload where scripts are on, else pasted. Answers its button. */
async function give(page, { scripts }, { name, content, passphrase }) {
  const form = page.locator('form.import-form');
  const text = form.locator('[name="form[content]"]');
  if (scripts) {
    await text.fill('');
    const file = { name, mimeType: 'text/plain', buffer: Buffer.from(content) };
    await form.locator('input[type=file]').setInputFiles([]);
    await form.locator('input[type=file]').setInputFiles(file);
    // The file is read a moment later.
    await page.waitForFunction((size) => document.querySelector('#import-content').value.length === size, content.length);
  } else {
    await text.fill(content);
  }
  await form.locator('[name="form[passphrase]"]').fill(passphrase ?? '');
  return form.locator('button.primary');
}

/** What the page says of lines and of what is left: one text for each reason. */
async function reasons(page) {
  const lines = page.locator('#previewed tbody td:last-child .wrap, #import-notes .notes li');
  const said = await lines.evaluateAll((nodes) => nodes.map((node) => {
    const copy = node.cloneNode(true);
    for (const place of copy.querySelectorAll('code')) place.remove();
    return copy.textContent.trim();
  }));
  return said.filter(Boolean);
}

const FIXTURES = join(import.meta.dirname, '../../crates/import/fixtures');
const isChinese = (text) => /[\u4e00-\u9fff]/.test(text);

for (const way of WAYS) {
  test(`each known format is looked at, and every reason is in the reader's language, ${named(way)}`, async () => {
    const gateway = await house();
    const { page, go, press, end, close } = await desk(browser, gateway, way);
    try {
      for (const name of await readdir(FIXTURES)) {
        await go('/credentials/import');
        const button = await give(page, way, { name, content: await readFile(join(FIXTURES, name), 'utf8') });
        await press(button, /kept=/);
        await page.locator('#previewed').waitFor();
        const said = await reasons(page);
        const wrong = said.filter((text) => isChinese(text) !== (way.lang === 'zh'));
        assert.deepEqual(wrong, [], name);
        assert.ok(!(await page.content()).includes('canary'), `${name}: no secret on the page`);
      }
      assert.equal((await gateway.providers()).length, 0, 'looking changes nothing');
      await end();
    } finally {
      await close();
      await gateway.stop();
    }
  });

  test(`what a file is can be said, and several account files come at once, ${named(way)}`, async () => {
    const gateway = await house();
    const { page, go, press, refused, end, close } = await desk(browser, gateway, way);
    try {
      const file = { name: 'channels.json', content: JSON.stringify([{ type: 43, name: 'Deep', key: 'sk-deep-000001', models: 'm' }]) };
      const said = async (kind) => {
        await go('/credentials/import');
        const button = await give(page, way, file);
        await page.locator('.import-form select[name="form[from]"]').selectOption(kind);
        return button;
      };
      const why = await refused(await said('litellm'), 'from', '.import-form');
      assert.match(why, /one-api.*litellm/, why);
      assert.equal(isChinese(why), way.lang === 'zh', why);
      await press(await said('one-api'), /kept=/);
      await page.locator('#import-notes').waitFor();
      assert.equal(await page.locator('#previewed tbody tr').count(), 0, 'one-api numbers it otherwise');
      await press(await said('new-api'), /kept=/);
      assert.match(await page.locator('#previewed tbody tr').first().innerText(), /api\.deepseek\.com/);

      const account = (name) => JSON.stringify({ type: 'claude', access_token: `sk-ant-${name}`, refresh_token: `r-${name}`, email: `${name}@example.com` });
      const files = [['claude-one.json', account('one')], ['claude-two.json', account('two')], ['claude-cut.json', '{"type": "claude", "access_tok']];
      await go('/credentials/import');
      if (way.scripts) {
        await page.locator('#import-file').setInputFiles(files.map(([name, text]) => ({ name, mimeType: 'application/json', buffer: Buffer.from(text) })));
        await page.waitForFunction(() => document.querySelector('#import-content').value.includes('==> claude-cut.json <=='));
      } else {
        await page.locator('#import-content').fill(files.map(([name, text]) => `==> ${name} <==\n${text}\n`).join('\n'));
      }
      await press(page.locator('.import-form button.primary'), /kept=/);
      assert.equal(await page.locator('#previewed tbody tr').count(), 3, 'one provider, two accounts');
      assert.match(await page.locator('#import-notes').innerText(), /claude-cut\.json.*JSON.*1/);
      await press(page.locator('form.inline-form button.primary'), /done=taken_over/);
      const { items } = await gateway.admin('GET', '/credentials');
      assert.deepEqual(items.map(({ token }) => token.account).sort(), ['one@example.com', 'two@example.com']);
      if (way.scripts) {
        await go('/credentials/import');
        await page.locator('#import-file').setInputFiles([{ name: 'large.json', mimeType: 'application/json', buffer: Buffer.alloc(9 << 20, 32) }]);
        await page.locator('.import-form .field .note').first().waitFor();
        assert.equal(await page.locator('#import-content').inputValue(), '', 'it is not even read');
      }
      await end();
    } finally {
      await close();
      await gateway.stop();
    }
  });

  test(`a file is looked at, taken over as it was shown, and serves, ${named(way)}`, async () => {
    const gateway = await house();
    const { page, go, press, refused, flash, end, close } = await desk(browser, gateway, way);
    const words = WORDS[way.lang];
    try {
      await gateway.admin('POST', '/providers', {
        name: 'mine', kind: 'openai-compatible', base_url: upstream.url, api_key: 'sk-here-000001', models: ['here'],
      });
      await go('/credentials/import');
      const broken = await give(page, way, { name: 'config.yaml', content: 'model_list:\n  - [cut' });
      const why = await refused(broken, 'content', '.import-form');
      assert.match(why, /YAML.*3/, why);
      assert.equal((await gateway.providers()).length, 1, 'nothing is half there');

      const channels = [
        { type: 8, name: 'Fresh', base_url: `${upstream.url}/fresh`, key: 'sk-fresh-000001', models: 'fresh-model' },
        { type: 8, name: 'theirs', base_url: upstream.url, key: 'sk-here-000001\nsk-extra-000002', models: 'here' },
        { type: 8, name: 'Refused', base_url: 'https://user:hidden-word@a.example.com', key: 'sk-no-000001', models: 'm' },
        { type: 2, name: 'Pictures', key: 'sk-pictures-0001', models: 'mj' },
      ];
      await go('/credentials/import');
      const file = { name: 'channels.json', content: JSON.stringify(channels) };
      await press(await give(page, way, file), /kept=/);
      const row = (name) => page.locator('#previewed tbody tr').filter({ hasText: name }).first();
      await row('Fresh').waitFor();
      for (const [name, word] of [['Fresh', words.add], ['mine', words.here], ['Refused', words.out]]) {
        const told = await row(name).innerText();
        assert.ok(told.includes(word), `${name}: ${told}`);
      }
      assert.match(await row('Refused').innerText(), /base_url/);
      assert.equal(await page.locator('#previewed tbody tr').count(), 7, 'three providers, four keys');
      assert.match(await page.locator('#import-notes').innerText(), /\[3\]/);
      const source = await page.content();
      for (const secret of ['sk-fresh-000001', 'sk-extra-000002', 'hidden-word', 'sk-pictures-0001']) {
        assert.ok(!source.includes(secret), secret);
      }
      assert.equal((await gateway.providers()).length, 1, 'looking changes nothing');

      await press(page.locator('form.inline-form button.primary'), /done=taken_over/);
      assert.ok((await flash()).length > 3);
      assert.deepEqual((await gateway.providers()).map(({ name }) => name).sort(), ['Fresh', 'mine']);
      assert.deepEqual(await gateway.ask('fresh-model'), [200, 'sk-fresh-000001']);
      const { items } = await gateway.admin('GET', '/credentials');
      assert.equal(items.length, 3, 'one more key came to the provider that was here');

      await go('/credentials/import');
      await press(await give(page, way, file), /kept=/);
      await page.locator('#previewed').waitFor();
      assert.equal(await page.locator('form.inline-form button.primary').count(), 0, 'a second time there is nothing to do');
      await end();
    } finally {
      await close();
      await gateway.stop();
    }
  });

  test(`a sealed export opens on a second gateway with its passphrase and no other, ${named(way)}`, async () => {
    const [one, two] = [await house(), await house()];
    const here = await desk(browser, one, way);
    let there;
    try {
      const provider = await one.admin('POST', '/providers', {
        name: 'Handed on', kind: 'openai-compatible', base_url: upstream.url, api_key: 'sk-sealed-000001', models: ['sealed'],
      });
      await one.admin('POST', '/credentials', { provider_id: provider.id, name: 'spare', api_key: 'sk-spare-000002', tier: 'fallback' });
      await here.go('/credentials/import');
      const form = here.page.locator('form.export-form');
      await form.locator('[name="form[passphrase]"]').fill('too short');
      const short = await here.refused(form.locator('button'), 'passphrase', '.export-form');
      assert.match(short, /12/);
      await form.locator('[name="form[passphrase]"]').fill(PASSPHRASE);
      await here.press(form.locator('button'), /exported=/);
      const text = here.page.locator('#exported textarea');
      await text.waitFor();
      const content = await text.inputValue();
      assert.match(content, /^tollgate-export v/);
      assert.ok(!content.includes('sk-'), 'sealed');
      const saved = await here.page.locator('#exported a[download]').getAttribute('href');
      assert.equal(decodeURIComponent(saved.slice(saved.indexOf(',') + 1)), content, 'the link saves the same');
      await here.end();

      there = await desk(browser, two, way);
      const sealed = (passphrase) => give(there.page, way, { name: 'sealed.txt', content, passphrase });
      await there.go('/credentials/import');
      for (const wrong of ['', 'correct horse batterz']) {
        const why = await there.refused(await sealed(wrong), 'passphrase', '.import-form');
        assert.ok(why.length > 10, why);
        assert.equal((await two.providers()).length, 0);
        await there.go('/credentials/import');
      }
      await there.press(await sealed(PASSPHRASE), /kept=/);
      await there.page.locator('#previewed tbody tr').filter({ hasText: 'Handed on' }).waitFor();
      await there.press(there.page.locator('form.inline-form button.primary'), /done=taken_over/);
      assert.deepEqual(await two.ask('sealed'), [200, 'sk-sealed-000001']);
      const tiers = (await two.admin('GET', '/credentials')).items.map(({ name, tier }) => `${name} ${tier}`);
      assert.deepEqual(tiers.sort(), ['key 1 shared', 'spare fallback']);
      await there.end();
    } finally {
      await here.close();
      await there?.close();
      await one.stop();
      await two.stop();
    }
  });
}
