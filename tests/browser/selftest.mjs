// Shows that the checks of the browser test can fail: each planted fault must be caught.
//
// A server of this file gives tiny pages under the console's content security policy, each
// with one fault, and one without any. A check that lets its fault pass fails the run
// before the console is looked at.

import { createServer } from 'node:http';

import { axe, launch, open, Report, SCREEN } from './lib.mjs';
import { countText, countWords, outsideOf } from './measures.mjs';
import { bareNumbers, differences, shownNumbers } from './numbers.mjs';
import { personalIn } from './planted.mjs';

const POLICY =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/** A policy with a hole, so that a request to elsewhere is the request's fault alone. */
const OPEN_TO_IMAGES = POLICY.replace("'self' data:", '*');

const CLEAN = `<h1>Order A-1</h1>
    <p id="first">Risk <span data-api="risks.0.probability" data-value="0.7134">71.3 %</span>,
    <b data-api="order.amount.minor_units" data-value="-129950">CNY −1,299.50</b>,
    <u data-api="+impacts.0.parts.0.value.mean -impacts.0.parts.1.value.mean" data-value="249.5">+2.50</u>
    of 100, <i data-api="verdict" data-value="hold">Hold it</i>, <a href="#first">3 orders share this IP</a></p>
    <img src="/dot.svg" alt="a dot"><form method="post" action="/act"><button>Hold</button></form>`;
const API = {
    risks: [{ probability: 0.7134 }],
    order: { amount: { currency: 'CNY', minor_units: -129_950 } },
    impacts: [{ parts: [300, 50.5].map((mean) => ({ unit: 'minor_units', value: { mean } })) }],
    verdict: 'hold',
    decision: {},
    reasons: ['3 orders share this IP with it (more likely).'],
};

