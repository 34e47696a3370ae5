// Where the token is, and where it isn't: pasted, kept in its tab, gone from the address; here and for a deployment.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, expectNoToken, test } from './guarded.ts';
import { raw, serve, token, up } from './stack.ts';
import { answer, enter, form, openWallet, problem, view } from './view.ts';

test('the token leaves the address at once, and stays in its tab alone', async ({ page, stack, context, guard }) => {
  await page.goto(stack.console);
  await expect(page.getByRole('table')).toContainText('alice');
  expect(page.url()).toBe(`${stack.url}/console`);
  await expectNoToken(page, stack.bearer);
  await page.reload();
  await expect(page.getByRole('table')).toContainText('alice');
  await page.goBack().catch(() => null);
  expect(page.url()).not.toContain(stack.bearer);
  await page.goForward().catch(() => null);

  const other = await context.newPage();
  await guard(other);
  await other.goto(`${stack.url}/console`);
  await expect(other.getByRole('heading', { name: 'Look into the ledger' })).toBeVisible();
  await other.close();

  await page.goto(`${stack.url}/console`);
  await page.getByRole('button', { name: 'Leave' }).click();
  await expect(page.getByRole('heading', { name: 'Look into the ledger' })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Look into the ledger' })).toBeVisible();
  expect(await page.evaluate(() => JSON.stringify({ ...sessionStorage }))).not.toContain(stack.bearer);
});

test('a token is pasted; one that is no good is said to be', async ({ page, stack, expected }) => {
  expected.add(401);
  await page.goto(`${stack.url}/console`);
  const field = page.getByLabel('Token, or the whole console address');
  await page.getByRole('button', { name: 'Open the console' }).click();
  await expect(page.getByText('Paste a token, or the whole console address.')).toBeVisible();
  await field.fill('two words');
  await field.press('Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByText('A token has no blanks')).toBeVisible();
  await field.fill('eyJhbGciOiJIUzI1NiJ9.e30.wrong');
  await page.getByRole('button', { name: 'Open the console' }).click();
  await expect(page.getByRole('heading', { name: 'The token is not accepted' })).toBeVisible();
  await field.fill(stack.console);
  await page.getByRole('button', { name: 'Go on with this token' }).click();
  await expect(page.getByRole('table')).toContainText('alice');
});

test('a token that may only read is told what it may not', async ({ page, stack, expected, guard }) => {
  expected.add(403);
  const bearer = token('reader', 'wallets:read');
  await guard(page, stack.url, bearer);
  const id = await stack.open('reader', '5.00');
  await page.goto(`${stack.url}/console#token=${bearer}`);
  await page.getByRole('search').getByRole('textbox').fill('reader');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('table')).toContainText('5.05 EUR');
  const withdraw = await form(page, 'Withdraw');
  await withdraw.getByLabel('From').selectOption(id);
  await withdraw.getByLabel('Amount').fill('1');
  await withdraw.getByRole('button', { name: 'Withdraw' }).click();
  await expect(problem(page)).toContainText('missing_scope');
  await view(page, 'Contention');
  await expect(page.getByText(/is needed for this experiment/)).toBeVisible();
});

test('a server that goes away is told of, and found again when it is back', async ({ own, expected }) => {
  expected.add('net');
  const data = join(await mkdtemp(join(tmpdir(), 'console-')), 'ledger.db');
  const { stack, page } = await own('--no-seed', '--data', data);
  const id = await stack.open('lost', '1.00');
  await enter(page, stack, 'lost');
  const row = page.getByRole('row').filter({ has: page.locator(`a[href="#/wallets/${id}"]`) });
  await expect(row).toContainText('1.01 EUR');
  await stack.stop();
  await expect(page.getByRole('banner').getByRole('status')).toHaveText('connection lost');
  await expect(page.getByText('The connection to the server is lost')).toBeVisible();
  const again = await up('--no-seed', '--data', data, '--port', new URL(stack.url).port);
  try {
    await again.api(`/v1/wallets/${id}/deposits`, { amount: '2.00', currency: 'EUR' });
    await expect(row).toContainText('3.03 EUR', { timeout: 30_000 });
    await expect(page.getByRole('banner').getByRole('status')).toHaveText('live');
    await expect(page.getByText('The connection to the server is lost')).toHaveCount(0);
  } finally {
    await again.stop();
    await rm(dirname(data), { recursive: true });
  }
});

test('the same page for a deployment, with a token that was pasted', async ({ browser, context, guard, expected, stack }) => {
  // What only the local stack has is absent there.
  expected.add(404);
  const { said, stop } = await serve(['console', '--url', stack.url, '--port', '0'], ['console']);
  try {
    const url = said.console!;
    expect(url).not.toContain('token');
    const page = await context.newPage();
    await guard(page, new URL(url).origin);
    await page.goto(url);
    await page.getByLabel('Token, or the whole console address').fill(stack.bearer);
    await page.getByRole('button', { name: 'Open the console' }).click();
    await expect(page.getByRole('heading', { level: 1, name: 'Wallets' })).toBeVisible();
    const id = await stack.open('remote', '7.00');
    const search = page.getByRole('search').getByRole('textbox');
    await search.fill('remote');
    await search.press('Enter');
    await expect(page.getByRole('table')).toContainText('EUR');
    await openWallet(page, id);
    await expect(page.getByRole('table', { name: 'Statement' })).toContainText('7.00');
    await page.reload();
    await expect(page.getByRole('table', { name: 'Statement' })).toContainText('7.00');
    await view(page, 'Health');
    await expect(page.getByText('Not here: the audit and the queues.')).toBeVisible();
    const deposit = await form(page, 'Deposit');
    await deposit.getByLabel('Into').selectOption(id);
    await deposit.getByLabel('Amount').fill('1');
    await deposit.getByRole('button', { name: 'Deposit' }).click();
    await expect(answer(page)).toContainText('201');
    // A page elsewhere, or a name that was made to lead here, reaches no deployment through it.
    const authorization = `Bearer ${stack.bearer}`;
    for (const path of ['/console', '/v1/wallets']) {
      expect((await raw(new URL(path, url).href, { host: 'evil.example', authorization })).statusCode, path).toBe(421);
      expect((await raw(new URL(path, url).href, { origin: 'https://evil.example', authorization })).statusCode, path).toBe(403);
    }
    const other = await browser.newPage();
    await guard(other, new URL(url).origin);
    await other.goto(url);
    await expect(other.getByRole('heading', { name: 'Look into the ledger' })).toBeVisible();
    await other.close();
    await page.close();
  } finally {
    await stop();
  }
});

test('a server without a demo opens with nothing, and says what to do', async ({ own }) => {
  const { stack, page } = await own('--no-seed');
  await page.goto(stack.console);
  await expect(page.getByText('No wallet is known here yet.')).toBeVisible();
  await page.getByRole('main').getByRole('link', { name: 'Open a wallet' }).first().click();
  await page.getByRole('form', { name: 'Open a wallet' }).getByRole('button', { name: 'Open' }).click();
  await page.getByRole('link', { name: 'Look at it' }).click();
  await expect(page.getByText('Only its opening so far.')).toBeVisible();
});
