// What pages gain with a script: single keys, parts that load later, live forms, time on the page.
// Every page works without it. Strict content policy: nothing inline, nothing evaluated.
'use strict';

(() => {
  const root = document.documentElement;
  /** A pause longer than this is not reading (the same bound as in the review times). */
  const PAUSE_MAX_MS = 30_000;
  const LIVE_DELAY_MS = 350;
  /** A part with data-again could not be made yet and is asked for again after this. */
  const AGAIN_MS = 1_000;

  // --- Single keys: an element with data-key is clicked by that key. ---

  const isTyping = (target) =>
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

  const isShown = (element) => element.getClientRects().length > 0 && !element.disabled;

  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && isTyping(event.target)) {
      event.target.blur();
      return;
    }
    if (root.dataset.keys !== 'on' || event.defaultPrevented || isTyping(event.target)) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const found = [...document.querySelectorAll('[data-key]')].filter(
      (element) => element.dataset.key === event.key && isShown(element),
    );
    if (found.length === 0) return;
    event.preventDefault();
    const [first] = found;
    if (first.matches('input, textarea, select')) first.focus();
    else if (first.matches('details')) first.open = !first.open;
    else if (first.matches('[tabindex]')) {
      first.focus();
      first.scrollIntoView({ block: 'start' });
    } else first.click();
  });

  // --- Rows that the arrow keys walk through. ---

  document.addEventListener('keydown', (event) => {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    if (root.dataset.keys !== 'on' || isTyping(event.target)) return;
    const rows = [...document.querySelectorAll('[data-row]')];
    if (rows.length === 0) return;
    const at = rows.indexOf(document.activeElement);
    const next = event.key === 'ArrowDown' ? at + 1 : at - 1;
    if (next < 0 || next >= rows.length) return;
    event.preventDefault();
    rows[next].focus();
  });

  // --- Time on the page: without pauses, sent with the choice. ---

  let activeMs = 0;
  let lastSeen = performance.now();
  let firstInput = '';

  const seen = (event) => {
    const now = performance.now();
    const gap = now - lastSeen;
    if (gap <= PAUSE_MAX_MS) activeMs += gap;
    lastSeen = now;
    if (firstInput === '' && event.type !== 'pointermove' && event.type !== 'scroll') {
      firstInput = new Date().toISOString();
    }
  };
  for (const kind of ['pointermove', 'pointerdown', 'keydown', 'scroll']) {
    document.addEventListener(kind, seen, { passive: true, capture: true });
  }

  document.addEventListener('submit', (event) => {
    const form = event.target;
    const put = (name, value) => {
      const field = form.querySelector(`input[name="${name}"]`);
      if (field) field.value = value;
    };
    put('active_ms', Math.round(activeMs).toString());
    put('first_input_at', firstInput);
    // A second press of a key must not choose twice.
    if (form.dataset.once !== undefined) {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = 'yes';
    }
  });

  // --- Parts that load later. ---

  const load = async (place) => {
    if (place.dataset.loaded) return;
    place.dataset.loaded = 'yes';
    place.setAttribute('aria-busy', 'true');
    try {
      const answer = await fetch(place.dataset.load, { headers: { 'X-Part': '1' } });
      // A page that says why it failed is no part of this one; the link in it stays.
      if (answer.ok) place.innerHTML = await answer.text();
      else place.dataset.loaded = '';
      if (answer.ok && place.querySelector('[data-again]')) {
        place.dataset.loaded = '';
        setTimeout(() => load(place), AGAIN_MS);
      }
    } catch {
      place.dataset.loaded = '';
    } finally {
      place.removeAttribute('aria-busy');
    }
  };

  for (const place of document.querySelectorAll('[data-load]')) {
    const fold = place.closest('details');
    if (fold && !fold.open) fold.addEventListener('toggle', () => load(place), { once: true });
    else load(place);
  }

  // --- Live forms: what they ask for is shown while somebody still turns a knob. ---

  let running = null;
  const timers = new WeakMap();
  const show = async (form) => {
    const target = document.getElementById(form.dataset.target);
    if (!target) return;
    running?.abort();
    running = new AbortController();
    target.setAttribute('aria-busy', 'true');
    try {
      const answer = await fetch(form.dataset.live, {
        method: 'POST',
        body: new URLSearchParams(new FormData(form)),
        headers: { 'X-Part': '1' },
        signal: running.signal,
      });
      target.innerHTML = await answer.text();
      target.removeAttribute('aria-busy');
      if (target.querySelector('[data-again]')) timers.set(form, setTimeout(() => show(form), AGAIN_MS));
    } catch (error) {
      if (error.name !== 'AbortError') target.removeAttribute('aria-busy');
    }
  };

  document.addEventListener('input', (event) => {
    const field = event.target;
    // A slider and its number say the same.
    const twin = field.dataset?.twin && document.getElementById(field.dataset.twin);
    if (twin && twin.value !== field.value) twin.value = field.value;
    const number = field.dataset?.was === undefined ? twin : field;
    if (number?.dataset.was !== undefined) {
      const isChanged = number.value === '' || Number(number.value) !== Number(number.dataset.was);
      number.closest('.lever')?.classList.toggle('changed', isChanged);
    }
    // A note changes nothing that is shown.
    const form = field.dataset?.still === undefined && field.closest?.('form[data-live]');
    if (!form) return;
    clearTimeout(timers.get(form));
    timers.set(form, setTimeout(() => show(form), LIVE_DELAY_MS));
  });

  // --- A table's box that ticks all of its rows. ---

  document.addEventListener('change', (event) => {
    if (event.target.dataset?.all === undefined) return;
    const boxes = document.querySelectorAll(`input[name="${event.target.dataset.all}"]`);
    for (const box of boxes) box.checked = event.target.checked;
  });

  // --- Undo: the message leaves when the time is over. ---

  const done = document.querySelector('.done[data-seconds]');
  if (done) {
    let left = Number(done.dataset.seconds);
    const clock = done.querySelector('[data-left]');
    const timer = setInterval(() => {
      left -= 1;
      if (clock) clock.textContent = String(Math.max(left, 0));
      if (left <= 0) {
        clearInterval(timer);
        done.hidden = true;
      }
    }, 1000);
  }
})();
