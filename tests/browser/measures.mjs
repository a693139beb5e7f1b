// What a page shows, measured: its words, its place on the screen, its bytes.
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
