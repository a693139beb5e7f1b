// Orders with seeded personal strings, sent to the demo as a shop would send them.
//
// The demo's own buyers have none: the simulator hashes its numbers before they are facts
// (`src/simulator/telling.rs`). So `orderlens simulate` writes another market, every
// pseudonym in it becomes a phone number, an e-mail, an address ... of our own, and
// `orderlens score` sends these raw: the server's door has to hash them. What it is to
// keep to itself is then known to the letter.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const DAY_MS = 86_400_000;
/** Enough orders that two dozen of them wait for a review. */
const MARKET = ['--seed', '77', '--days', '3', '--orders-per-day', '400'];
/** More than all answers of the market together. */
const OUTPUT_BYTES_MAX = 1 << 29;

/** What a pseudonym stands for, by kind of entity: unlikely anywhere else. */
const RAW = {
    account: (id) => `member.${hex(id)}`,
    device: (id) => `browser/${hex(id)}`,
    ip: (id) => `2001:db8:${hex(id).slice(0, 4)}:${hex(id).slice(4, 8)}::7`,
    address: (id) => `Room ${digits(id, 4)}, Harbor Hotel, ${digits(id, 6)} Nanjing Road`,
    phone: (id) => `+8613${digits(id, 9)}`,
    email: (id) => `li.wei.${hex(id)}@example.com`,
    payment_instrument: (id) => `6222${digits(id, 12)}`,
};

/**
 * What is personal in any text: the seeded strings by their shape (a part of one is found
 * too), anything that is an e-mail or a number of a phone or card, and the simulator's own.
 */
const PATTERNS = [
    /member\.[0-9a-f]{8}/,
    /browser(?:\/|&#x2F;|%2F)[0-9a-f]{8}/i,
    /2001:db8:[0-9a-f:]+/,
    /Harbor(?: |%20|\+)Hotel|Nanjing(?: |%20|\+)Road/,
    /[\w.+-]+(?:@|%40|&#64;)[\w-]+\.(?:com|net|org|cn|example)\b/,
    /(?<![\w.])861[3-9]\d{9}(?!\w)/,
    /(?<![\w.])6222\d{12}(?!\w)/,
    /\b(?:acct|dev|ip|addr|tel|mail|pay)-\d{6,}\b/,
];

function hex(id) {
    return createHash('sha256').update(`hex ${id}`).digest('hex').slice(0, 12);
}

function digits(id, n) {
    const number = BigInt(`0x${createHash('sha256').update(`digits ${id}`).digest('hex')}`);
    return number.toString().slice(-n).padStart(n, '1');
}

/** Runs the binary; its output. */
export function orderlens(...args) {
    return execFileSync(process.env.ORDERLENS_BIN, args, {
        encoding: 'utf8',
        maxBuffer: OUTPUT_BYTES_MAX,
        timeout: 120_000,
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, RUST_LOG: 'error' },
    });
}

/** The decisions of the orders in a file of JSON Lines, in their order. */
export function score(file) {
    const told = orderlens('score', file, '--json', '--server', process.env.ORDERLENS_GRPC);
    return told
        .split(/^\}$/m)
        .filter((text) => text.trim() !== '')
        .map((text) => JSON.parse(`${text}}`));
}

/** Writes the orders of a market with raw personal strings; the file. */
export function plant(folder) {
    const [events, file] = [join(folder, 'simulated.jsonl'), join(folder, 'planted.jsonl')];
    const start = new Date(Date.now() - 3 * DAY_MS).toISOString().slice(0, 10);
    const truth = join(folder, 'truth.csv');
    orderlens('simulate', ...MARKET, '--start', start, '--output', events, '--truth', truth);
    const strings = new Set();
    const lines = readFileSync(events, 'utf8').split('\n').filter((line) => line !== '');
    const facts = lines.map((line) => JSON.parse(line)).filter((event) => event.fact.order_placed);
    const orders = facts.map(({ event_id, event_time, fact: { order_placed: order } }) => {
        const raw = order.entities.map(({ kind, key }) => {
            const name = RAW[kind] ? RAW[kind](key) : key;
            if (RAW[kind]) strings.add(name);
            return { kind, key: name };
        });
        // Keys of its own: the demo's market counts its orders alike.
        const key = { ...order.key, order_id: order.key.order_id.replace('synthetic', 'planted') };
        const placed = { ...order, key, entities: raw };
        return JSON.stringify({ event_id: `planted-${event_id}`, event_time, fact: { order_placed: placed } });
    });
    writeFileSync(file, `${orders.join('\n')}\n`);
    const unseen = [...strings].filter((string) => personalIn(string).length === 0);
    if (0 < unseen.length) throw new Error(`no pattern finds ${unseen[0]}`);
    return file;
}

/** The first personal string of each kind in a text. */
export function personalIn(text) {
    return PATTERNS.map((pattern) => pattern.exec(text)?.[0]).filter(Boolean);
}
