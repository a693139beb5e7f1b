// What a page shows, measured: its words, its place on the screen, its numbers, its bytes.
//
// Functions given to `evaluate` run inside the page and see nothing of this file.

/** The words that a person sees in an element: English words, or Chinese characters. */
export async function countWords(locator, language) {
    const text = await locator.evaluate((element) => {
        const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
        const seen = [];
        while (walker.nextNode()) {
            const parent = walker.currentNode.parentElement;
            const box = parent.getBoundingClientRect();
            // What is only there for screen readers is a pixel in size.
            if (parent.checkVisibility() && 1 < box.width && 1 < box.height) {
                seen.push(walker.currentNode.data);
            }
        }
        return seen.join(' ');
    });
    return countText(text, language);
}

/** The length of a text: for `zh-CN` its Chinese characters, else its words and numbers. */
export function countText(text, language) {
    if (language === 'zh-CN') return (text.match(/\p{Script=Han}/gu) ?? []).length;
    return text.split(/\s+/u).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
}

/** What sticks out of a screen that is not scrolled, as lines: the element's parts with text. */
export function outsideOf(locator, screen) {
    return locator.evaluate((element, { width, height }) => {
        window.scrollTo(0, 0);
        const outside = [];
        for (const part of [element, ...element.querySelectorAll('*')]) {
            const box = part.getBoundingClientRect();
            const isSeen = part.checkVisibility() && 1 < box.width && 1 < box.height;
            const fits = 0 <= box.left && 0 <= box.top && box.right <= width && box.bottom <= height;
            if (isSeen && !fits) {
                const name = `${part.tagName.toLowerCase()}${part.id && `#${part.id}`}`;
                outside.push(`${name} ends at ${Math.ceil(box.right)} x ${Math.ceil(box.bottom)}`);
            }
        }
        if (width < document.documentElement.scrollWidth) outside.push('the page scrolls sideways');
        return outside;
    }, screen);
}

/**
 * The value at a path such as `decision.risks.0.probability`; of several paths with `+` and
 * `-` before each, their sum in this order, which makes it exact.
 */
export function valueAt(json, path) {
    const at = (dotted) => dotted.split('.').reduce((inside, key) => inside?.[key], json);
    if (!/^[+-]/.test(path)) return at(path);
    return path.split(' ').reduce((sum, part) => sum + (part[0] === '-' ? -1 : 1) * at(part.slice(1)), 0);
}

/** Where two answers differ, as lines with the path. */
export function unequal(one, other, path = '') {
    const isInside = [one, other].every((it) => it !== null && typeof it === 'object');
    if (!isInside) return one === other ? [] : [`${path}: ${JSON.stringify(one)} and ${JSON.stringify(other)}`];
    const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])];
    return keys.flatMap((key) => unequal(one[key], other[key], path === '' ? key : `${path}.${key}`));
}

/** Every element with `data-api`: the path, the exact value, and the text that is seen. */
export function shownNumbers(page) {
    return page.evaluate(() =>
        [...document.querySelectorAll('[data-api]')].map((element) => ({
            path: element.dataset.api,
            value: element.dataset.value,
            text: (element.textContent ?? '').replaceAll(/\s+/g, ' ').trim(),
        })),
    );
}

/** Where the numbers of a page differ from the API's answer, as lines. */
export function differences(shown, json) {
    return shown.flatMap(({ path, value, text }) => {
        const told = valueAt(json, path);
        if (typeof told === 'number') {
            if (value === '' || Number(value) !== told) return [`${path}: the API says ${told}, the page ${value}`];
            return isWrittenAs(text, told, moneyOf(json, path)) ? [] : [`${path}: ${told} is shown as "${text}"`];
        }
        if (typeof told !== 'string') return [`${path}: the API has no such value, the page ${value}`];
        return told === value ? [] : [`${path}: the API says ${told}, the page ${value}`];
    });
}

/**
 * The currency that a value is minor units of, or undefined for any other kind of value.
 *
 * Money are amounts, the worth of actions, and those parts of impacts that say so.
 */
