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

/**
 * The length of a text: for `zh-CN` its Chinese characters, and each run of other letters
 * or digits as one more; for other languages its words, numbers among them.
 */
export function countText(text, language) {
    if (language === 'zh-CN') {
        return (text.match(/\p{Script=Han}|[\p{Script=Latin}\p{N}.,]*[\p{Script=Latin}\p{N}]/gu) ?? []).length;
    }
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

/** The value at a path such as `risks.0.probability` or `actions[1].title`. */
export function valueAt(json, path) {
    const keys = path.replaceAll(/\[(\w+)\]/g, '.$1').split('.');
    return keys.reduce((inside, key) => inside?.[key], json);
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
        if (told === undefined || told === null) return [`${path}: the API has none, the page ${value}`];
        if (typeof told === 'number') {
            if (Number(value) !== told) return [`${path}: the API says ${told}, the page ${value}`];
            return isWrittenAs(text, told, path) ? [] : [`${path}: ${told} is shown as "${text}"`];
        }
        return String(told) === value ? [] : [`${path}: the API says ${told}, the page ${value}`];
    });
}

/**
 * True when one number of the text is the value, rounded to the digits that are written.
 *
 * Money is kept in hundredths (`minor_units`) and written whole; a share is written as it
 * is, with `%` as hundredths, or as a number of 100 orders.
 */
export function isWrittenAs(text, value, path) {
    const plain = text.replaceAll(/[−–]/g, '-').replaceAll(/(?<=\d)[,\u00a0\u202f](?=\d{3})/g, '');
    const numbers = plain.match(/-?\s?\d+(\.\d+)?/g) ?? [];
    const isShare = -1 <= value && value <= 1;
    const scales = path.endsWith('minor_units') ? [1 / 100] : isShare ? [1, 100] : [1];
    return numbers.some((number) => {
        const written = number.replaceAll(/\s/g, '');
        const digits = written.split('.')[1]?.length ?? 0;
        // Half a unit of the last digit; both ways of rounding a half are fine.
        const slack = 0.5 * 10 ** -digits + 1e-9;
        return scales.some((scale) => {
            const signed = Math.abs(Number(written) - value * scale) <= slack;
            const asMagnitude = Math.abs(Number(written) - Math.abs(value) * scale) <= slack;
            return signed || asMagnitude;
        });
    });
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
