// The way through the console, in both languages, as two people walk it.
//
// Sign in, open the queue, decide five orders by keyboard only, undo one; isolate an IP
// address in the graph; change a weight in the lab, see what it changes, have a second
// person approve it, find its version on the next decision. On the way every number of a
// decision page is compared with the answer, layer 1 is measured, and every page is looked
// at by axe in both colors and photographed.

import { axeInBothColors, launch, open, Report, SCREEN, screenshot } from './lib.mjs';
import {
    bareNumbers, bytesOnTheWire, countWords, differences, outsideOf, shownNumbers,
} from './measures.mjs';
import { faultsOf, PAGES } from './pages.mjs';
import { addPerson } from './people.mjs';
import { orderlens } from './planted.mjs';
import { beAdmin, keepAdmin, LANGUAGES, ORIGIN, plantedDecisions, SIGN_IN, signIn } from './session.mjs';
import {
    activate, approveAsSecond, mayApproveOwn, propose, scoreNew, turnWeight, versions,
} from './strategy.mjs';

/** Bounds of layer 1 and of a page. */
const WORDS_MAX = { en: 90, 'zh-CN': 180 };
const PAGE_BYTES_MAX = 200_000;
/** Orders decided in a language, and how many more pages are compared with their answers. */
const DECIDED = 5;
const COMPARED = 10;
/** What the person of the second language may do: everything. */
const ROLES = ['viewer', 'analyst', 'strategist', 'approver', 'admin'];
/** The weight that each language turns the first knob to. */
const WEIGHT = { en: 1.3, 'zh-CN': 0.8 };
/** A choice is recorded when the time to undo it is over. */
const UNDO_MS = 10_000;

const report = new Report('console');
plantedDecisions();
const browser = await launch();
let link = SIGN_IN;
for (const language of LANGUAGES) {
    link = await walk(language, link);
}
await browser.close();
report.finish();

/** The whole way in a language; gives the link by which the next person signs in. */
async function walk(language, ownLink) {
    const first = await open(browser, ORIGIN, { locale: 'de' });
    const { context, page, watch } = first;
    const part = (name, run) => report.part(`${language}: ${name}`, run);
    const visit = { language, page, context, chosen: [], undone: '', next: '' };

    await part('sign in', () => enter(visit, ownLink));
    await part('decide by keyboard', () => decide(visit));
    await part('undo', () => undo(visit));
    await part('graph', () => isolate(visit));
    await part('lab', () => change(visit));
    await part('choices are recorded', () => recorded(visit));
    await part('numbers', () => compare(visit));
    await part('pages', () => lookAtAll(visit));
    await part('next person', async () => {
        visit.next = await addPerson(page, { id: `after-${language}`, roles: ROLES });
    });
    report.none(`${language}: nothing went wrong on any page`, watch.faults());
    await context.close();
    return visit.next;
}

/** The language is chosen first, on the page that nobody has signed in to yet. */
async function enter({ page, context, language }, ownLink) {
    if (ownLink === '') {
        // Without a person of its own, the rest of the way is still worth walking.
        await beAdmin(context, language);
        throw new Error('no link: /admin did not add a person');
    }
    await page.goto('/sign-in');
    await page.locator(`button[name="language"][value="${language}"]`).press('Enter');
    await page.locator(`html[lang="${language}"]`).waitFor();
    await seen(page, language, 'sign-in');
    await signIn(page, ownLink);
    report.check(`${language}: signing in leads to the queue`, page.url().endsWith('/queue'), page.url());
    if (ownLink === SIGN_IN) await keepAdmin(context);
    await page.goto(ownLink);
    const isGone = await page.locator('form[action="/sign-in"] input[name="key"]').isVisible();
    report.check(`${language}: a link signs in once`, isGone);
}

