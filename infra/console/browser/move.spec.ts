// Each way to move money, by clicks and keys: what is posted, what is refused, and the same again.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from './guarded.ts';
import { answer, enter, form, problem } from './view.ts';

const run = promisify(execFile);

test('a deposit, and the same again, which moves nothing', async ({ page, stack }) => {
  const wallet = await stack.open('dora');
  await enter(page, stack, 'dora');
  const deposit = await form(page, 'Deposit');
  await deposit.getByLabel('Into').selectOption(wallet);
  await deposit.getByLabel('Amount').fill('12.5');
  await deposit.getByLabel('Reference').fill('order 1');
  await deposit.getByRole('button', { name: 'Deposit' }).click();
  await expect(answer(page)).toContainText('201');
  await expect(answer(page)).toContainText('12.50 EUR');
  await expect(answer(page)).toContainText('order 1');
  // A hundredth comes back.
  await expect.poll(async () => (await stack.wallet(wallet)).balance).toBe('12.62');

  await answer(page).getByRole('button', { name: 'Send the same again' }).click();
  await expect(answer(page)).toContainText('200');
  await expect(answer(page)).toContainText('replayed: nothing has moved now');
  await expect(answer(page)).toContainText('sent 2 times with the same key');
  expect((await stack.wallet(wallet)).balance).toBe('12.62');
});

test('a withdrawal', async ({ page, stack }) => {
  const wallet = await stack.open('wilma', '50.00');
  await enter(page, stack, 'wilma');
  const withdraw = await form(page, 'Withdraw');
  await withdraw.getByLabel('From').selectOption(wallet);
  await withdraw.getByLabel('Amount').fill('20');
  await withdraw.getByRole('button', { name: 'Withdraw' }).click();
  await expect(answer(page)).toContainText('201');
  await expect.poll(async () => (await stack.wallet(wallet)).balance).toBe('30.50');
});

test('money sent, and taken back', async ({ page, stack }) => {
  const [from, to] = [await stack.open('sven', '50.00'), await stack.open('tina')];
  await enter(page, stack, 'sven', 'tina');
  const send = await form(page, 'Send');
  await send.getByLabel('From').selectOption(from);
  await send.getByLabel('To').selectOption(to);
  await send.getByLabel('Amount').fill('7.77');
  await send.getByRole('button', { name: 'Send' }).click();
  await expect(answer(page)).toContainText('201');
  expect((await stack.wallet(to)).balance).toBe('7.77');

  await answer(page).getByRole('link', { name: 'Undo it' }).click();
  await page.getByRole('button', { name: 'Undo it' }).click();
  await expect(answer(page)).toContainText('reversal');
  expect((await stack.wallet(to)).balance).toBe('0.00');
});

test('many paid at once, and all refused with the first that is', async ({ page, stack, expected }) => {
  const payer = await stack.open('paula', '100.00');
  const payees = [await stack.open('ines'), await stack.open('jon'), await stack.open('kim')];
  await enter(page, stack, 'paula', 'ines', 'jon', 'kim');
  const pay = await form(page, 'Pay many');
  await pay.getByLabel('From').selectOption(payer);
  await pay.getByRole('button', { name: 'Add a payee' }).click();
  for (const [index, payee] of payees.entries()) {
    const payment = pay.getByRole('group', { name: `Payment ${index + 1}` });
    await payment.getByLabel(`Payee ${index + 1}`).selectOption(payee);
    await payment.getByLabel('Amount').fill(`${index + 1}.50`);
  }
  await expect(pay).toContainText('in all 7.50 EUR');
  await pay.getByRole('button', { name: 'Pay', exact: true }).click();
  await expect(answer(page)).toContainText('201');
  expect((await stack.wallet(payees[2]!)).balance).toBe('3.50');

  expected.add(422).add(404);
  await pay.getByRole('group', { name: 'Payment 2' }).getByLabel('Amount').fill('1,5');
  await expect(pay).toContainText('one of the amounts is no decimal');
  await pay.getByRole('button', { name: 'Pay', exact: true }).click();
  await expect(problem(page)).toContainText('invalid_amount');
  await pay.getByRole('group', { name: 'Payment 2' }).getByLabel('Amount').fill('1000');
  await pay.getByRole('button', { name: 'Pay', exact: true }).click();
  await expect(problem(page)).toContainText('insufficient_funds');
  await pay.getByRole('group', { name: 'Payment 2' }).getByLabel('Amount').fill('1');
  await pay.getByRole('group', { name: 'Payment 2' }).getByLabel('Payee 2').selectOption(payees[0]!);
  await pay.getByRole('button', { name: 'Pay', exact: true }).click();
  await expect(problem(page)).toContainText('duplicate_destination');
  await pay.getByRole('group', { name: 'Payment 2' }).getByLabel('Payee 2').selectOption(payer);
  await pay.getByRole('button', { name: 'Pay', exact: true }).click();
  await expect(problem(page)).toContainText('same_wallet');
  await pay.getByRole('group', { name: 'Payment 2' }).locator('#payee-1').selectOption('other');
  await pay.getByRole('group', { name: 'Payment 2' }).locator('#payee-1-other').fill(NOBODY);
  await pay.getByRole('button', { name: 'Pay', exact: true }).click();
  await expect(problem(page)).toContainText('wallet_not_found');
  expect((await stack.wallet(payees[0]!)).balance).toBe('1.50');
});

