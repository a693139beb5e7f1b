// A strategy's way from a turned knob to the next decision, walked by two people.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { open } from './lib.mjs';
import { addPerson } from './people.mjs';
import { orderlens, score } from './planted.mjs';
import { languageCookie, ORIGIN, RUN, signIn } from './session.mjs';

/** The form of the lab, which shows what it would change while a knob is turned. */
const LAB = 'form[data-live]';
/** The form of a step of a version. */
const stepOf = (word, hash) => `form[action="/lab/versions/${hash}/${word}"] button[type="submit"]`;

/**
 * Turns the first weight to `weight` by keyboard and waits for what it would change: the text,
 * whether it is another one than before, and where the slider of the weight is.
 */
export async function turnWeight(page, weight) {
    await page.goto('/lab');
    const form = page.locator(LAB).first();
    const target = page.locator(`#${await form.getAttribute('data-target')}`);
    const before = await target.innerText();
    const knob = form.locator('input[type="number"][data-twin]').first();
    const live = page.waitForResponse((answer) => answer.request().method() === 'POST' && answer.ok());
    await knob.focus();
    await page.keyboard.press('Control+a');
    await page.keyboard.type(String(weight));
    await live;
    // Only numbers are a difference: a notice or a mistake has none in this form.
    await target.locator('.figure').first().waitFor();
    const slider = await page.locator(`#${await knob.getAttribute('data-twin')}`).inputValue();
    const text = await target.innerText();
    return { text, isNew: text !== before && /\d/.test(text), slider };
}

/** Puts what is in the form up for approval; the page of the version comes up. */
export async function propose(page, reason) {
    await page.locator(`${LAB} [name="note"]`).fill(reason);
    const press = page.locator(`${LAB} button[formaction="/lab/propose"]`).press('Enter');
    await Promise.all([page.waitForEvent('load'), press]);
}

/** True when a step of a version is offered on the page and in the list. */
export async function isOffered(page, word, hash) {
    if (0 < (await page.locator(stepOf(word, hash)).count())) return true;
    await page.goto('/lab');
    return 0 < (await page.locator(stepOf(word, hash)).count());
}

/** A second person is added with the role, signs in with a browser of their own, approves. */
export async function approveAsSecond(browser, page, { language, hash }) {
    const link = await addPerson(page, { id: `second-${language.toLowerCase()}`, roles: ['approver'] });
    const second = await open(browser, ORIGIN);
    await second.context.addCookies([languageCookie(language)]);
    await signIn(second.page, link);
    await second.page.goto('/lab');
    await take(second.page, 'approve', hash);
    await second.context.close();
    return second.watch.faults();
}

/** The approved version judges all accounts from now on. */
export async function activate(page, hash) {
    await page.goto('/lab');
    await take(page, 'activate', hash);
}

/** Presses the button of a step by keyboard. */
async function take(page, word, hash) {
    const press = page.locator(stepOf(word, hash)).first().press('Enter');
    await Promise.all([page.waitForEvent('load'), press]);
}

/** Compares the active strategy with another approved one; the page of the experiment comes up. */
export async function startExperiment(page, id) {
    await page.goto('/experiments');
    const form = page.locator('form[action="/experiments"]');
    await form.locator('[name="id"]').fill(id);
    await form.locator('[name="arm_name"]').fill('challenger');
    const strategies = form.locator('[name="arm_strategy"] option');
    const values = await strategies.evaluateAll((options) => options.map(({ value }) => value));
    await form.locator('[name="arm_strategy"]').selectOption(values.at(-1));
    await Promise.all([page.waitForEvent('load'), form.locator('button[type="submit"]').press('Enter')]);
}

/** Ends the experiment whose page is open. */
export async function endExperiment(page) {
    const press = page.locator('form[action$="/end"] button[value="finished"]').press('Enter');
    await Promise.all([page.waitForEvent('load'), press]);
}

/** Short hashes of the versions that the server knows, asked over gRPC. */
export function versions() {
    const [, ...rows] = orderlens('strategy', 'list', '--server', process.env.ORDERLENS_GRPC).trim().split('\n');
    return rows.map((row) => row.trim().split(/\s+/)[0]);
}

/** The decision about an order that is new to the server. */
export function scoreNew(language) {
    const file = join(RUN, `new-${language}.json`);
    const order = {
        key: { channel: 'web', order_id: `new-${language}` },
        amount: { currency: 'CNY', minor_units: 129_900 },
        items: [{ sku: { kind: 'sku', key: 'SKU-00017' }, quantity: 1 }],
        entities: [
            { kind: 'account', key: `member.00000000${language}` },
            { kind: 'ip', key: '2001:db8:77:77::7' },
        ],
    };
    writeFileSync(file, JSON.stringify(order));
    return score(file)[0];
}
