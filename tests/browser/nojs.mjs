// The same pages without JavaScript: all content is there, and every form does its work.

import { launch, open, Report } from './lib.mjs';
import { differences, shownNumbers } from './numbers.mjs';
import { addPerson } from './people.mjs';
import { decisionPages, faultsOf, PAGES } from './pages.mjs';
import { LANGUAGES, openAsAdmin, ORIGIN, plantedDecisions, signIn } from './session.mjs';

const OFF = { javaScriptEnabled: false };
/** Pages of the two languages of the console, each with the button that leads to the other. */
const OTHER = { en: 'zh-CN', 'zh-CN': 'en' };

const report = new Report('nojs');
plantedDecisions();
const browser = await launch();
for (const language of LANGUAGES) {
    await walk(language);
}
await browser.close();
report.finish();

async function walk(language) {
    const part = (name, run) => report.part(`${language}: ${name}`, run);
    const { context, page, watch } = await openAsAdmin(browser, language, OFF);
    await part('pages', () => read(page, language));
    await part('decide by button', () => decide(page, language));
    await part('filters', () => filter(page, language));
    await part('language', () => change(page, language));
    await part('sign in', () => enter(page, language));
    report.none(`${language}: nothing went wrong on any page`, watch.faults());
    await context.close();
}

/** Every page has its content, or says where it is. */
async function read(page, language) {
    const { id } = plantedDecisions().find(({ isBlind }) => !isBlind);
    const [decision, ...about] = decisionPages(id);
    for (const row of [decision, ...about, ...PAGES]) {
        const answer = await page.goto(row.path);
        report.none(`${language}: ${row.path} is there`, await faultsOf(page, answer, row, language));
        // What a script would load has to be reachable by a link as well.
        const gaps = await page.locator('[data-load]:not(:has(a[href]))').count();
        report.check(`${language}: ${row.path} leaves no gap`, gaps === 0, `${gaps} parts load by script alone`);
    }
    await page.goto(decision.path);
    const json = await (await page.request.get(`${decision.path}.json`)).json();
    const shown = await shownNumbers(page);
    report.check(`${language}: a decision shows numbers`, 0 < shown.length);
    report.none(`${language}: the numbers are the answer's`, differences(shown, json));
}

/** The first order of the queue is opened by its link, decided by a button, and taken back. */
async function decide(page, language) {
    await page.goto('/queue');
    await page.locator('[data-row]').first().click();
    await page.waitForURL(/\/decisions\//);
    const before = page.url();
    await page.locator('#layer-1 button[name="action"]').first().click();
    await page.waitForURL((url) => url.href !== before);
    const undo = page.locator('form[action$="/undo"] button');
    report.check(`${language}: a choice is confirmed with its undo`, await undo.isVisible());
    await undo.click();
    await page.waitForURL(before);
    const isOpen = await page.locator('#layer-1 button[name="action"]').first().isEnabled();
    report.check(`${language}: undo opens the order again`, isOpen);
}

/** A filter of the queue is in the address, so that it can be kept and sent. */
async function filter(page, language) {
    await page.goto('/queue');
    await page.locator('select[name="sort"]').selectOption('amount');
    await page.locator('form[action="/queue"] button[type="submit"]').click();
    await page.waitForURL(/sort=amount/);
    const chosen = await page.locator('select[name="sort"]').inputValue();
    report.check(`${language}: the filter is kept`, chosen === 'amount', chosen);
}

/** The other language shows the same page, and the first one comes back. */
async function change(page, language) {
    await page.goto('/queue?sort=risk');
    for (const wanted of [OTHER[language], language]) {
        await page.locator(`button[name="language"][value="${wanted}"]`).click();
        await page.locator(`html[lang="${wanted}"]`).waitFor();
        report.check(`${wanted}: the page stays`, page.url().endsWith('/queue?sort=risk'), page.url());
    }
}

/** A new person signs in by their link, sees the queue and signs out. */
async function enter(page, language) {
    const link = await addPerson(page, { id: `nojs-${language.toLowerCase()}`, roles: ['viewer'] });
    const other = await open(browser, ORIGIN, OFF);
    await other.page.goto('/queue');
    const isAsked = new URL(other.page.url()).pathname === '/sign-in';
    report.check(`${language}: a stranger is asked to sign in`, isAsked, other.page.url());
    await signIn(other.page, link);
    report.check(`${language}: the link signs in`, other.page.url().endsWith('/queue'), other.page.url());
    await other.page.locator('form[action="/sign-out"] button').click();
    await other.page.waitForURL(/\/sign-in/);
    await other.page.goto('/queue');
    const isOut = new URL(other.page.url()).pathname === '/sign-in';
    report.check(`${language}: signing out signs out`, isOut, other.page.url());
    report.none(`${language}: nothing went wrong while signing in`, other.watch.faults());
    await other.context.close();
}