/** The pages by path: what is in the body, and the policy they come with. */
const PAGES = {
    '/clean': { body: `${CLEAN}<script src="/fine.js"></script>` },
    '/console-error': { body: `${CLEAN}<script src="/error.js"></script>` },
    '/page-error': { body: `${CLEAN}<script src="/throw.js"></script>` },
    '/external': { body: `${CLEAN}<img src="http://elsewhere.test/dot.png" alt="">`, policy: OPEN_TO_IMAGES },
    '/external-blocked': { body: `${CLEAN}<img src="http://elsewhere.test/dot.png" alt="">` },
    '/inline-script': { body: `${CLEAN}<script>document.title = 'inline'</script>` },
    '/inline-style': { body: `${CLEAN}<p style="color: red">red</p>` },
    '/missing': { body: `${CLEAN}<img src="/nowhere.svg" alt="">` },
    '/no-alt': { body: CLEAN.replace(' alt="a dot"', '') },
    '/no-label': { body: `${CLEAN}<input name="weight">` },
    '/other-value': { body: CLEAN.replace('0.7134', '0.7135') },
    '/other-text': { body: CLEAN.replace('71.3 %', '71.4 %') },
    '/other-money': { body: CLEAN.replace('1,299.50', '129,950') },
    '/other-sum': { body: CLEAN.replace('249.5', '249.4') },
    '/other-unit': { body: CLEAN.replace('+2.50', '+249.50') },
    '/other-currency': { body: CLEAN.replace('CNY −1', 'EUR −1') },
    '/other-sign': { body: CLEAN.replace('−1,299', '1,299') },
    '/unexplained': { body: CLEAN.replace('of 100', '17 of 100') },
    '/other-sentence': { body: CLEAN.replace('3 orders', '4 orders') },
    '/other-word': { body: CLEAN.replace('value="hold"', 'value="approve"') },
    '/no-such-path': { body: CLEAN.replace('risks.0', 'risks.1') },
    '/tall': { body: `<h1>Tall</h1><div id="first">${'<p>line</p>'.repeat(60)}</div>` },
};
const FILES = {
    '/dot.svg': ['image/svg+xml', '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'],
    '/fine.js': ['text/javascript', 'document.body.dataset.ran = "yes";'],
    '/error.js': ['text/javascript', 'console.error("a planted error");'],
    '/throw.js': ['text/javascript', 'throw new Error("a planted exception");'],
    '/favicon.ico': ['image/svg+xml', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
};

function serve(request, response) {
    const page = PAGES[request.url];
    const [type, text] = page ? ['text/html; charset=utf-8', wrap(page.body)] : (FILES[request.url] ?? []);
    response.writeHead(text === undefined ? 404 : 200, {
        'content-type': type ?? 'text/plain',
        'content-security-policy': page?.policy ?? POLICY,
    });
    response.end(text ?? 'not here');
}

function wrap(body) {
    return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Planted</title></head>
        <body><main>${body}</main></body></html>`;
}

/** Opens a page in a context of its own and gives everything that the checks say of it. */
async function look(browser, origin, path, options = {}) {
    const { context, page, watch } = await open(browser, origin, options);
    await page.goto(path, { waitUntil: 'networkidle' });
    const found = {
        faults: watch.faults(),
        axe: options.javaScriptEnabled === false ? [] : await axe(page),
        numbers: differences(await shownNumbers(page), API),
        bare: await bareNumbers(page.locator('main'), API),
        outside: await outsideOf(page.locator('#first'), SCREEN).catch((error) => [String(error)]),
        // Whatever axe does, the page's own policy must not notice.
        faultsAfterAxe: watch.faults(),
    };
    await context.close();
    return found;
}

/** Each planted fault: the page, which check has to see it, and by which words. */
const PLANTED = [
    ['/console-error', 'faults', /^console error: a planted error/],
    ['/page-error', 'faults', /^page error: a planted exception/],
    ['/external', 'faults', /^external request: http:\/\/elsewhere/],
    ['/external-blocked', 'faults', /^CSP violation: img-src http:\/\/elsewhere/],
    ['/inline-script', 'faults', /^CSP violation: .*script-src/],
    ['/inline-style', 'faults', /^CSP violation: .*style-src/],
    ['/missing', 'faults', /^failed request: 404 .*nowhere/],
    ['/no-alt', 'axe', /^image-alt/],
    ['/no-label', 'axe', /^label/],
    ['/other-value', 'numbers', /probability: the API says 0\.7134, the page 0\.7135/],
    ['/other-text', 'numbers', /probability: 0\.7134 is shown as "71\.4 %"/],
    ['/other-money', 'numbers', /minor_units: -129950 is shown/],
    ['/other-sum', 'numbers', /mean: the API says 249\.5, the page 249\.4/],
    ['/other-unit', 'numbers', /mean: 249\.5 is shown as "\+249\.50"/],
    ['/other-currency', 'numbers', /minor_units: -129950 is shown as "EUR/],
    ['/other-sign', 'numbers', /minor_units: -129950 is shown/],
    ['/unexplained', 'bare', /17\s+of 100/],
    ['/other-sentence', 'bare', /4 orders/],
    ['/other-word', 'numbers', /verdict: the API says hold, the page approve/],
    ['/no-such-path', 'numbers', /risks\.1\.probability: the API has no such value/],
    ['/tall', 'outside', /ends at/],
];

const report = new Report('selftest');
const server = createServer(serve);
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${server.address().port}`;
const browser = await launch();

await report.part('a clean page has no fault', async () => {
    const found = await look(browser, origin, '/clean');
    for (const [check, lines] of Object.entries(found)) report.none(`clean: ${check}`, lines);
});
await report.part('planted faults are caught', async () => {
    const looks = PLANTED.map(async ([path, check, words]) => {
        const lines = (await look(browser, origin, path))[check];
        report.check(`${path} is caught`, lines.some((line) => words.test(line)), lines.join('; '));
    });
    await Promise.all(looks);
});
await report.part('a violation is seen without JavaScript', async () => {
    const found = await look(browser, origin, '/inline-style', { javaScriptEnabled: false });
    const isSeen = found.faults.some((line) => line.startsWith('CSP violation'));
    report.check('inline style without JavaScript is caught', isSeen, found.faults.join('; '));
});
await report.part('words are counted', async () => {
    const { context, page } = await open(browser, origin);
    await page.goto('/clean');
    const n = await countWords(page.locator('#first'), 'en');
    report.check('14 words are seen', n === 14, `counted ${n}`);
    await context.close();
    for (const [text, language, expected] of [
        ['Of 100 orders like this, 71 turned out bad (n = 1,284).', 'en', 11],
        ['每 100 单这样的订单中，有 71 单是坏单。', 'zh-CN', 13],
        ['— · …', 'en', 0],
    ]) {
        const counted = countText(text, language);
        report.check(`"${text}" is ${expected} long`, counted === expected, `counted ${counted}`);
    }
});
await report.part('personal strings are found', async () => {
    for (const text of [
        '<dd>Room 1853, Harbor Hotel</dd>',
        'order.phone=+8613115329469 scored',
        '{"email":"li.wei.4daa0d0eee9f@example.com"}',
        '/graph?focus=li.wei.4d0b%40example.com',
        '<td>6222389402340609</td>',
        'peer 2001:db8:e1d8:44e0::7',
        'tel-000123 was met',
    ]) {
        report.check(`something personal is seen in "${text}"`, 0 < personalIn(text).length);
    }
    const plain = 'phone#3f9a12 2026-11-28 08:40 h1_28eea2f36463d58030f12b135f8b57f5 0.86131153294691';
    report.none('pseudonyms are not personal', personalIn(plain));
});

await browser.close();
server.close();
report.finish();