test('money held, captured in parts, and given up', async ({ page, stack, expected }) => {
  const [source, shop] = [await stack.open('hanna', '100.00'), await stack.open('hansen')];
  await expect.poll(async () => (await stack.wallet(source)).balance).toBe('101.00');
  await enter(page, stack, 'hanna', 'hansen');
  const make = async (amount: string) => {
    const hold = await form(page, 'Hold');
    await hold.locator('#field-source').selectOption(source);
    await hold.locator('#field-destination').selectOption(shop);
    await hold.getByLabel('Amount').fill(amount);
    await hold.getByRole('button', { name: 'Hold' }).click();
    await expect(answer(page)).toContainText('active');
  };
  await make('40');
  expect(await stack.wallet(source)).toMatchObject({ balance: '101.00', held: '40.00', available: '61.00' });

  await answer(page).getByRole('link', { name: 'Capture' }).click();
  let capture = page.getByRole('form', { name: 'Capture' });
  await capture.getByLabel('Amount').fill('15');
  await capture.getByLabel('Final').uncheck();
  await capture.getByRole('button', { name: 'Capture' }).click();
  await expect(answer(page)).toContainText('201');
  expect(await stack.wallet(source)).toMatchObject({ balance: '86.00', held: '25.00' });

  expected.add(422).add(409);
  await capture.getByLabel('Amount').fill('26');
  await capture.getByRole('button', { name: 'Capture' }).click();
  await expect(problem(page)).toContainText('capture_exceeds_hold');
  await capture.getByLabel('Amount').fill('');
  await capture.getByLabel('Final').check();
  await capture.getByRole('button', { name: 'Capture' }).click();
  await expect(answer(page)).toContainText('201');
  expect(await stack.wallet(source)).toMatchObject({ balance: '61.00', held: '0.00' });
  expect((await stack.wallet(shop)).balance).toBe('40.00');

  await make('10');
  await answer(page).getByRole('link', { name: 'Void' }).click();
  const give = page.getByRole('form', { name: 'Void' });
  await give.getByRole('button', { name: 'Give the hold up' }).click();
  await expect(answer(page)).toContainText('201');
  expect((await stack.wallet(source)).held).toBe('0.00');
  await give.getByRole('button', { name: 'Give the hold up' }).click();
  await expect(problem(page)).toContainText('hold_not_active');
});

test('a wallet opened, with labels and bounds, and frozen', async ({ page, stack, expected }) => {
  await enter(page, stack, 'olga');
  const open = await form(page, 'Open a wallet');
  await open.getByLabel('Owner').fill('olga');
  await open.getByText(/^More:/).click();
  await open.getByLabel('Ceiling').fill('500');
  await open.getByLabel('Labels').fill('shop=7\ncolour=green');
  await open.getByRole('button', { name: 'Open' }).click();
  await expect(answer(page)).toContainText('201');
  const { wallets } = await stack.api('/v1/wallets?owner=olga');
  expect(wallets).toMatchObject([{ ceiling: '500.00', metadata: { shop: '7', colour: 'green' } }]);

  await answer(page).getByRole('link', { name: 'Look at it' }).click();
  await page.getByRole('link', { name: 'Freeze or amend' }).click();
  const amend = page.getByRole('form', { name: 'Amend' });
  await amend.getByLabel('Status').selectOption('frozen');
  await amend.getByRole('button', { name: 'Amend' }).click();
  await expect(answer(page)).toContainText('frozen');

  expected.add(422);
  const withdraw = await form(page, 'Withdraw');
  await withdraw.getByLabel('From').selectOption(wallets[0].id);
  await withdraw.getByLabel('Amount').fill('1');
  await withdraw.getByRole('button', { name: 'Withdraw' }).click();
  await expect(problem(page)).toContainText('wallet_frozen');
});

