// A provider's page with scripts: what one part of it does leaves what is typed into another alone, and says what
// became of it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from '../lib/browser.js';
import { WAYS, desk, named } from '../lib/desk.js';
import { furnish, startGateway } from '../lib/gateway.js';
import { startUpstream } from '../lib/upstream.js';

let upstream, gateway, house, browser;

before(async () => {
  upstream = await startUpstream();
  gateway = await startGateway();
  house = await furnish(gateway, upstream);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
  await upstream?.stop();
});

const VERDICT = { en: /Healthy/, zh: /正常/ };

for (const way of WAYS) {
  test(`a check of a credential says what it found, ${named(way)}`, async () => {
    const { page, go, end, close } = await desk(browser, gateway, way);
    try {
      await go(`/providers/${house.providers.anthropic.id}`);
      const card = page.locator('#credentials .card').first();
      await card.locator('form[action*="credential/check"] button').click();
      await card.locator('.card-check').filter({ hasText: VERDICT[way.lang] }).waitFor();
      if (way.scripts) {
        const told = await page.locator('#credentials .test-result').innerText();
        assert.match(told, VERDICT.en);
        assert.match(told, /HTTP 200/);
        assert.match(told, /key 1/);
      }
      await end();
    } finally {
      await close();
    }
  });
}

test('what is typed into a provider outlives a check and a disabled credential', async () => {
  const { page, go, field, end, close } = await desk(browser, gateway, { lang: 'en', scripts: true });
  try {
    await go(`/providers/${house.providers.openai.id}`);
    const typed = 'gpt-typed-but-not-saved\n';
    await field('models').fill(typed);
    const card = page.locator('#credentials .card').first();
    await card.locator('form[action*="credential/check"] button').click();
    await page.locator('#credentials .test-result').waitFor();
    await card.locator('form[action*="credential/toggle"] button').click();
    await card.locator('.state.off').first().waitFor();
    assert.equal(await field('models').inputValue(), typed);
    await end();
  } finally {
    await close();
  }
});
