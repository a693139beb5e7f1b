// The way through the console, in both languages, as two people walk it.
//
// Sign in, open the queue, decide five orders by keyboard only, undo one; isolate an IP
// address in the graph; change a weight in the lab, see what it changes, have a second
// person approve it, find its version on the next decision. On the way every number of a
// decision page is compared with the answer, and that with gRPC's; layer 1 of many decisions
// is measured; every page is looked at by axe in both colors and photographed.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { axeInBothColors, launch, open, Report, SCREEN, screenshot } from './lib.mjs';
import { bytesOnTheWire, countWords, outsideOf } from './measures.mjs';
import { bareNumbers, differences, shownNumbers, unequal } from './numbers.mjs';
import { decisionPages, faultsOf, LINKED, NOWHERE, PAGES } from './pages.mjs';
import { addPerson } from './people.mjs';
import { orderlens } from './planted.mjs';
import { beAdmin, keepAdmin, LANGUAGES, ORIGIN, plantedDecisions, RUN, SIGN_IN, signIn } from './session.mjs';
import {
    activate, approveAsSecond, endExperiment, isOffered, propose, scoreNew, startExperiment, turnWeight, versions,
} from './strategy.mjs';

/** Bounds of layer 1 and of a page. */
const WORDS_MAX = { en: 90, 'zh-CN': 180 };
const PAGE_BYTES_MAX = 200_000;
/** Orders decided in a language, and how many decisions layer 1 is measured of. */
const DECIDED = 5;
const GLANCED = 30;
/** What the person of the second language may do: everything. */
const ROLES = ['viewer', 'analyst', 'strategist', 'approver', 'admin'];
/** The weight that each language turns the first knob to. */
const WEIGHT = { en: 1.3, 'zh-CN': 0.8 };
/** An identifier that no order names. */
const FORGOTTEN = 'zx9-forgotten@example.com';
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
    const visit = { language, page, context, chosen: [], chosenAt: 0, undone: '', next: '' };

    await part('sign in', () => enter(visit, ownLink));
    await part('decide by keyboard', () => decide(visit));
    await part('undo', () => undo(visit));
    await part('graph', () => isolate(visit));
    await part('lab', () => change(visit));
    await part('layer 1', () => glance(visit));
    await part('numbers', () => compare(visit));
    await part('choices are recorded', () => recorded(visit));
    watch.expect(NOWHERE.status, NOWHERE.path);
    await part('pages', () => lookAtAll(visit));
    await part('experiment', () => compareArms(visit));
    await part('erase', () => erase(visit));
    await part('next person', async () => {
        visit.next = await addPerson(page, { id: `after-${language.toLowerCase()}`, roles: ROLES });
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
        await leave(page, () => page.keyboard.press(key));
        chosen.push({ id, action });
        visit.chosenAt = Date.now();
        report.check(`${language}: the next order opens by itself`, idOf(page) !== id, page.url());
    }
    const isOften = new Set(chosen.map(({ id }) => id)).size;
    report.check(`${language}: five different orders were decided`, isOften === DECIDED, `${isOften}`);
}

/** Layer 1 of many decisions fits the screen and can be read at a glance. */
async function glance({ page, context, language }) {
    const paths = await waiting(page, GLANCED);
    report.check(`${language}: ${GLANCED} orders wait`, paths.length === GLANCED, `${paths.length}`);
    let most = { words: 0, path: '' };
    for (const path of paths) {
        await page.goto(path, { waitUntil: 'domcontentloaded' });
        const layer = page.locator('#layer-1');
        report.none(`${language}: layer 1 of ${path} fits ${SCREEN.width} x ${SCREEN.height}`, await outsideOf(layer, SCREEN));
        const words = await countWords(layer, language);
        report.check(`${language}: layer 1 of ${path} has ${words} of ${WORDS_MAX[language]} words`, words <= WORDS_MAX[language]);
        if (most.words < words) most = { words, path };
    }
    console.log(`  ${language}: layer 1 has at most ${most.words} words (${most.path})`);
    for (const path of [most.path, '/queue']) {
        const bytes = await bytesOnTheWire(context, path);
        report.check(`${path} takes ${bytes} of ${PAGE_BYTES_MAX} bytes`, bytes <= PAGE_BYTES_MAX);
        console.log(`  ${language}: ${bytes} bytes for ${path}`);
    }
}

/** Addresses of the first `n` decisions that the queue lists, page by page. */
async function waiting(page, n) {
    const paths = [];
    await page.goto('/queue');
    while (paths.length < n) {
        paths.push(...(await page.locator('[data-row]').evaluateAll((rows) => rows.map((row) => row.getAttribute('href')))));
        const next = page.locator('main a[href*="from="]').last();
        if (n <= paths.length || !(await next.isVisible())) break;
        await leave(page, () => next.click());
    }
    return paths.slice(0, n);
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
    report.check(`${language}: the lab shows what a weight changes`, turned.isNew, turned.text);
    await seen(page, language, 'lab-difference');
    const known = versions();
    await propose(page, 'browser test');
    const hash = /\/lab\/versions\/([0-9a-f]+)/.exec(page.url())?.[1];
    if (!hash) throw new Error(`no version came of it: ${await page.locator('main .notice').first().innerText()}`);
    const isNew = (list) => list.some((short) => hash.startsWith(short));
    report.check(`${language}: the draft is a version`, !isNew(known) && isNew(versions()), hash);
    report.check(`${language}: nobody approves their own`, !(await isOffered(page, 'approve', hash)));
    report.check(`${language}: nothing judges unapproved`, !(await isOffered(page, 'activate', hash)));
    await seen(page, language, 'lab-proposed');
    const faults = await approveAsSecond(browser, page, { language, hash });
    report.none(`${language}: the second person saw no fault`, faults);
    await activate(page, hash);
    const decision = scoreNew(language);
    const { strategy, strategy_hash: judged } = decision.versions;
    report.check(`${language}: the next decision is the new version's`, judged === hash, judged);
    await page.goto(`/decisions/${decision.decision_id}`);
    const text = await page.locator('main').textContent();
    report.check(`${language}: its page names ${strategy}`, text.includes(strategy));
    report.check(`${language}: its page names the version`, text.includes(hash.slice(0, 8)));
}