test('a movement that is queued is followed until it is executed', async ({ page, stack }) => {
  const wallet = await stack.open('quentin');
  await enter(page, stack, 'quentin');
  const deposit = await form(page, 'Deposit');
  await deposit.getByLabel('Into').selectOption(wallet);
  await deposit.getByLabel('Amount').fill('3.00');
  await deposit.getByLabel('Queued').check();
  await deposit.getByRole('button', { name: 'Deposit' }).click();
  await expect(answer(page)).toContainText('202');
  await expect(answer(page)).toContainText('executed');
  await expect(answer(page)).toContainText('posted');
  await expect.poll(async () => (await stack.wallet(wallet)).balance).toBe('3.03');
});

test('a dry run tells, and writes nothing', async ({ page, stack, expected }) => {
  const wallet = await stack.open('dirk', '5.00');
  await expect.poll(async () => (await stack.wallet(wallet)).version).toBe(2);
  await enter(page, stack, 'dirk');
  const withdraw = await form(page, 'Withdraw');
  await withdraw.getByLabel('From').selectOption(wallet);
  await withdraw.getByLabel('Amount').fill('1');
  await withdraw.getByLabel('Dry run').check();
  await withdraw.getByRole('button', { name: 'Ask what would happen' }).click();
  await expect(answer(page)).toContainText('would be posted');
  expected.add(422);
  await withdraw.getByLabel('Amount').fill('100');
  await withdraw.getByRole('button', { name: 'Ask what would happen' }).click();
  await expect(problem(page)).toContainText('insufficient_funds');
  expect((await stack.wallet(wallet)).version).toBe(2);
  expect((await stack.api(`/v1/wallets/${wallet}/attempts`)).attempts).toEqual([]);
});

const NOBODY = `wal_${'0'.repeat(32)}`;
const AMOUNTS = [['1,5', 'invalid_amount'], ['-1', 'invalid_amount'], ['1.234', 'invalid_amount'], ['0', 'invalid_amount'], ['1e3', 'invalid_amount'], ['', 'invalid_amount']] as const;

for (const { title, button, fields, more } of [
  { title: 'Deposit', button: 'Deposit', fields: ['wallet'], more: [] },
  { title: 'Withdraw', button: 'Withdraw', fields: ['wallet'], more: [['999999', 'insufficient_funds']] },
  { title: 'Send', button: 'Send', fields: ['source', 'destination'], more: [['999999', 'insufficient_funds']] },
  { title: 'Hold', button: 'Hold', fields: ['source', 'destination'], more: [['999999', 'insufficient_funds']] },
] as const) {
  test(`bad input into ${title.toLowerCase()} is shown as the problem it is`, async ({ page, stack, expected }) => {
    expected.add(422).add(404);
    const owner = `bad ${title}`;
    const [one, two] = [await stack.open(owner, '10.00'), await stack.open(`${owner} too`)];
    await expect.poll(async () => (await stack.wallet(one)).balance).toBe('10.10');
    await enter(page, stack, owner, `${owner} too`);
    const movement = await form(page, title);
    await movement.locator(`#field-${fields[0]}`).selectOption(one);
    if (fields[1]) await movement.locator(`#field-${fields[1]}`).selectOption(two);
    for (const [amount, code] of [...AMOUNTS, ...more]) {
      await movement.getByLabel('Amount').fill(amount);
      await movement.getByRole('button', { name: button, exact: true }).click();
      await expect(problem(page), `amount ${amount}`).toContainText(code);
      await expect(problem(page)).toContainText('What to do:');
    }
    await movement.getByLabel('Amount').fill('1');
    if (fields[1]) {
      await movement.locator(`#field-${fields[1]}`).selectOption(one);
      await movement.getByRole('button', { name: button, exact: true }).click();
      await expect(problem(page)).toContainText('same_wallet');
    }
    await movement.locator(`#field-${fields[0]}`).selectOption('other');
    await movement.locator(`#field-${fields[0]}-other`).fill(NOBODY);
    await movement.getByRole('button', { name: button, exact: true }).click();
    await expect(problem(page)).toContainText('wallet_not_found');
    expect((await stack.wallet(one)).balance).toBe('10.10');
  });
}

