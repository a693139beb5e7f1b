// A strategy's way from a turned knob to the next decision, walked by two people.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { open } from './lib.mjs';
import { addPerson } from './people.mjs';
import { orderlens, score } from './planted.mjs';
import { languageCookie, ORIGIN, RUN, signIn } from './session.mjs';

/** The form of the lab, and what it shows while a knob is turned. */
const LAB = 'form[data-live]';
/** Steps of a strategy: each is a form whose address ends with the word. */
const step = (word) => `form[action$="/${word}"] button[type="submit"], button[formaction$="/${word}"]`;

/**
 * Turns the first weight to `weight` by keyboard and waits for what it would change; the text
 * of the difference before and after.
 */
export async function turnWeight(page, weight) {
    await page.goto('/lab');
    const form = page.locator(LAB).first();
    const target = page.locator(`#${await form.getAttribute('data-target')}`);
    const before = await target.innerText();
    const knob = form.locator('input[type="number"]').first();
    await knob.focus();
    await page.keyboard.press('Control+a');
    await page.keyboard.type(String(weight));
    const twin = await knob.getAttribute('data-twin');
    const slider = twin ? await page.locator(`#${twin}`).inputValue() : '';
    const live = page.waitForResponse((answer) => answer.request().method() === 'POST');
    const answer = await live;
    await page.locator(`#${await form.getAttribute('data-target')}:not([aria-busy])`).waitFor();
    return { before, after: await target.innerText(), slider, status: answer.status() };
}

/** Puts what is in the form up for approval. */
export async function propose(page, reason) {
    const note = page.locator(`${LAB} [name="note"]`).first();
    if (await note.isVisible()) await note.fill(reason);
    await Promise.all([page.waitForEvent('load'), page.locator(step('propose')).first().press('Enter')]);
}

/** True when the author is offered, or allowed, to approve what they proposed themselves. */
export async function mayApproveOwn(page) {
    const button = page.locator(step('approve')).first();
    return (await button.isVisible()) && (await button.isEnabled());
}

/** A second person is added with the role, signs in with a browser of their own, approves. */
export async function approveAsSecond(browser, page, language) {
    const link = await addPerson(page, { id: `second-${language}`, roles: ['approver'] });
    const second = await open(browser, ORIGIN);
    await second.context.addCookies([languageCookie(language)]);
    await signIn(second.page, link);
    await second.page.goto('/lab');
    const press = second.page.locator(step('approve')).first().press('Enter');
    await Promise.all([second.page.waitForEvent('load'), press]);
    await second.context.close();
    return second.watch.faults();
}

/** The approved version judges all accounts from now on. */
export async function activate(page) {
    await page.goto('/lab');
    const press = page.locator(step('activate')).first().press('Enter');
    await Promise.all([page.waitForEvent('load'), press]);
}

/** The versions that the server knows, asked over gRPC. */
export function versions() {
    return JSON.parse(orderlens('strategy', 'list', '--json', '--server', process.env.ORDERLENS_GRPC));
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
