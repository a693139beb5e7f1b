/* The graph explorer: makes the picture that `src/plot/network.rs` draws movable.
 *
 * Without this script the page still has the picture, whose nodes are links, and a table that
 * says the same. With it: drag the background to pan, turn the wheel to zoom, drag a node to
 * pin it, click to select, click again to follow its link.
 *
 * The page gives, within one element `[data-graph]`:
 *   svg.network                   nodes `a.node[data-node]`, links `line.edge[data-from][data-to]`
 *   [data-act]                    buttons: zoom-in, zoom-out, isolate, expand, reset
 *   input[type=range][data-act=until] and output[data-until]: links first seen later are hidden
 *   [data-live]                   an `aria-live` line; its sentences, in the reader's language, are
 *                                 the attributes data-say-selected, data-say-isolated and
 *                                 data-say-reset, with {label} and {links} in them
 *
 * Keys work only while the focus is within the explorer, so they cannot be hit by accident and
 * leave the page's own keys alone; letters and signs are off when the page says `<html data-keys="off">`.
 *
 * Runs under `script-src 'self'; style-src 'self'`: it sets attributes, classes and text, but
 * never a style. How a class looks (`gone`, `later`, `selected`, `pinned`) is in plot.css.
 */
(() => {
  'use strict';

  const ZOOM_STEP = 1.25;
  const ZOOM_MAX = 24; // closest view, times the whole picture
  const ZOOM_MIN = 0.4; // furthest view
  const DRAG_MIN = 4; // pixels; a hand that trembles while it clicks drags nothing
  const DIRECTIONS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const ACTS = { '+': 'zoom-in', '=': 'zoom-in', '-': 'zoom-out', i: 'isolate', Escape: 'reset' };

  class Explorer {
    constructor(root, svg) {
      this.root = root;
      this.svg = svg;
      const [x, y, width, height] = svg.getAttribute('viewBox').split(' ').map(Number);
      this.whole = { x, y, width, height };
      this.view = { ...this.whole };
      this.nodes = new Map();
      for (const element of svg.querySelectorAll('a.node')) {
        const [left, top] = element.getAttribute('transform').match(/-?[\d.]+/g).map(Number);
        const node = { element, x: left, y: top, home: { x: left, y: top }, edges: [] };
        this.nodes.set(element.dataset.node, node);
      }
      this.edges = [...svg.querySelectorAll('line.edge')].map((element) => {
        const { from, to, firstSeen } = element.dataset;
        const ends = { from: this.nodes.get(from), to: this.nodes.get(to) };
        return { element, ...ends, firstSeen: Number(firstSeen) };
      });
      for (const edge of this.edges) for (const end of [edge.from, edge.to]) end.edges.push(edge);
      this.slider = root.querySelector('input[data-act=until]');
      Object.assign(this, { selected: null, isIsolated: false, drag: null });
      this.listen();
      this.showUntil();
    }

    listen() {
      const { svg, root } = this;
      svg.addEventListener('pointerdown', (event) => this.press(event));
      svg.addEventListener('pointermove', (event) => this.move(event));
      svg.addEventListener('pointerup', (event) => this.release(event));
      svg.addEventListener('pointercancel', (event) => this.release(event));
      svg.addEventListener('click', (event) => this.click(event), true);
      // A browser would drag the link itself, and our own drag would end.
      svg.addEventListener('dragstart', (event) => event.preventDefault());
      svg.addEventListener('wheel', (event) => this.wheel(event), { passive: false });
      root.addEventListener('keydown', (event) => this.key(event));
      this.slider?.addEventListener('input', () => this.showUntil());
      for (const button of root.querySelectorAll('button[data-act]')) {
        button.addEventListener('click', () => this.act(button.dataset.act));
      }
    }

    nodeOf(target) {
      const element = target.closest('a.node');
      return element && this.nodes.get(element.dataset.node);
    }

    /** Where the pointer is, in the picture's own units. */
    place(event) {
      const matrix = this.svg.getScreenCTM().inverse();
      return new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix);
    }

    press(event) {
      if (event.button !== 0) return;
      const node = this.nodeOf(event.target);
      this.drag = { node, first: event, last: this.place(event), isMoving: false };
    }

    move(event) {
      const { drag } = this;
      if (!drag) return;
      const { clientX, clientY } = drag.first;
      if (!drag.isMoving) {
        if (Math.hypot(event.clientX - clientX, event.clientY - clientY) < DRAG_MIN) return;
        drag.isMoving = true;
        // Captured only now: a captured pointer's click would not reach the node.
        this.svg.setPointerCapture(event.pointerId);
        this.svg.classList.add('panning');
      }
      const at = this.place(event);
      if (drag.node) {
        this.moveNode(drag.node, at.x, at.y);
        drag.node.element.classList.add('pinned');
        return;
      }
      this.view.x -= at.x - drag.last.x;
      this.view.y -= at.y - drag.last.y;
      this.showView();
      // The picture has moved under the pointer.
      drag.last = this.place(event);
    }

    release(event) {
      if (this.drag?.isMoving) {
        // The click that ends a drag selects nothing and follows no link.
        this.isClickSpent = true;
        setTimeout(() => { this.isClickSpent = false; }, 0);
        this.svg.releasePointerCapture(event.pointerId);
      }
      this.drag = null;
      this.svg.classList.remove('panning');
    }

    moveNode(node, x, y) {
      Object.assign(node, { x, y });
      node.element.setAttribute('transform', `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
      for (const { element, from, to } of node.edges) {
        const ends = { x1: from.x, y1: from.y, x2: to.x, y2: to.y };
        for (const name in ends) element.setAttribute(name, ends[name].toFixed(1));
      }
    }

    click(event) {
      const node = this.nodeOf(event.target);
      // With a modifier key a link is a link: it opens beside the page.
      const isLink = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
      if (!this.isClickSpent && (!node || isLink || node === this.selected)) return;
      event.preventDefault();
      if (!this.isClickSpent) this.select(node);
    }

    select(node) {
      this.selected?.element.classList.remove('selected');
      this.selected = node;
      node.element.classList.add('selected');
      node.element.focus({ preventScroll: true });
      if (this.isIsolated) this.isolate();
      this.say('selected');
    }

    wheel(event) {
      event.preventDefault();
      this.zoom(event.deltaY < 0 ? ZOOM_STEP : 1 / ZOOM_STEP, this.place(event));
    }

    /** Closer by a factor; what is at the given place stays there. */
    zoom(factor, at) {
      const { x, y, width, height } = this.view;
      const place = at || { x: x + width / 2, y: y + height / 2 };
      const scale = Math.min(ZOOM_MAX, Math.max(ZOOM_MIN, (this.whole.width / width) * factor));
      const shrink = this.whole.width / scale / width;
      this.view = {
        x: place.x - (place.x - x) * shrink,
        y: place.y - (place.y - y) * shrink,
        width: width * shrink,
        height: height * shrink,
      };
      this.showView();
    }

    showView() {
      const { x, y, width, height } = this.view;
      this.svg.setAttribute('viewBox', `${x} ${y} ${width} ${height}`);
    }

    key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target.closest('input, select, textarea')) return;
      if (document.documentElement.dataset.keys === 'off' && event.key.length === 1) return;
      const isStep = event.key in DIRECTIONS && this.svg.contains(event.target);
      if (!isStep && !(event.key in ACTS)) return;
      if (isStep) this.step(DIRECTIONS[event.key]);
      else this.act(ACTS[event.key]);
      event.preventDefault();
      event.stopPropagation();
    }

    act(name) {
      if (name === 'zoom-in') this.zoom(ZOOM_STEP);
      if (name === 'zoom-out') this.zoom(1 / ZOOM_STEP);
      if (name === 'reset') this.reset();
      if (name === 'isolate') {
        this.isIsolated = !this.isIsolated && this.chosen() !== null;
        this.isolate();
        this.say(this.isIsolated ? 'isolated' : 'selected');
      }
      if (name === 'expand' && this.chosen()) {
        location.assign(this.chosen().element.getAttribute('href'));
      }
    }

    /** The selected node, or the one that has the focus. */
    chosen() {
      if (!this.selected && this.svg.contains(document.activeElement)) {
        const node = this.nodeOf(document.activeElement);
        if (node) this.select(node);
      }
      return this.selected;
    }

    /** Shown neighbors of a node with the links to them. */
    neighbors(node) {
      const shown = node.edges.filter(({ element }) => !element.classList.contains('later'));
      return shown.map((edge) => (edge.from === node ? edge.to : edge.from));
    }

    isolate() {
      const kept = new Set(this.selected ? [this.selected, ...this.neighbors(this.selected)] : []);
      for (const node of this.nodes.values()) {
        node.element.classList.toggle('gone', this.isIsolated && !kept.has(node));
      }
      for (const { element, from, to } of this.edges) {
        const isOwn = from === this.selected || to === this.selected;
        element.classList.toggle('gone', this.isIsolated && !isOwn);
      }
      const button = this.root.querySelector('button[data-act=isolate]');
      button?.setAttribute('aria-pressed', String(this.isIsolated));
    }

    /** To the neighbor that lies nearest to the direction of an arrow key. */
    step([right, down]) {
      const from = this.nodeOf(document.activeElement) || this.selected;
      if (!from) return;
      let best = null;
      let bestCosine = 0.3;
      for (const node of this.neighbors(from)) {
        const [across, along] = [node.x - from.x, node.y - from.y];
        const cosine = (across * right + along * down) / Math.hypot(across, along);
        const isShown = !node.element.matches('.gone, .later');
        if (isShown && bestCosine < cosine) [best, bestCosine] = [node, cosine];
      }
      if (best) this.select(best);
    }

    showUntil() {
      if (!this.slider) return;
      const until = Number(this.slider.value);
      for (const edge of this.edges) edge.element.classList.toggle('later', until < edge.firstSeen);
      for (const node of this.nodes.values()) {
        // A node without links was there from the beginning: the page asked for it.
        const isLater = node.edges.length > 0 && this.neighbors(node).length === 0;
        node.element.classList.toggle('later', isLater && !node.element.classList.contains('own'));
      }
      if (this.isIsolated) this.isolate();
      const output = this.root.querySelector('output[data-until]');
      if (output) output.textContent = new Date(until * 1000).toISOString().slice(0, 10);
    }

    reset() {
      this.view = { ...this.whole };
      this.showView();
      for (const node of this.nodes.values()) {
        this.moveNode(node, node.home.x, node.home.y);
        node.element.classList.remove('pinned', 'selected');
      }
      this.selected = null;
      this.isIsolated = false;
      this.isolate();
      if (this.slider) this.slider.value = this.slider.max;
      this.showUntil();
      this.say('reset');
    }

    say(what) {
      const live = this.root.querySelector('[data-live]');
      const sentence = live?.getAttribute(`data-say-${what}`);
      if (!sentence || (!this.selected && what !== 'reset')) return;
      const label = this.selected?.element.querySelector('title').textContent;
      const links = this.selected ? this.neighbors(this.selected).length : 0;
      // Functions, since a label may hold the signs that `replace` gives a meaning to.
      live.textContent = sentence.replace('{label}', () => label).replace('{links}', () => links);
    }
  }

  const start = () => {
    for (const root of document.querySelectorAll('[data-graph]:not([data-ready])')) {
      const svg = root.querySelector('svg.network');
      root.dataset.ready = 'yes';
      if (svg) new Explorer(root, svg);
    }
  };

  start();
  // Parts of a page that arrive later; the event is htmx's.
  document.addEventListener('htmx:load', start);
})();
