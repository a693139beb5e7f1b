// The demo that `run.sh` started, and ways to be signed in to its console.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { open } from './lib.mjs';
import { plant, score } from './planted.mjs';

/** Where this run keeps its files. */
export const RUN = process.env.ORDERLENS_RUN;
/** The one-time link that the demo printed. */
export const SIGN_IN = process.env.ORDERLENS_SIGN_IN;
/** The console, as `http://127.0.0.1:1234`. */
export const ORIGIN = new URL(SIGN_IN).origin;
/** The languages of the console. */
export const LANGUAGES = ['en', 'zh-CN'];

const ADMIN = join(RUN, 'admin.json');
const PLANTED = join(RUN, 'planted.json');
/** As many planted decisions, of the least risky ones, are kept in full. */
const KEPT_WHOLE = 10;

/** The cookie by which a browser asks for a language. */
export function languageCookie(language) {
    return { name: 'orderlens_language', value: language, url: ORIGIN };
}

/** Uses a one-time link as a person does: the page asks, a press of its button signs in. */
export async function signIn(page, link) {
    await page.goto(link);
    await page.locator('form[action="/sign-in"] button[type="submit"]').press('Enter');
    await page.waitForURL((url) => url.pathname !== '/sign-in');
}

/** Keeps the session of the first person, an admin, for the other parts. */
export async function keepAdmin(context) {
    writeFileSync(ADMIN, JSON.stringify(await context.storageState()));
}

/** A browser of the admin in a language; the part that comes first uses the link up. */
export async function openAsAdmin(browser, language, options = {}) {
    if (!existsSync(ADMIN)) {
        const { context, page } = await open(browser, ORIGIN);
        await signIn(page, SIGN_IN);
        await keepAdmin(context);
        await context.close();
    }
    const opened = await open(browser, ORIGIN, options);
    await beAdmin(opened.context, language);
    return opened;
}

/** Gives a browser the session that `keepAdmin` has kept. */
export async function beAdmin(context, language) {
    const { cookies } = JSON.parse(readFileSync(ADMIN, 'utf8'));
    await context.addCookies([...cookies, languageCookie(language)]);
}

/**
 * Orders with personal strings, sent once for all parts: their decisions, riskiest first. The
 * last ones have the whole `answer` that gRPC gave.
 */
export function plantedDecisions() {
    if (!existsSync(PLANTED)) {
        const decisions = score(plant(RUN)).map((answer) => {
            const { decision_id: id, is_blind: isBlind, actions } = answer;
            return { id, isBlind, action: actions[0]?.action, answer };
        });
        // Orders that somebody has to look at come before those that are simply released.
        const isReleased = ({ action }) => ['approve', 'approve_and_watch', 'expedite'].includes(action);
        decisions.sort((a, b) => Number(isReleased(a)) - Number(isReleased(b)));
        const kept = decisions.map(({ answer, ...rest }, at) =>
            at + KEPT_WHOLE < decisions.length ? rest : { ...rest, answer },
        );
        writeFileSync(PLANTED, JSON.stringify(kept));
    }
    return JSON.parse(readFileSync(PLANTED, 'utf8'));
}
