// Wallets as they change, and one wallet in all its parts: statement, plot, attempts, holds, chain, and as it was.
import { expect, test } from './guarded.ts';
import { faultsOf, withAxe } from './look.ts';
import { enter, figure, openWallet, part, view } from './view.ts';

test('balances change on the screen as money moves', async ({ page, stack }) => {
  const [from, to] = [await stack.open('lina', '100.00'), await stack.open('lars')];
  await expect.poll(async () => (await stack.wallet(from)).balance).toBe('101.00');
  await enter(page, stack, 'lina', 'lars');
  const row = (id: string) => page.getByRole('row').filter({ has: page.locator(`a[href="#/wallets/${id}"]`) });
  await expect(row(from)).toContainText('101.00 EUR');
  await stack.api('/v1/transfers', { source: from, destination: to, amount: '30.00', currency: 'EUR' });
  await expect(row(from)).toContainText('71.00 EUR');
  await expect(row(to)).toContainText('30.00 EUR');
  await expect(page.getByRole('region', { name: 'Moving now' })).toContainText('30.00 EUR');
  await stack.api('/v1/holds', { source: from, destination: to, amount: '11.00', currency: 'EUR' });
  await expect(row(from)).toContainText('11.00');

  // One that is opened elsewhere comes by itself once money moves in it; its owner was unknown until then.
  await stack.open('linus', '5.00');
  await expect(page.getByRole('navigation', { name: 'Owners' }).getByRole('link', { name: 'linus' })).toBeVisible();
  await page.getByRole('navigation', { name: 'Owners' }).getByRole('link', { name: 'linus' }).click();
  await expect(page.getByRole('table', { name: 'Wallets of linus' })).toContainText('5.05 EUR');
});

test('any owner, wallet or movement is looked up by its name', async ({ page, stack, expected }) => {
  expected.add(404);
  const wallet = await stack.open('odd owner / ?&#=', '1.00');
  await enter(page, stack, 'nobody');
  await expect(page.getByText('No wallet is known here yet.')).toBeVisible();
  const search = page.getByRole('search').getByRole('textbox');
  await search.fill('odd owner / ?&#=');
  await search.press('Enter');
  await expect(page.getByRole('table', { name: 'Wallets of odd owner' })).toContainText('EUR');
  await search.fill('who is that');
  await search.press('Enter');
  await expect(page.getByText('has no wallet yet.')).toBeVisible();
  await search.fill(wallet);
  await search.press('Enter');
  await expect(page.getByText(wallet, { exact: true })).toBeVisible();
  await view(page, 'Wallets');
  await search.fill(`wal_${'0'.repeat(32)}`);
  await search.press('Enter');
  await expect(page.getByRole('alert', { name: 'Refused' })).toContainText('wallet_not_found');
});

test('a wallet with its statement, plot, attempts and holds', async ({ page, stack }) => {
  const [id, shop] = [await stack.open('wanda', '100.00'), await stack.open('shopper')];
  await expect.poll(async () => (await stack.wallet(id)).balance).toBe('101.00');
  await stack.api('/v1/transfers', { source: id, destination: shop, amount: '1.00', currency: 'EUR', reference: 'first' });
  await stack.ask(`/v1/wallets/${id}/withdrawals`, { amount: '5000', currency: 'EUR', reference: 'too much' });
  await stack.api('/v1/holds', { source: id, destination: shop, amount: '8.00', currency: 'EUR', reference: 'room 12' });
  await enter(page, stack, 'wanda', 'shopper');
  await openWallet(page, id);
  await expect(figure(page, 'Balance')).toHaveText('100.00 EUR');
  await expect(figure(page, 'Held')).toHaveText('8.00');
  await expect(figure(page, 'Available')).toHaveText('92.00');
  await expect(page.getByRole('img', { name: /Balance over time.* now 100.00 EUR/ }).locator('canvas')).toBeVisible();

  const rows = page.getByRole('table', { name: 'Statement, newest first' }).getByRole('row');
  await expect(rows).toHaveCount(6);
  await expect(rows.nth(1)).toContainText('room 12');
  await expect(rows.nth(2)).toContainText('first');
  await expect(rows.nth(2)).toContainText('\u22121.00');
  await expect(rows.nth(3)).toContainText('+1.00');
  await expect(rows.nth(4)).toContainText('to wanda');
  await stack.api(`/v1/wallets/${id}/withdrawals`, { amount: '50', currency: 'EUR' });
  await expect(rows).toHaveCount(7);
  await expect(figure(page, 'Balance')).toHaveText('50.00 EUR');

  await expect(await part(page, 'Refused attempts')).toContainText('insufficient_funds');
  await expect(await part(page, 'Refused attempts')).toContainText('5,000.00 EUR');
  await expect(await part(page, 'Holds')).toContainText('room 12');
  await expect(await part(page, 'Holds')).toContainText('8.00 EUR');
});