test('what does not exist cannot be captured, voided, reversed or opened', async ({ page, stack, expected }) => {
  expected.add(400).add(404).add(422);
  await enter(page, stack, 'nobody');
  for (const [title, button, field, value, code] of [
    ['Capture', 'Capture', 'hold', `txn_${'0'.repeat(32)}`, 'hold_not_found'],
    ['Void', 'Give the hold up', 'hold', `txn_${'0'.repeat(32)}`, 'hold_not_found'],
    ['Reverse', 'Undo it', 'transaction', `txn_${'0'.repeat(32)}`, 'transaction_not_found'],
    ['Open a wallet', 'Open', 'currency', 'eur', 'invalid_currency'],
  ] as const) {
    const movement = await form(page, title);
    await movement.locator(`#field-${field}`).fill(value);
    await movement.getByRole('button', { name: button, exact: true }).click();
    await expect(problem(page)).toContainText(code);
  }
});

test('the curl does the same in a shell', async ({ page, stack, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const wallet = await stack.open('curly');
  await enter(page, stack, 'curly');
  const deposit = await form(page, 'Deposit');
  await deposit.getByLabel('Into').selectOption(wallet);
  await deposit.getByLabel('Amount').fill('4.00');
  await deposit.getByLabel('Reference').fill(`it's "two" $HOME \\ ü`);
  await deposit.getByText('The same with curl').click();
  await deposit.getByRole('button', { name: 'Copy curl' }).click();
  const copied = () => page.evaluate(() => navigator.clipboard.readText());
  const shell = async (command: string) => (await run('bash', ['-c', command], { env: { ...process.env, TOKEN: stack.bearer } })).stdout;

  const first = await shell(await copied());
  expect(first).toMatch(/^HTTP\/1.1 201/);
  expect(JSON.parse(first.slice(first.indexOf('\r\n\r\n'))).reference).toBe(`it's "two" $HOME \\ ü`);
  await expect.poll(async () => (await stack.wallet(wallet)).balance).toBe('4.04');

  // The page sends what the shell has sent: it is the same request.
  await deposit.getByRole('button', { name: 'Deposit' }).click();
  await expect(answer(page)).toContainText('replayed: nothing has moved now');
  await answer(page).getByText('The same with curl').click();
  await answer(page).getByRole('button', { name: 'Copy curl' }).click();
  const second = await shell(await copied());
  expect(second).toMatch(/^HTTP\/1.1 200/);
  expect(second.toLowerCase()).toContain('idempotent-replayed: true');
  expect((await stack.wallet(wallet)).balance).toBe('4.04');
});

test('a whole movement by keys alone', async ({ page, stack }) => {
  const [from, to] = [await stack.open('keya', '20.00'), await stack.open('keyb')];
  await enter(page, stack, 'keya', 'keyb');
  await page.locator('body').press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
  /** Tabs on until what is focused has this name. */
  const reach = async (name: string | RegExp, role: 'link' | 'button' | 'combobox' | 'textbox') => {
    const wanted = page.getByRole(role, { name, exact: typeof name === 'string' });
    for (let step = 0; step < 60; step++) {
      if (await wanted.first().evaluate((element) => element === document.activeElement)) return;
      await page.keyboard.press('Tab');
    }
    throw new Error(`${role} ${name} is not reached by the Tab key`);
  };
  await reach('Move money', 'link');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'Move money' })).toBeVisible();
  await reach('Send', 'link');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('form', { name: 'Send' })).toBeVisible();
  await expect(page.getByLabel('From').locator('option', { hasText: 'keya' })).toBeAttached();
  await reach('From', 'combobox');
  await page.keyboard.type('keya');
  await reach('To', 'combobox');
  await page.keyboard.type('keyb');
  await reach('Amount', 'textbox');
  await page.keyboard.type('1.25');
  await page.keyboard.press('Enter');
  await expect(answer(page)).toContainText('201');
  expect((await stack.wallet(from)).balance).toBe('18.95');
  expect((await stack.wallet(to)).balance).toBe('1.25');
});
