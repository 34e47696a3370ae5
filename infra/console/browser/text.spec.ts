// What users can write is shown as text: no markup, nothing that turns or hides what is beside it.
import { expect, test } from './guarded.ts';
import { answer, enter, form, openWallet, part } from './view.ts';

const MARKUP = '<img src=x onerror="document.title=\'owned\'"><script>document.title=\'owned\'</script>';
const BIDI = 'pay \u202eerehwesle\u202c now\u200b';

test('markup and characters that confuse are shown for what they are', async ({ page, stack }) => {
  // Owners, references, labels, and queries: wherever the API takes a text.
  const owner = `<b>mallory</b> \u202elive`;
  const id = await stack.open(owner, undefined, { metadata: { [MARKUP.slice(0, 60)]: MARKUP, [BIDI]: BIDI, 'two\nlines': '\u0007bell' } }).catch(() =>
    // Control characters are not taken in labels: the rest is.
    stack.open(owner, undefined, { metadata: { [MARKUP.slice(0, 60)]: MARKUP, [BIDI]: BIDI } }));
  await stack.api(`/v1/wallets/${id}/deposits`, { amount: '5.00', currency: 'EUR', reference: MARKUP });
  await stack.api(`/v1/wallets/${id}/deposits`, { amount: '6.00', currency: 'EUR', reference: BIDI, metadata: { note: MARKUP } });
  await stack.ask(`/v1/wallets/${id}/withdrawals`, { amount: '600.00', currency: 'EUR', reference: MARKUP });
  await stack.api('/v1/holds', { source: id, amount: '1.00', currency: 'EUR', reference: BIDI });
  const clean = async () => {
    const text = await page.locator('body').innerText();
    expect(text).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200b\u0007]/);
    expect(await page.locator('main img, main script, main b').count()).toBe(0);
    expect(await page.title()).not.toContain('owned');
    // A text of others keeps its own direction to itself.
    for (const words of await page.locator('.words').all()) expect(await words.evaluate((element) => element.tagName)).toBe('BDI');
  };
  await page.goto(stack.address(encodeURIComponent(owner)));
  await expect(page.getByRole('table')).toContainText('<b>mallory</b>');
  await clean();
  await openWallet(page, id);
  await expect(page.getByRole('table', { name: 'Statement' })).toContainText('<img src=x');
  await expect(page.getByRole('table', { name: 'Statement' })).toContainText('<U+202E>');
  await clean();
  for (const [name, told] of [['Refused attempts', '<script>'], ['Holds', '<U+202E>'], ['Terms and labels', '<img src=x']] as const) {
    await expect(await part(page, name)).toContainText(told);
    await clean();
  }
  const deposit = await form(page, 'Deposit');
  await deposit.getByLabel('Into').selectOption(id);
  await deposit.getByLabel('Amount').fill('1');
  await deposit.getByLabel('Reference').fill(MARKUP + '\u2066');
  await deposit.getByText('The same with curl').click();
  await clean();
  await deposit.getByRole('button', { name: 'Deposit' }).click();
  await expect(answer(page)).toContainText('<img src=x');
  await answer(page).getByText('The answer as JSON').click();
  await clean();
  await answer(page).getByRole('link', { name: 'Follow it' }).click();
  await expect(page.getByRole('region', { name: 'What it is' })).toContainText('<img src=x');
  await clean();
});

test('an address that was made to confuse confuses nobody', async ({ page, stack, expected }) => {
  expected.add(400).add(404).add(422);
  await enter(page, stack, 'nobody');
  for (const hash of ['#/wallets/<img src=x onerror=alert(1)>', '#/movements/%00%0a<b>', '#/move/constructor', '#/move/__proto__', '#/%E0%A4%A', '#/nowhere', '#/wallets?owner=<b>x</b>\u202e', '#/movements?reference=<script>', '#/move/deposit?amount=<b>&wallet=../../_local', '#owners=x']) {
    await page.evaluate((to) => { location.hash = to; }, hash);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await expect(page.getByText('This view has a fault')).toHaveCount(0);
    expect(await page.locator('main img, main script, main b').count(), hash).toBe(0);
  }
});