test('the wallet as it was, by the slider', async ({ page, stack }) => {
  const id = await stack.open('petra');
  const pause = () => new Promise((done) => setTimeout(done, 400));
  for (const amount of ['10.00', '20.00', '30.00']) {
    await pause();
    await stack.api(`/v1/wallets/${id}/deposits`, { amount, currency: 'EUR' });
  }
  await pause();
  await expect.poll(async () => (await stack.wallet(id)).version).toBe(6);
  await enter(page, stack, 'petra');
  await openWallet(page, id);
  const past = await part(page, 'As it was');
  await expect(past).toContainText('60.60 EUR');
  const slider = past.getByRole('slider');
  await slider.press('Home');
  await expect(past).toContainText('0.00 EUR');
  await slider.press('End');
  await expect(past).toContainText('60.60 EUR');
  await past.getByRole('button', { name: /Just before version/ }).click();
  await expect(past).not.toContainText('60.60 EUR');
  // Whatever the slider stops at is what the API says of that moment.
  const box = (await slider.boundingBox())!;
  const seen = new Set<string>();
  for (const share of [0.1, 0.35, 0.55, 0.75, 0.95]) {
    await page.mouse.click(box.x + box.width * share, box.y + box.height / 2);
    const [answered] = await Promise.all([page.waitForResponse((response) => response.url().includes('?at='))]);
    const then = await answered.json();
    await expect(past).toContainText(`${then.balance} EUR`);
    seen.add(then.balance);
  }
  expect(seen.size).toBeGreaterThanOrEqual(3);
  await past.getByLabel('Exactly at').fill('yesterday');
  await past.getByRole('button', { name: 'Show' }).click();
  await expect(past).toContainText('Write a time as');
  await past.getByLabel('Exactly at').fill('2001-01-01T00:00:00Z');
  await past.getByRole('button', { name: 'Show' }).click();
  await expect(past).toContainText('take a later time');
});

test('credits of a batched wallet come in, are settled, and are shown', async ({ page, stack }) => {
  const id = await stack.open('batch', undefined, { credits: 'batched' });
  await enter(page, stack, 'batch');
  await openWallet(page, id);
  await expect(page.getByText('batched credits')).toBeVisible();
  for (let index = 0; index < 5; index++) await stack.api(`/v1/wallets/${id}/deposits`, { amount: '1.00', currency: 'EUR' });
  await expect(figure(page, 'Balance')).toHaveText('5.05 EUR');
  await expect(page.getByRole('table', { name: 'Statement, newest first' }).getByRole('row')).toHaveCount(1 + 11);
});

test('an unbroken chain is verified, and a row that was tampered with is marked', async ({ page, stack }) => {
  await withAxe(page);
  const id = await stack.open('chain');
  for (const amount of ['1.00', '2.00', '3.00']) await stack.api(`/v1/wallets/${id}/deposits`, { amount, currency: 'EUR' });
  await expect.poll(async () => (await stack.wallet(id)).version).toBe(6);
  await enter(page, stack, 'chain');
  await openWallet(page, id);
  await page.getByRole('button', { name: 'Verify the whole chain' }).click();
  await expect(page.getByText('The chain holds.')).toBeVisible();
  await expect(page.getByText('7 rows of 7')).toBeVisible();
  await expect(page.getByText('✗ broken')).toHaveCount(0);

  const key = { PK: { S: `WALLET#${id}` }, SK: { S: 'ENTRY#0000000000000004' } };
  const { Item: right } = await stack.dynamodb('GetItem', { Key: key });
  await stack.dynamodb('PutItem', { Item: { ...right, previous_hash: { B: Buffer.alloc(32, 7).toString('base64') } } });
  await page.getByRole('button', { name: 'Verify the whole chain' }).click();
  const verdict = page.getByRole('alert').filter({ hasText: 'The chain is broken' });
  await expect(verdict).toContainText('in one place');
  await expect(verdict).toContainText('Version 4');
  await view(page, 'Wallets');
  await openWallet(page, id);
  await expect(page.getByRole('row').filter({ hasText: '✗ broken' })).toHaveCount(1);
  await page.getByRole('button', { name: 'Verify the whole chain' }).click();
  await expect(verdict).toContainText('Version 4');
  expect(await faultsOf(page, 'wallet-broken-light')).toEqual([]);
  await page.emulateMedia({ colorScheme: 'dark' });
  expect(await faultsOf(page, 'wallet-broken-dark')).toEqual([]);

  // A row that is gone is seen too.
  await stack.dynamodb('PutItem', { Item: right });
  await stack.dynamodb('DeleteItem', { Key: key });
  await page.getByRole('button', { name: 'Verify the whole chain' }).click();
  await expect(verdict).toContainText('Version 5 follows version 3');
  await stack.dynamodb('PutItem', { Item: right });
  await page.getByRole('button', { name: 'Verify the whole chain' }).click();
  await expect(page.getByText('The chain holds.')).toBeVisible();
});
