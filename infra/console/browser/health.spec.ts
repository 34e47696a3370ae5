// The audit at its button, and the queues with what could not be handled. On a server of each test's own, since they break things.
import { expect, test } from './guarded.ts';
import { faultsOf, withAxe } from './look.ts';
import { enter, view } from './view.ts';

/** A message is tried again at once, so that it is given up within a second. */
const BREAKABLE = ['--no-seed', '--visibility-timeout', '50ms'];

test('the audit finds nothing, and then what was tampered with', async ({ own }) => {
  const { stack, page } = await own(...BREAKABLE);
  await withAxe(page);
  const id = await stack.open('helga', '10.00');
  await expect.poll(async () => (await stack.wallet(id)).version).toBe(2);
  await enter(page, stack, 'helga');
  await view(page, 'Health');
  await page.getByRole('button', { name: 'Run the audit' }).click();
  await expect(page.getByText('Everything adds up.')).toBeVisible();
  await expect(page.getByText('1 wallet, 3 rows and 3 transactions')).toBeVisible();
  await expect(page.getByRole('table', { name: 'Money by account' })).toContainText('10.10');

  const { Item: wallet } = await stack.dynamodb('GetItem', { Key: { PK: { S: `WALLET#${id}` }, SK: { S: 'WALLET' } } });
  await stack.dynamodb('PutItem', { Item: { ...wallet, balance: { N: '1000000' } } });
  await page.getByRole('button', { name: 'Audit again' }).click();
  const findings = page.getByRole('table', { name: 'Findings' });
  await expect(findings).toContainText('wallet');
  await expect(findings).toContainText('The wallet does not say what its newest row says.');
  await expect(findings).toContainText('compare with a backup');
  await expect(findings.getByRole('link').first()).toHaveAttribute('title', id);
  expect(await faultsOf(page, 'health-findings-light')).toEqual([]);
  await stack.dynamodb('PutItem', { Item: wallet });
  await page.getByRole('button', { name: 'Audit again' }).click();
  await expect(page.getByText('Everything adds up.')).toBeVisible();
});

test('a dead letter is shown with why, and driven back once its cause is mended', async ({ own }) => {
  const { stack, page } = await own(...BREAKABLE);
  await withAxe(page);
  const id = await stack.open('dead');
  const deposit = await stack.api(`/v1/wallets/${id}/deposits`, { amount: '10.00', currency: 'EUR' });
  await expect.poll(async () => (await stack.wallet(id)).version).toBe(2);
  await enter(page, stack, 'dead');
  await view(page, 'Health');
  const queues = page.getByRole('table', { name: 'Queues' });
  for (const queue of ['rebate', 'settle', 'requests', 'publish']) await expect(queues).toContainText(queue);
  await expect(page.getByText('Nothing was given up.')).toBeVisible();

  // The deposit comes anew, and cannot be read: its rebate is tried five times, and given up.
  const key = { PK: { S: `TXN#${deposit.id}` }, SK: { S: 'TXN' } };
  const { Item: right } = await stack.dynamodb('GetItem', { Key: key });
  await stack.dynamodb('DeleteItem', { Key: key });
  await stack.dynamodb('PutItem', { Item: { ...right, created_at: { S: 'once' } } });
  const dead = page.getByRole('table', { name: 'Dead letters of rebate' }).getByRole('row').nth(1);
  await expect(dead).toContainText(`TXN#${deposit.id} / TXN: attribute "created_at" is missing or not readable`);
  await expect(queues.getByRole('row').filter({ hasText: 'rebates of deposits' })).toContainText('1');
  expect(await faultsOf(page, 'health-dead-letters-light')).toEqual([]);
  await page.setViewportSize({ width: 360, height: 740 });
  expect(await faultsOf(page, 'health-dead-letters-narrow')).toEqual([]);
  await page.setViewportSize({ width: 1280, height: 900 });
  // Not mended: it comes back.
  await dead.getByRole('button', { name: /^Drive back/ }).click();
  await expect(page.getByText('Nothing was given up.')).toBeVisible();
  await expect(dead).toContainText('5');
  await stack.dynamodb('PutItem', { Item: right });
  await page.getByRole('button', { name: 'Drive all back' }).click();
  await expect(page.getByText('Nothing was given up.')).toBeVisible();
  await expect.poll(async () => (await stack.api('/_local/queues')).queues).toContainEqual({ queue: 'rebate', waiting: 0, oldest_ms: null, dead_letters: 0 });
  // It was paid before: driven back it is paid no second time.
  expect((await stack.wallet(id)).balance).toBe('10.10');
});