export function moneyOf(json, path) {
    const parts = path.split(' ').map((part) => part.replace(/^[+-]/, ''));
    const isMoney = parts.every((part) => {
        const unit = /^(.*\.parts\.\d+)\.value\./.exec(part)?.[1];
        if (unit) return valueAt(json, `${unit}.unit`) === 'minor_units';
        return /minor|\.value\.(?:mean|p10|p90)$/.test(part);
    });
    return isMoney ? json.order?.amount?.currency : undefined;
}

/**
 * True when the text is the value, rounded to the digits that are written.
 *
 * Money, which is in minor units of `currency`, is written in major ones, with the currency
 * (`CNY -1,299.50`) or in a column that names it; with `%` stand hundredths; a share may be
 * told as so many of 100 orders.
 */
export function isWrittenAs(text, value, currency) {
    const plain = text.replaceAll('−', '-').replaceAll(/(?<=\d)[,\u00a0\u202f](?=\d{3})/g, '');
    const written = /^(?:([A-Z]{3}) )?([+-]?\d+(?:\.(\d+))?)( ?%)?$/.exec(plain);
    if (!written) return false;
    const [, named, number, decimals = '', percent] = written;
    if (named && named !== currency) return false;
    const isShare = 0 <= value && value <= 1;
    let scales = [1];
    if (currency) scales = [10 ** -exponentOf(currency)];
    else if (percent) scales = [100];
    else if (isShare && decimals === '') scales = [1, 100];
    // Half a unit of the last digit; both ways of rounding a half are fine.
    const slack = 0.5 * 10 ** -decimals.length + 1e-9;
    return scales.some((scale) => Math.abs(Number(number) - value * scale) <= slack);
}

function exponentOf(currency) {
    const format = new Intl.NumberFormat('en', { style: 'currency', currency });
    return format.resolvedOptions().maximumFractionDigits;
}

/**
 * Numbers that a part of the page shows without saying where they are from, as lines.
 *
 * Not meant are: keys, times, ids in `code`, parts of words and ids, the hundred of
 * "of 100 orders", sentences and names that the answer itself brings along, or beginnings
 * of these, and what is told of other orders or by people (`data-other`).
 */
export async function bareNumbers(locator, json) {
    const texts = await locator.evaluate((element) => {
        const KNOWN = '[data-api], [data-other], kbd, time, code, h1, option, textarea, .mono, [data-row]';
        const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
        const found = [];
        while (walker.nextNode()) {
            const { data, parentElement: parent } = walker.currentNode;
            if (/\d/.test(data) && !parent.closest(KNOWN)) found.push(data.replaceAll(/\s+/g, ' ').trim());
        }
        return found;
    });
    const told = stringsIn(json);
    return texts.filter((text) => {
        if (isSentence(text) && told.some((string) => string.startsWith(text))) return false;
        const rest = told.reduce((left, string) => left.replaceAll(string, ' '), text);
        const numbers = rest.match(/(?<![\w#/:.-])[+-]?\d(?:[\d,.]*\d)?(?![\w#/:-])/gu) ?? [];
        return numbers.some((number) => number !== '100');
    });
}

/** True for a text with words: a number alone begins many sentences. */
function isSentence(text) {
    return /\p{L}{2}/u.test(text);
}

/** The texts of an answer that hold a digit, longest first. */
function stringsIn(json) {
    if (typeof json === 'string') return /\d/.test(json) ? [json] : [];
    if (json === null || typeof json !== 'object') return [];
    const strings = new Set(Object.values(json).flatMap(stringsIn));
    return [...strings].sort((a, b) => b.length - a.length);
}

/** Bytes that a page and everything it loads take on the wire, headers among them. */
export async function bytesOnTheWire(context, path) {
    const page = await context.newPage();
    const requests = [];
    page.on('requestfinished', (request) => requests.push(request));
    await page.goto(path, { waitUntil: 'networkidle' });
    const sizes = await Promise.all(requests.map((request) => request.sizes()));
    await page.close();
    return sizes.reduce((sum, it) => sum + it.responseBodySize + it.responseHeadersSize, 0);
}
