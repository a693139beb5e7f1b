// The pages of the console, one row each: what the parts of the browser test visit.

/** Name (of screenshots too), address, and what only the page itself shows. */
export const PAGES = [
    { name: 'queue', path: '/queue', shows: 'main [data-row]' },
    { name: 'graph', path: '/graph', shows: 'main h1' },
    { name: 'cases', path: '/cases', shows: 'main h1' },
    { name: 'lab', path: '/lab', shows: 'main form' },
    { name: 'experiments', path: '/experiments', shows: 'main h1' },
    { name: 'models', path: '/models', shows: 'main h1' },
    { name: 'reviews', path: '/reviews', shows: 'main h1' },
    { name: 'health', path: '/health', shows: 'main h1' },
    { name: 'admin', path: '/admin', shows: 'main form' },
    { name: 'help', path: '/help', shows: 'main h1' },
];

/** What a catalog writes where it has no message, and where a template left a gap. */
const FALLBACKS = [/Unknown localization/i, /\{\s*\$\w+\s*\}/, /\{\{|\}\}/, /\u2068|\u2069/];

/**
 * What is wrong with a page that was opened: its status, its content, its language, words
 * that come from no catalog. `answer` is what `goto` gave.
 */
export async function faultsOf(page, answer, { path, shows }, language) {
    const faults = [];
    if (answer.status() !== 200) return [`${path} answers ${answer.status()}`];
    if (new URL(page.url()).pathname !== path.split('?')[0]) faults.push(`${path} leads to ${page.url()}`);
    if (!(await page.locator(shows).first().isVisible())) faults.push(`${path} does not show ${shows}`);
    const lang = await page.locator('html').getAttribute('lang');
    if (lang !== language) faults.push(`${path} is in ${lang}, not in ${language}`);
    const text = await page.locator('body').innerText();
    const fallback = FALLBACKS.find((it) => it.test(text));
    if (fallback) faults.push(`${path} falls back: ${fallback.exec(text)[0]}`);
    const isChinese = /\p{Script=Han}/u.test(await page.locator('main').innerText());
    if (isChinese !== (language === 'zh-CN')) faults.push(`${path} is not written in ${language}`);
    return faults;
}
