// Chromium, and everything a page must not do: speak on the console, break its own policy, jump about.

import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const EXECUTABLE = process.env.CHROMIUM
  ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

const ARGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

export function launch() {
  return chromium.launch({ executablePath: EXECUTABLE, args: ARGS });
}

/** Ways to look at the dashboard. */
export const WIDE = { width: 1360, height: 900 };
export const NARROW = { width: 390, height: 844 };

/**
 * A fresh visitor. `faults` collects console errors and warnings, uncaught errors, refused requests and policy
 * violations of all his pages; a spec asserts that it is empty.
 */
export async function visitor(browser, base, { lang = 'en', theme = 'light', scripts = true, viewport = WIDE } = {}) {
  const context = await browser.newContext({
    baseURL: base,
    viewport,
    javaScriptEnabled: scripts,
    locale: lang === 'zh' ? 'zh-CN' : 'en-US',
    colorScheme: theme,
    permissions: scripts ? ['clipboard-read', 'clipboard-write'] : [],
  });
  await context.addCookies([
    { name: 'tg_lang', value: lang, url: base },
    { name: 'tg_theme', value: theme, url: base },
  ]);
  const faults = [];
  if (scripts) await context.addInitScript(watch);
  context.on('page', (page) => {
    const note = (what) => faults.push(`${new URL(page.url(), base).pathname}: ${what}`);
    page.on('console', (message) => {
      // Without scripts nothing uses what was preloaded for them; whoever stays long enough is told so.
      if (!scripts && message.text().includes('preloaded using link preload but not used')) return;
      if (['error', 'warning'].includes(message.type())) note(`console ${message.type()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => note(`uncaught: ${error.message}`));
    page.on('requestfailed', (request) => {
      const why = request.failure()?.errorText;
      // Leaving a page ends its live stream and its unfinished fetches, and a browser without scripts refuses to
      // preload them: neither is a fault.
      if (why !== 'net::ERR_ABORTED' && (scripts || why !== 'csp')) note(`${request.url()}: ${why}`);
    });
    page.on('response', (response) => {
      if (response.status() >= 500) note(`${response.status()} from ${response.url()}`);
    });
  });
  const page = await context.newPage();
  return { context, page, faults, close: () => context.close() };
}

/** Runs in the page before anything else: counts what only the browser sees. */
function watch() {
  window.__seen = { shift: 0, moved: [], violations: [], hydrated: false };
  // The glue calls `hydrate()` in the microtasks after the module is there; a timer runs after all of those.
  const original = WebAssembly.instantiateStreaming;
  WebAssembly.instantiateStreaming = async (...args) => {
    const module = await original.apply(WebAssembly, args);
    setTimeout(() => { window.__seen.hydrated = true; }, 0);
    return module;
  };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.hadRecentInput) continue;
      window.__seen.shift += entry.value;
      for (const { node, previousRect: from, currentRect: to } of entry.sources) {
        const name = node?.nodeType === 1 ? `${node.tagName.toLowerCase()}.${node.className}` : node?.textContent;
        window.__seen.moved.push(`${name} (${from.x},${from.y} ${from.width}x${from.height} to ${to.x},${to.y} ${to.width}x${to.height})`);
      }
    }
  }).observe({ type: 'layout-shift', buffered: true });
  document.addEventListener('securitypolicyviolation', (event) => {
    window.__seen.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
  });
}

export const seen = (page) => page.evaluate(() => window.__seen);

/** Signs in with the plain form, as a person does. */
export async function signIn(page, secret) {
  if (!page.url().includes('/login')) await page.goto('/login');
  await page.locator('input[name=secret]').fill(secret);
  await page.locator('form:has(input[name=secret]) button').click();
  await page.waitForURL((url) => !url.pathname.startsWith('/login') && !url.pathname.startsWith('/auth/'));
}

/** Waits until the browser half has taken over. Where the bundle is missing this fails, on purpose. */
export async function hydrated(page) {
  const still = () => window.__seen?.hydrated && !document.querySelector('main[aria-busy=true]');
  await page.waitForFunction(still, undefined, { timeout: 60_000 });
}

/** Every page of an administrator that needs no id. `/me` is a member's. */
export const PAGES = [
  '/', '/providers', '/providers/new', '/users', '/users/new', '/keys', '/requests', '/settings', '/audit', '/system',
  '/api-docs', '/usage', '/quotas', '/prices', '/prices/edit', '/prices/import', '/prices/reprice', '/credentials/import', '/oauth', '/oauth/new', '/groups', '/packages',
  '/packages/new', '/ledger', '/pool', '/routing', '/routing?view=aliases', '/routing?view=rules', '/routing?view=simulate',
  '/routing?view=backtest', '/breakers', '/models', '/conformance', '/playground', '/cache', '/cache?view=accounts', '/cache?view=users', '/cache?view=unavailable',
];
