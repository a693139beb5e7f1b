// Nothing personal anywhere: not on a page, not in an answer, not in the log, not in metrics.
//
// Orders with seeded phone numbers, e-mails, addresses ... are sent first (`planted.mjs`);
// then every page and whatever it links to is fetched in both languages, without a browser
// drawing it, and searched for them. The log is searched at the level `debug`.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { launch, Report } from './lib.mjs';
import { PAGES } from './pages.mjs';
import { personalIn } from './planted.mjs';
import { LANGUAGES, openAsAdmin, ORIGIN, plantedDecisions, RUN } from './session.mjs';

/** Addresses fetched in a language: the pages, then what they link to, breadth first. */
const FETCHED_MAX = 150;
/** Planted decisions that are looked at for certain. */
const DECISIONS = 12;
/** What no person has typed: a link that ends the session or goes elsewhere is left out. */
const ADDRESS = /(?:href|src|data-load|data-json)="(\/[^"#]*)/g;

/** Fetches addresses breadth first; each is told to `see` with its text. */
async function crawl(request, start, see) {
    const waiting = [...start];
    const known = new Set(waiting);
    let nFetched = 0;
    for (const path of waiting) {
        if (FETCHED_MAX <= nFetched) break;
        const answer = await request.get(path, { timeout: 30_000 });
        nFetched += 1;
        const text = await answer.text();
        see(path, answer, text);
        for (const [, found] of text.matchAll(ADDRESS)) {
            const next = found.replaceAll('&amp;', '&').replaceAll('&#38;', '&');
            if (!known.has(next) && !next.startsWith('/assets/')) {
                known.add(next);
                waiting.push(next);
            }
        }
    }
    return nFetched;
}

const report = new Report('privacy');
const decisions = plantedDecisions();
const browser = await launch();
for (const language of LANGUAGES) {
    await report.part(`pages in ${language}`, async () => {
        const { context } = await openAsAdmin(browser, language);
        const planted = decisions.slice(0, DECISIONS).map(({ id }) => `/decisions/${id}`);
        const start = [...PAGES.map(({ path }) => path), ...planted, ...planted.map((it) => `${it}.json`)];
        const found = [];
        const broken = [];
        const nFetched = await crawl(context.request, start, (path, answer, text) => {
            found.push(...personalIn(text).map((string) => `${string} at ${path}`));
            if (500 <= answer.status()) broken.push(`${answer.status()} ${path}`);
            if (start.includes(path) && answer.status() !== 200) broken.push(`${answer.status()} ${path}`);
        });
        report.none(`nothing personal on ${nFetched} pages`, found);
        report.none('no page is missing or fails', broken);
        await context.close();
    });
}
await report.part('metrics', async () => {
    const answer = await fetch(`${ORIGIN}/metrics`);
    const text = await answer.text();
    report.none(`nothing personal in metrics (${answer.status})`, personalIn(text));
});
await report.part('log', async () => {
    const files = readdirSync(RUN).filter((name) => name.startsWith('server.'));
    for (const name of files) {
        const text = readFileSync(join(RUN, name), 'utf8');
        report.none(`nothing personal in ${name} (${text.length} characters)`, personalIn(text));
    }
    const log = readFileSync(join(RUN, 'server.log'), 'utf8');
    report.check('the log is as talkative as can be', log.includes('DEBUG'));
});
await browser.close();
report.finish();
