// A vendor of accounts: a real OAuth 2.0 server (`oidc-provider`), and an API that takes only its live access tokens.
//
// What a vendor, or the way to it, may do amiss (`slow_down`, an altered request, short lives) happens in front of the
// server; everything else is decided by the server itself: PKCE, single use of codes, rotation, detection of reuse.

import { createServer } from 'node:http';
import { once } from 'node:events';
import Provider from 'oidc-provider';

/** One client for each way in which a client may prove who it is. */
export const CLIENTS = {
  body: { id: 'gate-body', secret: 'CANARY-client-secret-body-93b1c7e4a6f2' },
  basic: { id: 'gate-basic', secret: 'CANARY-client-secret-basic-5d08f3ab91c6' },
};
const AUTH = { body: 'client_secret_post', basic: 'client_secret_basic' };
export const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';

/**
 * Starts it in front of an upstream. `redirects` are the addresses that clients may be sent back to.
 *
 * The browser's half is at `localhost`, the gateway in these specs at `127.0.0.1`: two sites, as vendors and gateways
 * are, so that cookies have to survive the way back.
 */
export async function startOauth(upstream, redirects) {
  /** What happens in front of the server; specs change it. */
  const front = { alter: null, slowDowns: 0, codeLife: 600 };
  /** Every question to the token endpoint with what came of it. */
  const asked = [];
  /** The token of every call of the API, and whether it was good. */
  const calls = [];
  let provider;

  const server = createServer((request, response) => {
    const path = new URL(request.url, 'http://any').pathname;
    const part = path.startsWith('/v1/') ? api : path === '/token' ? token : pages;
    part(request, response).catch((error) => response.writeHead(500).end(String(error)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  const [browser, inner] = [`http://localhost:${port}`, `http://127.0.0.1:${port}`];

  async function pages(request, response) {
    if (request.url === '/favicon.ico') response.writeHead(204).end();
    else await provider.callback()(request, response);
  }

  async function token(request, response) {
    const form = new URLSearchParams(await textOf(request));
    const entry = { grant: form.get('grant_type'), form: Object.fromEntries(form), at: Date.now(), answer: null, error: null };
    asked.push(entry);
    if (entry.grant === DEVICE && front.slowDowns > 0) {
      front.slowDowns -= 1;
      entry.error = 'slow_down';
      json(response, 400, { error: 'slow_down' });
      return;
    }
    front.alter?.(form);
    request.body = form.toString();
    request.entry = entry;
    await provider.callback()(request, response);
  }

  async function api(request, response) {
    const body = await textOf(request);
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    const good = Boolean(bearer && await provider.AccessToken.find(bearer));
    calls.push({ token: bearer, good, path: request.url });
    if (!good) {
      json(response, 401, { type: 'error', error: { type: 'authentication_error', message: 'OAuth token is not valid' } });
      return;
    }
    const headers = { 'content-type': 'application/json' };
    const init = request.method === 'POST' ? { method: 'POST', headers, body } : {};
    const answer = await fetch(`${upstream}${request.url}`, init);
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') });
    response.end(Buffer.from(await answer.arrayBuffer()));
  }

  provider = new Provider(browser, {
    clients: Object.entries(CLIENTS).map(([way, { id, secret }]) => ({
      client_id: id,
      client_secret: secret,
      token_endpoint_auth_method: AUTH[way],
      grant_types: ['authorization_code', 'refresh_token', DEVICE],
      response_types: ['code'],
      redirect_uris: redirects,
    })),
    claims: { openid: ['sub'], email: ['email'] },
    conformIdTokenClaims: false,
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, email: emailOf(sub) }) }),
    cookies: { keys: ['a key for the cookies of a server that lives for one spec'] },
    features: { devInteractions: { enabled: true }, deviceFlow: { enabled: true } },
    pkce: { required: () => true },
    issueRefreshToken: () => true,
    expiresWithSession: () => false,
    rotateRefreshToken: true,
    ttl: {
      AccessToken: 3_600,
      AuthorizationCode: 60,
      DeviceCode: () => front.codeLife,
      Grant: 86_400,
      IdToken: 3_600,
      Interaction: 600,
      RefreshToken: 86_400,
      Session: 86_400,
    },
  });
  provider.use(async (ctx, next) => {
    await next();
    // Its pages would fetch a font from elsewhere.
    if (typeof ctx.body === 'string') ctx.body = ctx.body.replace(/@import[^;]*;/g, '');
    // Seconds between two questions: without it the standard's five.
    if (ctx.body?.device_code) ctx.body.interval = 1;
  });
  provider.on('grant.success', (ctx) => { ctx.req.entry.answer = { ...ctx.body }; });
  provider.on('grant.error', (ctx, error) => { if (ctx.req.entry) ctx.req.entry.error = error.error; });

  /** Asks the token endpoint past the gateway, as whoever has got hold of something would. */
  const steal = async (way, form) => {
    const { id, secret } = CLIENTS[way];
    const headers = way === 'basic' ? { authorization: `Basic ${btoa(`${id}:${secret}`)}` } : {};
    const own = way === 'body' ? { client_id: id, client_secret: secret } : {};
    const answer = await fetch(`${inner}/token`, { method: 'POST', headers, body: new URLSearchParams({ ...form, ...own }) });
    asked.pop();
    return { status: answer.status, ...await answer.json() };
  };

  /** The descriptor of this vendor for one of its clients. */
  const descriptor = (way, more = {}) => ({
    label: 'Vendor of the spec',
    terms: 'allowed',
    terms_note: 'It is ours.',
    grants: ['authorization_code', 'device_code'],
    authorize_url: `${browser}/auth`,
    token_url: `${inner}/token`,
    device_url: `${inner}/device/auth`,
    scopes: ['openid', 'email'],
    client_auth: way,
    // Asked each time, so that every sign-in is a grant of its own.
    authorize_params: { prompt: 'login consent' },
    ...more,
  });

  const of = (grant) => asked.filter((entry) => entry.grant === grant);
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  };
  return { api: inner, front, asked, of, calls, steal, descriptor, stop };
}

/** The address that the server tells of an account. */
export const emailOf = (login) => `${login}@vendor.example`;

/** Signs in at the server's page and says yes to what the gateway asks for. */
export async function consent(page, login) {
  await page.locator('input[name=login]').fill(login);
  await page.locator('input[name=password]').fill('any');
  await page.locator('button.login-submit').click();
  await page.locator('input[name=prompt][value=consent]').waitFor({ state: 'attached' });
  await page.locator('button.login-submit').click();
}

/** Takes the page of a device code to its end, in a browser of its own. */
export async function typeIn(browser, address, { login, deny = false }) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(address);
    if (deny) {
      const told = page.waitForResponse((answer) => answer.request().method() === 'POST');
      await page.locator('button[name=abort]').click();
      await told;
      return;
    }
    await page.locator('button[form="op.deviceConfirmForm"][autofocus]').click();
    await consent(page, login);
    await page.getByText('Sign-in Success').first().waitFor();
  } finally {
    await context.close();
  }
}

async function textOf(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

function json(response, status, value) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
