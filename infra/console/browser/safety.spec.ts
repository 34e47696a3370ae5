// What a page elsewhere, a stranger or a text in the ledger could do to the console, and doesn't.
import { expect, test } from './guarded.ts';
import { raw } from './stack.ts';

const ROUTES = ['/console', '/console/main.js', '/v1/wallets', '/_local', '/_local/queues', '/docs', '/openapi.json'];

test('a name that was made to lead here gets nothing', async ({ stack }) => {
  const authorization = `Bearer ${stack.bearer}`;
  for (const route of ROUTES) {
    for (const host of ['evil.example', 'evil.example:9000', '127.0.0.1.evil.example', '169.254.169.254']) {
      const answer = await raw(stack.url + route, { host, authorization });
      expect(answer.statusCode, `${route} for ${host}`).toBe(421);
      expect(answer.text).not.toContain('wal_');
    }
    const host = new URL(stack.url).host;
    expect((await raw(stack.url + route, { host, authorization })).statusCode, route).toBeLessThan(400);
  }
});

test('a page elsewhere gets nothing, even with a token', async ({ stack }) => {
  const authorization = `Bearer ${stack.bearer}`;
  for (const route of ROUTES) {
    for (const origin of ['https://evil.example', 'http://evil.example', 'null', 'http://127.0.0.1.evil.example']) {
      const answer = await raw(stack.url + route, { origin, authorization });
      expect(answer.statusCode, `${route} from ${origin}`).toBe(403);
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    }
    expect((await raw(stack.url + route, { origin: stack.url, authorization })).statusCode, route).toBeLessThan(400);
  }
});

test('nothing that is served holds a token, and all of it has the strict policy', async ({ page, stack }) => {
  const files: string[] = [];
  page.on('response', (response) => files.push(response.url()));
  await page.goto(stack.address('nobody'));
  await expect(page.getByRole('navigation').first()).toBeVisible();
  const own = [...new Set(files.filter((url) => new URL(url).pathname.startsWith('/console')))];
  expect(own.length).toBeGreaterThan(3);
  for (const url of own) {
    const answer = await raw(url, { host: new URL(url).host });
    expect(answer.statusCode, url).toBe(200);
    const policy = answer.headers['content-security-policy'] ?? '';
    for (const rule of ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]) {
      expect(policy, url).toContain(rule);
    }
    expect(policy, url).not.toMatch(/unsafe-|https?:|\*/);
    expect(answer.headers['x-content-type-options'], url).toBe('nosniff');
    expect(answer.headers['referrer-policy'], url).toBe('no-referrer');
    expect(answer.text, url).not.toMatch(/eyJ[A-Za-z0-9_-]{10,}\./);
    expect(answer.text, url).not.toMatch(/(src|href)=["']?(https?:)?\/\//);
  }
});

test('the policy stops what it must', async ({ browser, stack }) => {
  // A page of its own: here errors are what is wanted.
  const page = await browser.newPage();
  await page.goto(stack.url + '/console');
  const violated = page.evaluate(() => new Promise<string[]>((resolve) => {
    const directives: string[] = [];
    document.addEventListener('securitypolicyviolation', (event) => {
      directives.push(event.effectiveDirective);
      if (directives.length === 3) resolve(directives.sort());
    });
    const script = document.createElement('script');
    script.textContent = 'window.owned = true';
    document.body.append(script);
    const image = document.createElement('img');
    image.src = 'http://127.0.0.1:1/pixel.png';
    document.body.append(image);
    fetch('http://127.0.0.1:1/').catch(() => {});
  }));
  expect(await violated).toEqual(['connect-src', 'img-src', 'script-src-elem']);
  expect(await page.evaluate(() => 'owned' in window)).toBe(false);
  await page.close();
});