/** Opens the queue and decides orders; no pointer from here to the end of `undo`. */
async function decide(visit) {
    const { page, language, chosen } = visit;
    await page.goto('/queue');
    await page.keyboard.press('ArrowDown');
    const row = await page.evaluate(() => document.activeElement?.getAttribute('href'));
    report.check(`${language}: the arrow keys reach an order`, /^\/decisions\//.test(row ?? ''), row);
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/decisions\//);
    for (let n = 0; n < DECIDED; n += 1) {
        const id = idOf(page);
        const key = String((n % 3) + 1);
        const action = await page.locator(`[data-key="${key}"]`).first().getAttribute('value');
        if (n === 0) await layerOne(visit);
        await leave(page, () => page.keyboard.press(key));
        chosen.push({ id, action });
        report.check(`${language}: the next order opens by itself`, idOf(page) !== id, page.url());
    }
    const isOften = new Set(chosen.map(({ id }) => id)).size;
    report.check(`${language}: five different orders were decided`, isOften === DECIDED, `${isOften}`);
}

/** Layer 1 fits the screen and can be read at a glance. */
async function layerOne({ page, context, language }) {
    const layer = page.locator('#layer-1');
    report.none(`${language}: layer 1 fits ${SCREEN.width} x ${SCREEN.height}`, await outsideOf(layer, SCREEN));
    const words = await countWords(layer, language);
    report.check(`${language}: layer 1 has ${words} of ${WORDS_MAX[language]} words`, words <= WORDS_MAX[language]);
    for (const path of [`/decisions/${idOf(page)}`, '/queue']) {
        const bytes = await bytesOnTheWire(context, path);
        report.check(`${path} takes ${bytes} of ${PAGE_BYTES_MAX} bytes`, bytes <= PAGE_BYTES_MAX);
    }
}

/** Takes the fifth choice back: its order is open again, and nothing of it is recorded. */
async function undo(visit) {
    const { page, language, chosen } = visit;
    const { id } = chosen.pop();
    await leave(page, () => page.keyboard.press('u'));
    report.check(`${language}: undo leads back to its order`, idOf(page) === id, page.url());
    const isOpen = await page.locator('[data-key="1"]').first().isEnabled();
    report.check(`${language}: an undone order can be decided`, isOpen);
    visit.undone = id;
}

/** Opens the order's graph and leaves in it what its IP address touches. */
async function isolate({ page, language, undone }) {
    await page.goto(`/decisions/${undone}`);
    await leave(page, () => page.keyboard.press('g'));
    report.check(`${language}: g opens the graph`, page.url().includes('/graph'), page.url());
    const nodes = () => page.locator('main table tbody tr').count();
    const all = await nodes();
    await leave(page, () => page.locator('a[href*="isolate=ip"], button[name="isolate"][value^="ip"]').first().press('Enter'));
    const left = await nodes();
    report.check(`${language}: isolating an IP leaves some of ${all} rows`, 0 < left && left < all, `${left}`);
    await seen(page, language, 'graph-isolated');
}

/** Changes a weight, sees the difference, proposes it; a second person approves it. */
async function change(visit) {
    const { page, language } = visit;
    const turned = await turnWeight(page, WEIGHT[language]);
    report.check(`${language}: the slider follows the number`, turned.slider === String(WEIGHT[language]), turned.slider);
    report.check(`${language}: the lab shows what a weight changes`, turned.after !== turned.before, turned.after);
    await seen(page, language, 'lab-difference');
    const known = versions().map(({ version }) => version);
    await propose(page, 'browser test');
    report.check(`${language}: nobody approves their own`, !(await mayApproveOwn(page)));
    await seen(page, language, 'lab-proposed');
    const proposed = versions().find(({ version }) => !known.includes(version));
    report.check(`${language}: the draft is a version`, proposed !== undefined, JSON.stringify(known));
    report.none(`${language}: the second person saw no fault`, await approveAsSecond(browser, page, language));
    await activate(page);
    const decision = scoreNew(language);
    const { strategy, strategy_hash } = decision.versions;
    report.check(`${language}: the next decision is the new version's`, strategy_hash === proposed?.hash, strategy_hash);
    await page.goto(`/decisions/${decision.decision_id}`);
    const text = await page.locator('main').innerText();
    report.check(`${language}: its page names ${strategy}`, text.includes(strategy));
    report.check(`${language}: its page names the version`, text.includes(strategy_hash.slice(0, 8)));
}

/** What was chosen is in the journal, what was undone is not; asked over gRPC. */
async function recorded({ page, language, chosen, undone }) {
    await page.waitForTimeout(UNDO_MS);
    const caseOf = (id) => {
        const told = orderlens('case', id, '--json', '--server', process.env.ORDERLENS_GRPC);
        const { choice_id: choiceId, action: taken } = JSON.parse(told);
        return { choiceId, taken };
    };
    for (const { id, action } of chosen) {
        const { choiceId, taken } = caseOf(id);
        const isRecorded = taken === action && Boolean(choiceId?.startsWith('console-'));
        report.check(`${language}: ${action} is recorded`, isRecorded, `${taken} by ${choiceId}`);
    }
    const { choiceId } = caseOf(undone);
    report.check(`${language}: what was undone is not`, !choiceId, String(choiceId));
}

/** Every number on a decision page is the answer's, for decided, open and released orders. */
async function compare({ page, language, chosen, undone }) {
    const others = plantedDecisions().slice(-COMPARED).map(({ id }) => id);
    let nNumbers = 0;
    for (const id of [undone, ...chosen.map((it) => it.id), ...others]) {
        const answer = await page.request.get(`/decisions/${id}.json`);
        const json = await answer.json();
        await page.goto(`/decisions/${id}`);
        await page.locator('main [aria-busy="true"]').waitFor({ state: 'detached' });
        const shown = await shownNumbers(page);
        nNumbers += shown.length;
        report.check(`${language}: ${id} shows numbers`, 0 < shown.length);
        report.none(`${language}: the numbers of ${id} are the answer's`, differences(shown, json));
        report.none(`${language}: ${id} shows no other numbers`, await bareNumbers(page.locator('main'), json));
    }
    console.log(`  ${language}: ${nNumbers} numbers compared`);
}

/** Every page of the table, and a decision, by axe in both colors and by camera. */
async function lookAtAll({ page, language, undone }) {
    const decision = { name: 'decision', path: `/decisions/${undone}`, shows: '#layer-1' };
    for (const row of [decision, ...PAGES]) {
        const answer = await page.goto(row.path, { waitUntil: 'networkidle' });
        report.none(`${language}: ${row.path} is there`, await faultsOf(page, answer, row, language));
        await seen(page, language, row.name);
    }
}

/** A page as it is now: no violation by axe, and its picture. */
async function seen(page, language, name) {
    report.none(`${language}: axe on ${name}`, await axeInBothColors(page));
    await screenshot(page, language, name);
}

/** Does something that leads to another page, and waits until that is there. */
async function leave(page, act) {
    await Promise.all([page.waitForEvent('load'), act()]);
}

function idOf(page) {
    return /\/decisions\/([0-9a-f-]+)/.exec(page.url())?.[1] ?? '';
}
