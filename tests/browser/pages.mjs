// The pages of the console, one row each: what the parts of the browser test visit.

/** Name (of screenshots too), address, and what only the page itself shows: all of it. */
export const PAGES = [
    { name: 'queue', path: '/queue', shows: ['.cards .figure', 'form.filters', 'table [data-row]'] },
    { name: 'graph', path: '/graph', shows: ['main form input'] },
    { name: 'cases', path: '/cases', shows: ['main form', 'main table tbody tr a[href^="/decisions/"]'] },
    {
        name: 'lab',
        path: '/lab',
        shows: ['form[data-live] input[type="number"]', '#versions', '#lab-preview'],
    },
    { name: 'experiments', path: '/experiments', shows: ['form[action="/experiments"] button'] },
    { name: 'models', path: '/models', shows: ['main meter', 'main table td.number', 'form[action="/models/promote"]'] },
    { name: 'reviews', path: '/reviews', shows: ['main .notice', 'main table tbody td.number'] },
    { name: 'health', path: '/health', shows: ['main table tbody td.number', 'main .figure'] },
    { name: 'admin', path: '/admin', shows: ['form[action="/admin/people"]', 'form[action="/admin/erase"]', '#log', 'a[href="/admin/audit.jsonl"]', 'main table tbody tr time'] },
    { name: 'help', path: '/help', shows: ['table.keys kbd', 'dl.terms dt', 'form[action="/preferences"] button'] },
];

/** What there is where nothing is. */
export const NOWHERE = {
    name: 'failure',
    path: '/decisions/00000000-0000-7000-8000-000000000000',
    shows: ['main h1', 'main a, .top a'],
    status: 404,
};

/** Pages that another one links to: what is opened is the first such link. */
export const LINKED = [
    { name: 'model', from: '/models', link: 'main a[href^="/models/"]', shows: ['main svg', 'main table'] },
    { name: 'lab-version', from: '/lab', link: 'main a[href^="/lab/versions/"]', shows: ['#steps', '#diff', 'main details summary'] },
    { name: 'person', from: '/admin', link: 'main a[href^="/admin/people/"]', shows: ['input[name="roles"]', 'form[action$="/key"] button'] },
];

/** What a decision shows in its three layers. */
const DECISION_SHOWS = [
    '#layer-1 .amount', '#layer-1 button[name="action"]', '#layer-2 svg', '#layer-3 #facts', '#evidence', '#notes',
];

/** A decision and the pages about it, as rows. */
export function decisionPages(id) {
    const path = `/decisions/${id}`;
    return [
        { name: 'decision', path, shows: DECISION_SHOWS },
        { name: 'graph-of-order', path: `/graph?decision=${id}`, shows: ['[data-graph] svg', 'main table tbody tr'] },
        { name: 'similar', path: `${path}/similar`, shows: ['main h1', 'main .card p'] },
    ];
}

/** What a catalog writes where it has no message, and where a template left a gap. */
const FALLBACKS = [/Unknown localization/i, /\{\s*\$\w+\s*\}/, /\{\{|\}\}/, /\u2068|\u2069/];

/**
 * What is wrong with a page that was opened: its status, its content, its language, words
 * that come from no catalog. `answer` is what `goto` gave.
 */
export async function faultsOf(page, answer, { path, shows, status = 200 }, language) {
    const faults = [];
    if (answer.status() !== status) return [`${path} answers ${answer.status()}`];
    if (new URL(page.url()).pathname !== path.split('?')[0]) faults.push(`${path} leads to ${page.url()}`);
    for (const part of shows) {
        if (!(await page.locator(part).first().isVisible())) faults.push(`${path} does not show ${part}`);
    }
    const lang = await page.locator('html').getAttribute('lang');
    if (lang !== language) faults.push(`${path} is in ${lang}, not in ${language}`);
    const text = await page.locator('body').innerText();
    const fallback = FALLBACKS.find((it) => it.test(text));
    if (fallback) faults.push(`${path} falls back: ${fallback.exec(text)[0]}`);
    const isChinese = /\p{Script=Han}/u.test(await page.locator('main').innerText());
    if (isChinese !== (language === 'zh-CN')) faults.push(`${path} is not written in ${language}`);
    return faults;
}
