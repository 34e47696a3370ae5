// The test that all tests here are: a page that fails its test by any error, by any request that fails or goes elsewhere, and by a
// token where none belongs.
import { test as base, expect, type Page } from '@playwright/test';
import { up, type Stack } from './stack.ts';

export { expect };

const FAILED = /^Failed to load resource: (?:the server responded with a status of (?<status>\d+)|net::)/;

type Guarded = { page: Page; wrong: string[]; bearer: string; stack?: Stack };
type Guard = {
  /** Statuses of 400 and above that this test expects; `net` where the server goes away. */
  expected: Set<number | 'net'>;
  guarded: Guarded[];
  /** Puts another page under the same guard. */
  guard: (page: Page, origin?: string, bearer?: string) => Promise<void>;
  /** A server that only this test has, and a page of it. */
  own: (...args: string[]) => Promise<{ stack: Stack; page: Page }>;
};

export const test = base.extend<Guard, { stack: Stack }>({
  // A server for all tests of a worker: each has owners of its own.
  stack: [
    async ({}, use) => {
      const stack = await up();
      await use(stack);
      await stack.stop();
    },
    { scope: 'worker' },
  ],
  expected: async ({}, use) => use(new Set()),
  guarded: async ({}, use) => {
    const guarded: Guarded[] = [];
    await use(guarded);
    for (const { page, wrong, bearer, stack } of guarded) {
      await expectNoToken(page, bearer);
      // Before the server goes away, which the page would tell.
      if (stack) await page.close();
      expect.soft(wrong).toEqual([]);
      await stack?.stop();
    }
  },
  guard: async ({ stack, expected, guarded }, use) => {
    await use(async (page, origin = stack.url, bearer = stack.bearer) => {
      guarded.push({ page, wrong: watch(page, origin, expected), bearer });
      await page.addInitScript(tellViolations);
    });
  },
  own: async ({ browser, expected, guarded }, use) => {
    await use(async (...args) => {
      const stack = await up(...args);
      const page = await browser.newPage();
      guarded.push({ page, wrong: watch(page, stack.url, expected), bearer: stack.bearer, stack });
      await page.addInitScript(tellViolations);
      return { stack, page };
    });
  },
  page: async ({ page, guard }, use) => {
    await guard(page);
    await use(page);
  },
});

/** Everything on `page` that nobody expected, as it comes. */
function watch(page: Page, origin: string, expected: Guard['expected']): string[] {
  const wrong: string[] = [];
  page.on('console', (message) => {
    const failed = FAILED.exec(message.text());
    const known = failed !== null && expected.has(failed.groups!.status === undefined ? 'net' : Number(failed.groups!.status));
    if (['error', 'warning'].includes(message.type()) && !known) wrong.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => wrong.push(`thrown: ${error.stack ?? error.message}`));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.origin !== origin && url.protocol !== 'data:') wrong.push(`a request elsewhere: ${url}`);
  });
  page.on('requestfailed', (request) => {
    // The page itself, or its going away, ends what it no longer needs.
    const failure = request.failure()?.errorText;
    if (failure !== 'net::ERR_ABORTED' && !expected.has('net')) wrong.push(`${request.method()} ${request.url()}: ${failure}`);
  });
  page.on('response', (response) => {
    const status = response.status();
    if (status >= 400 && !expected.has(status)) wrong.push(`${response.request().method()} ${response.url()}: ${status}`);
  });
  return wrong;
}

/** Runs in the page: what its policy forbids is an error on its console. */
function tellViolations() {
  document.addEventListener('securitypolicyviolation', (event) => {
    console.error(`policy violated: ${event.violatedDirective} by ${event.blockedURI}`);
  });
}

/** The token is in none of the places that outlive the tab or that others may see. */
export async function expectNoToken(page: Page, bearer: string) {
  if (page.isClosed() || !page.url().startsWith('http')) return;
  const places = await page.evaluate(() => ({
    document: document.documentElement.outerHTML,
    fields: [...document.querySelectorAll<HTMLInputElement>('input, textarea')].map((field) => field.value).join('\n'),
    'local storage': JSON.stringify({ ...localStorage }),
    cookies: document.cookie,
    address: location.href,
    history: JSON.stringify(history.state),
  }));
  for (const [place, text] of Object.entries(places)) {
    expect.soft(text.includes(bearer), `a token in the ${place}`).toBe(false);
  }
}
