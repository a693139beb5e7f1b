// The browser of the console's test: opens it, watches it, looks at a page with axe.
//
// Playwright and axe are installed into `target/browser` by `run.sh`; nothing of them is
// in the repository. Everything a page does wrong is kept in a `Watch`, whose `faults()`
// must be empty at the end: a scenario never has to ask for console errors by itself.

import { readFileSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const TARGET = process.env.ORDERLENS_BROWSER ?? join(ROOT, 'target/browser');

const installed = createRequire(join(TARGET, 'package.json'));
const { chromium } = installed('playwright-core');
const AXE = readFileSync(installed.resolve('axe-core/axe.min.js'), 'utf8');

/** The screen that layer 1 of a decision has to fit. */
export const SCREEN = { width: 1366, height: 768 };
/** How long a step of a page may take; a dev build on two busy cores is slow. */
export const PATIENCE_MS = 10_000;
/** The rules that axe applies: WCAG 2.2 to level AA, and what it calls best practice. */
const AXE_TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** A headless Chromium that reaches this machine only. */
export function launch() {
    return chromium.launch({
        executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
        args: [
            // Root may not start the sandbox, and CI is root.
            '--no-sandbox',
            '--disable-gpu',
            '--disable-quic',
            '--no-first-run',
            '--disable-background-networking',
            '--disable-component-update',
            '--disable-sync',
            // What a page asks of another host fails here, before it leaves the machine.
            '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
        ],
    });
}

/** Everything that the pages of one context did wrong. */
export class Watch {
    /** `origin` is the console's own, as `http://127.0.0.1:1234`. */
    constructor(origin) {
        this.origin = origin;
        /** Each fault: kind, what, and the page it happened on. */
        this.found = [];
        /** Answers that a scenario provoked on purpose, as `403 /admin`. */
        this.expected = new Set();
    }

    note(kind, what, page) {
        this.found.push({ kind, what, page });
    }

    /** The faults so far as lines. */
    faults() {
        return this.found.map(({ kind, what, page }) => `${kind}: ${what} (on ${page})`);
    }

    /** Answers of this status at this path are wanted from now on. */
    expect(status, path) {
        this.expected.add(`${status} ${path}`);
    }

    isExpected(status, url) {
        return this.expected.has(`${status} ${new URL(url).pathname}`);
    }

    async attach(context) {
        await context.exposeBinding('orderlensViolation', ({ page }, what) =>
            this.note('CSP violation', what, page.url()),
        );
        await context.addInitScript(() => {
            document.addEventListener('securitypolicyviolation', (event) => {
                globalThis.orderlensViolation(
                    `${event.effectiveDirective} ${event.blockedURI} ${event.sample}`,
                );
            });
        });
        context.on('console', (message) => this.hearConsole(message));
        context.on('weberror', (error) => {
            this.note('page error', error.error().message, error.page()?.url());
        });
        context.on('request', (request) => this.seeRequest(request));
        context.on('requestfailed', (request) => this.seeFailure(request));
        context.on('response', (response) => this.seeResponse(response));
    }

    hearConsole(message) {
        const [text, at] = [message.text(), message.location().url];
        if (message.type() !== 'error') return;
        // With JavaScript off, the console is the only witness of a violation.
        const kind = /Content Security Policy/i.test(text) ? 'CSP violation' : 'console error';
        const status = /status of (\d{3})/.exec(text)?.[1];
        if (status && at && this.isExpected(status, at)) return;
        this.note(kind, text, message.page()?.url() ?? at);
    }

    seeRequest(request) {
        const url = new URL(request.url());
        const isNetwork = /^(https?|wss?|ftp):$/.test(url.protocol);
        if (isNetwork && url.origin.replace(/^ws/, 'http') !== this.origin) {
            this.note('external request', request.url(), pageOf(request));
        }
    }

    seeFailure(request) {
        const reason = request.failure()?.errorText ?? 'unknown';
        // A page that is left takes its open requests along.
        if (reason !== 'net::ERR_ABORTED') {
            this.note('failed request', `${request.url()} ${reason}`, pageOf(request));
        }
    }

    seeResponse(response) {
        if (400 <= response.status() && !this.isExpected(response.status(), response.url())) {
            const what = `${response.status()} ${response.url()}`;
            this.note('failed request', what, pageOf(response.request()));
        }
    }
}

function pageOf(request) {
    try {
        return request.frame().url();
    } catch {
        // A navigation has no frame yet.
        return request.url();
    }
}

/** One person's browser: a context that is watched, with one page. */
export async function open(browser, origin, options = {}) {
    const context = await browser.newContext({ viewport: SCREEN, baseURL: origin, ...options });
    context.setDefaultTimeout(PATIENCE_MS);
    const watch = new Watch(origin);
    await watch.attach(context);
    const page = await context.newPage();
    return { context, page, watch };
}

/**
 * The violations that axe finds on the page as it is now, each as a line.
 *
 * The content security policy stays in force: axe runs in a world of its own that the
 * debugger makes, not as a script of the page.
 */
export async function axe(page) {
    const session = await page.context().newCDPSession(page);
    try {
        const { frameTree } = await session.send('Page.getFrameTree');
        const { executionContextId } = await session.send('Page.createIsolatedWorld', {
            frameId: frameTree.frame.id,
            worldName: 'axe',
        });
        const runs = async (expression) => {
            const told = await session.send('Runtime.evaluate', {
                expression,
                contextId: executionContextId,
                awaitPromise: true,
                returnByValue: true,
            });
            const broken = told.exceptionDetails?.exception?.description;
            if (broken) throw new Error(`axe on ${page.url()}: ${broken}`);
            return told.result.value;
        };
        await runs(`${AXE}; undefined`);
        const only = JSON.stringify({ runOnly: AXE_TAGS, resultTypes: ['violations'] });
        const { violations, passes } = await runs(`axe.run(document, ${only})`);
        // An empty document passes nothing: then axe did not see the page.
        if (passes.length === 0) throw new Error(`axe saw nothing on ${page.url()}`);
        return violations.flatMap(({ id, help, nodes }) =>
            nodes.map(({ target, any }) => {
                const detail = any[0]?.message ?? '';
                return `${id}: ${help} at ${target.join(' ')} ${detail}`.trim();
            }),
        );
    } finally {
        await session.detach();
    }
}

/** The violations in the light and in the dark colors; the page is left in light. */
export async function axeInBothColors(page) {
    const found = [];
    for (const colorScheme of ['dark', 'light']) {
        await page.emulateMedia({ colorScheme });
        found.push(...(await axe(page)).map((line) => `${line} (${colorScheme})`));
    }
    return found;
}

/** Writes `target/browser/screens/LANGUAGE/NAME.png`, the page in full. */
export async function screenshot(page, language, name) {
    const folder = join(TARGET, 'screens', language);
    mkdirSync(folder, { recursive: true });
    await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

/** Checks of one scenario: each is told as it is made; `finish` says how it went. */
export class Report {
    constructor(name) {
        this.name = name;
        this.nChecks = 0;
        this.faults = [];
    }

    /** One check; `detail` says what was seen instead. */
    check(what, isTrue, detail = '') {
        this.nChecks += 1;
        if (isTrue) return;
        this.faults.push(what);
        console.log(`  FAIL ${what}${detail === '' ? '' : `\n       ${detail}`}`);
    }

    /** Nothing must be in the list. */
    none(what, lines) {
        this.check(what, lines.length === 0, lines.slice(0, 12).join('\n       '));
    }

    /** Runs a part; an exception in it is a fault that names the part. */
    async part(what, run) {
        const start = Date.now();
        try {
            await run();
        } catch (error) {
            this.check(what, false, String(error.stack ?? error).split('\n').slice(0, 8).join('\n       '));
        }
        console.log(`  ${what}: ${((Date.now() - start) / 1000).toFixed(1)} s`);
    }

    /** Says how it went and sets the exit code; no check at all is a fault. */
    finish() {
        const isGood = this.faults.length === 0 && 0 < this.nChecks;
        const how = isGood ? 'held' : `of which ${this.faults.length} FAILED`;
        console.log(`${this.name}: ${this.nChecks} checks, ${how}`);
        process.exitCode = isGood ? 0 : 1;
    }
}