/** What was chosen is in the journal, what was undone is not; asked over gRPC. */
async function recorded({ page, language, chosen, chosenAt, undone }) {
    await page.waitForTimeout(Math.max(0, chosenAt + UNDO_MS - Date.now()));
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
    const planted = plantedDecisions().filter(({ answer }) => answer);
    const told = new Map(planted.map(({ id, answer }) => [id, answer]));
    let nNumbers = 0;
    for (const id of [undone, ...chosen.map((it) => it.id), ...told.keys()]) {
        const answer = await page.request.get(`/decisions/${id}.json`);
        await page.goto(`/decisions/${id}`);
        await settled(page);
        const isHidden = (await page.locator('#layer-2').count()) === 0;
        report.check(`${language}: ${id} tells as much as its page`, answer.ok() === !isHidden, `${answer.status()}`);
        if (!answer.ok()) continue;
        const json = await answer.json();
        const shown = await shownNumbers(page);
        nNumbers += shown.length;
        report.check(`${language}: ${id} shows numbers`, 0 < shown.length);
        report.none(`${language}: the numbers of ${id} are the answer's`, differences(shown, json));
        report.none(`${language}: ${id} shows no other numbers`, await bareNumbers(page.locator('main'), json));
        if (told.has(id)) report.none(`${language}: gRPC says the same of ${id}`, unequal(told.get(id), json.decision));
    }
    console.log(`  ${language}: ${nNumbers} numbers compared`);
}

/** Every page, by axe in both colors and by camera. */
async function lookAtAll({ page, language, context }) {
    const planted = plantedDecisions();
    const { id } = planted.find(({ isBlind }) => !isBlind);
    const blind = planted.find(({ isBlind }) => isBlind);
    const rows = [...decisionPages(id), ...PAGES, NOWHERE];
    if (blind) rows.push({ name: 'decision-blind', path: `/decisions/${blind.id}`, shows: ['#layer-1 button', '#layer-3'] });
    for (const { from, link, ...row } of LINKED) {
        await page.goto(from);
        const path = await page.locator(link).first().getAttribute('href').catch(() => null);
        report.check(`${language}: ${from} links to ${row.name}`, path !== null);
        if (path) rows.push({ ...row, path: path.split('#')[0] });
    }
    for (const row of rows) {
        const answer = await page.goto(row.path);
        await settled(page);
        report.none(`${language}: ${row.path} is there`, await faultsOf(page, answer, row, language));
        await seen(page, language, row.name);
    }
    await onPaper({ context, language, id });
}

/** An experiment is started, looked at and ended. */
async function compareArms({ page, language }) {
    const id = `arms-${language.toLowerCase()}`;
    await startExperiment(page, id);
    report.check(`${language}: the experiment has a page`, page.url().endsWith(`/experiments/${id}`), page.url());
    await seen(page, language, 'experiment');
    await endExperiment(page);
    const canStart = page.goto('/experiments').then(() => page.locator('form[action="/experiments"]').isVisible());
    report.check(`${language}: the next experiment may start`, await canStart);
}

/** A decision with every fold open, and as the file that an auditor gets. */
async function onPaper({ context, language, id }) {
    const page = await context.newPage();
    await page.goto(`/decisions/${id}`);
    await settled(page);
    await page.evaluate(() => document.querySelectorAll('details').forEach((fold) => (fold.open = true)));
    await seen(page, language, 'decision-open');
    const file = join(RUN, `decision-${language}.html`);
    const lang = language === 'en' ? 'en' : 'zh';
    const [data] = readdirSync(join(RUN, 'data'));
    orderlens('explain', id, '--html', file, '--lang', lang, '--data', join(RUN, 'data', data));
    await page.goto(pathToFileURL(file).href);
    report.none(`${language}: axe on the file for an auditor`, await axeInBothColors(page));
    await screenshot(page, language, 'decision-file');
    const json = await (await context.request.get(`/decisions/${id}.json`)).json();
    report.none(`${language}: the numbers of the file are the answer's`, differences(await shownNumbers(page), json));
    await page.close();
}

/** Waits until what a script loads is there. */
async function settled(page) {
    await page.waitForFunction(() => document.querySelector('main [aria-busy="true"], main [data-again]') === null);
}

/** Erases an identifier that nobody has; neither page nor address shows it. */
async function erase({ page, language }) {
    await page.goto('/admin');
    const form = page.locator('form[action="/admin/erase"]');
    await form.locator('select[name="kind"]').selectOption('email');
    await form.locator('input[name="identifier"]').fill(FORGOTTEN);
    await leave(page, () => form.locator('button').press('Enter'));
    const asked = (await page.content()) + page.url();
    report.check(`${language}: what is to be erased is asked about by its pseudonym`, !asked.includes(FORGOTTEN) && asked.includes('h1_'));
    if (language === LANGUAGES[0]) await seen(page, language, 'erase');
    await page.locator('input[name="sure"]').check();
    await leave(page, () => page.locator('form[action="/admin/erase/sure"] button').press('Enter'));
    const number = await page.locator('[data-shown-as]').innerText();
    const shown = (await page.content()) + page.url();
    report.check(`${language}: it is erased under a number`, /^erased-\d+$/.test(number) && !shown.includes(FORGOTTEN), number);
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
