// The numbers of a decision page against the answer of the API, to the last digit.
//
// A number says where it is from (`data-api`, `data-value`); what does not must be a repeat
// in a picture of one that does, a count of a list, or part of a text that the answer or
// the model's bundle brings along. Functions given to `evaluate` run inside
// the page and see nothing of this file.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from './lib.mjs';

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
        return /minor|\.(?:value|total)\.(?:mean|p10|p90)$/.test(part);
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

/** Ends of an interval, where a text says that it speaks of one. */
const QUANTILES = /(?<!\d)[19]0 %(?= (?:interval|quantile|to|区间|分位|至))|(?<=(?:to|to the|至) )[19]0 %/g;
/** A number in a text that is no part of a word, an id or a time. */
const NUMBER = /(?<![\w#/:.-])[+−-]?\d(?:[\d,.]*\d)?(?![\w#/:-])/gu;

/**
 * Numbers that a part of the page shows and that the answer does not have, as lines.
 *
 * Not meant are: keys, times, ids in `code`, heads of columns, ticks of axes, the hundred of
 * "of 100 orders", and what is told of other orders or by people.
 */
export async function bareNumbers(locator, json) {
    const seen = await locator.evaluate((element) => {
        const KNOWN =
            '[data-api], kbd, time, code, h1, thead, option, textarea, .mono, [data-row], .tick, ' +
            '[data-load], #notes, svg.timeline, #layer-3 table [data-other], #layer-3 p[data-other]';
        const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
        const texts = [];
        while (walker.nextNode()) {
            const { data, parentElement: parent } = walker.currentNode;
            if (!/\d/.test(data) || parent.closest(KNOWN)) continue;
            const text = data.replaceAll(/\s+/g, ' ').trim();
            const isPicture = parent.closest('svg') !== null;
            // A weighted contribution is the product of two numbers of its row.
            const row = parent.closest('#layer-2 [data-other]')?.closest('tr');
            const factors = [...(row?.querySelectorAll('[data-api$=".log_odds"], [data-api$=".weight"]') ?? [])];
            texts.push({ text, isPicture, factors: factors.map((it) => Number(it.dataset.value)) });
        }
        const shown = [...document.querySelectorAll('[data-api]')].map((it) => it.textContent);
        return { texts, shown };
    });
    const shown = new Set(seen.shown.flatMap(numbersIn));
    const facts = { told: [...stringsIn(json), ...names(), ...derived(json)], counts: countsIn(json) };
    facts.told = facts.told.filter((it) => 4 <= it.length);
    facts.told.sort((a, b) => b.length - a.length);
    return seen.texts
        .filter((it) => {
            if (it.factors.length === 2) return !isWrittenAs(it.text, it.factors[0] * it.factors[1]);
            return isBare(it.text, facts, it.isPicture ? shown : new Set());
        })
        .map(({ text }) => text);
}

function isBare(text, { told, counts }, shown) {
    // The name of a node in a picture is the end of a pseudonym.
    if (0 < shown.size && /^[0-9a-f]{6}$/.test(text)) return false;
    if (/\p{L}{2}/u.test(text) && told.some((string) => string.startsWith(text.replace(/…$/, '')))) return false;
    const rest = told.reduce((left, string) => left.replaceAll(string, ' '), text).replaceAll(QUANTILES, ' ');
    return numbersIn(rest).some((number) => number !== '100' && !shown.has(number) && !counts.has(number));
}

/** The numbers of a text as plain decimals, without thousands and plus signs. */
function numbersIn(text) {
    const found = text.match(NUMBER) ?? [];
    return found.map((number) => number.replaceAll(',', '').replace('−', '-').replace(/^\+/, ''));
}

/** The texts of an answer that hold a digit. */
function stringsIn(json) {
    if (typeof json === 'string') return /\d/.test(json) ? [json] : [];
    if (json === null || typeof json !== 'object') return [];
    return [...new Set(Object.values(json).flatMap(stringsIn))];
}

/** Lengths of the lists of an answer ("20 nodes and 18 links"), and what its order counts. */
function countsIn(json) {
    const lists = (it) => (it !== null && typeof it === 'object' ? [it, ...Object.values(it).flatMap(lists)] : []);
    const counts = lists(json).filter(Array.isArray).map(({ length }) => length);
    const { items = [], attributes = {} } = json.order;
    const pieces = items.reduce((sum, { quantity }) => sum + quantity, 0);
    return new Set([...counts, pieces, ...Object.values(attributes)].map(String));
}

/** What a page works out from the order: the share of its discount, the age of its account. */
function derived({ decision, order }) {
    const texts = [];
    if (order.amount && order.discount) {
        const before = order.amount.minor_units + order.discount.minor_units;
        const percent = (100 * order.discount.minor_units) / before;
        // Both ways of rounding a half are fine.
        texts.push(...[-1e-9, 1e-9].map((slack) => `${(percent + slack).toFixed(1)} %`));
    }
    if (order.account_created_at) {
        const age = Date.parse(decision.times.event_time) - Date.parse(order.account_created_at);
        const [days, hours, minutes] = [age / 864e5, (age / 36e5) % 24, (age / 6e4) % 60].map(Math.floor);
        texts.push(`${days} d ${hours} h`, `${hours} h ${minutes} min`, `${minutes} min`);
        texts.push(`${days} 天 ${hours} 小时`, `${hours} 小时 ${minutes} 分`, `${minutes} 分钟`);
    }
    return texts;
}

let known;
/** Names of features in the bundles: "different items in the last 30 days". */
function names() {
    if (known) return known;
    const bundles = join(ROOT, 'models/marketplace');
    const manifests = readdirSync(bundles).map((it) => JSON.parse(readFileSync(join(bundles, it, 'manifest.json'))));
    const all = manifests.flatMap(({ features }) => features.flatMap(({ name }) => Object.values(name)));
    known = [...new Set(all.filter((name) => /\d/.test(name)))];
    return known;
}
