// The list of series: only what is in view is in the page, so that 30,000 series scroll as 30 do.
// Pages of the REST interface are fetched as they come into view and kept until the question changes.

const ROW = 54;
const PAGE = 100;
const MARGIN = 6;

export class SeriesList {
  constructor({ viewport, rows, fetchPage, onSelect, onCount, describe }) {
    Object.assign(this, { viewport, rows, fetchPage, onSelect, onCount, describe });
    this.pages = new Map();
    this.total = 0;
    this.cursor = -1;
    this.selected = null;
    this.generation = 0;
    viewport.addEventListener("scroll", () => this.draw(), { passive: true });
    viewport.addEventListener("keydown", (event) => this.key(event));
    rows.addEventListener("click", (event) => {
      const row = event.target.closest("[data-index]");
      if (row) this.select(Number(row.dataset.index));
    });
    new ResizeObserver(() => this.draw()).observe(viewport);
  }

  // Starts over with another question. Resolves to the first page once it is there.
  async ask(query) {
    this.generation += 1;
    this.query = query;
    this.pages.clear();
    this.cursor = -1;
    this.viewport.setAttribute("aria-busy", "true");
    const page = await this.load(0);
    this.viewport.removeAttribute("aria-busy");
    if (!page) return null;
    this.viewport.scrollTop = 0;
    this.rows.replaceChildren();
    this.draw();
    return page;
  }

  async load(number) {
    if (this.pages.has(number)) return this.pages.get(number);
    const generation = this.generation;
    this.pages.set(number, null);
    try {
      const page = await this.fetchPage({ ...this.query, offset: number * PAGE, limit: PAGE });
      if (generation !== this.generation) return null;
      this.pages.set(number, page.items);
      if (this.total !== page.total || number === 0) {
        this.total = page.total;
        this.onCount(page.total);
      }
      return page;
    } catch (trouble) {
      if (generation === this.generation) {
        this.pages.delete(number);
        this.note(trouble.problem?.title ?? "No connection", trouble.problem?.detail ?? "The server does not answer.", "Try again", () =>
          this.ask(this.query)
        );
      }
      return null;
    }
  }

  item(index) {
    return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE] ?? null;
  }

  mark(uniqueId) {
    this.selected = uniqueId;
    this.draw();
  }

  note(title, text, action, onAction) {
    this.total = 0;
    const box = document.createElement("div");
    box.className = "list-note";
    const strong = document.createElement("strong");
    strong.textContent = title;
    const p = document.createElement("p");
    p.textContent = text;
    box.append(strong, p);
    if (action) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "quiet";
      button.textContent = action;
      button.addEventListener("click", onAction);
      box.append(button);
    }
    this.viewport.removeAttribute("aria-busy");
    this.rows.style.height = "auto";
    this.rows.replaceChildren(box);
  }

  draw() {
    if (!this.total) return;
    this.rows.style.height = `${this.total * ROW}px`;
    const first = Math.max(0, Math.floor(this.viewport.scrollTop / ROW) - MARGIN);
    const last = Math.min(this.total, Math.ceil((this.viewport.scrollTop + this.viewport.clientHeight) / ROW) + MARGIN);
    for (let page = Math.floor(first / PAGE); page <= Math.floor(Math.max(first, last - 1) / PAGE); page += 1) {
      if (!this.pages.has(page)) this.load(page).then(() => this.draw());
    }
    const fragment = document.createDocumentFragment();
    for (let index = first; index < last; index += 1) fragment.append(this.row(index));
    this.rows.replaceChildren(fragment);
    if (this.cursor >= first && this.cursor < last) this.viewport.setAttribute("aria-activedescendant", `option-${this.cursor}`);
    else this.viewport.removeAttribute("aria-activedescendant");
  }

  row(index) {
    const row = document.createElement("div");
    row.id = `option-${index}`;
    row.className = "row";
    row.style.transform = `translateY(${index * ROW}px)`;
    row.setAttribute("role", "option");
    row.setAttribute("aria-posinset", index + 1);
    row.setAttribute("aria-setsize", this.total);
    row.dataset.index = index;
    const item = this.item(index);
    if (!item) {
      row.classList.add("waiting");
      row.setAttribute("aria-label", "Loading");
      return row;
    }
    row.dataset.id = item.unique_id;
    row.setAttribute("aria-selected", item.unique_id === this.selected);
    row.append(...this.describe(item));
    return row;
  }

  async key(event) {
    const inView = Math.max(1, Math.floor(this.viewport.clientHeight / ROW) - 1);
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: inView, PageUp: -inView, Home: -Infinity, End: Infinity };
    if (!(event.key in moves) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const from = this.cursor < 0 && moves[event.key] > 0 ? -1 : this.cursor;
    this.select(Math.min(this.total - 1, Math.max(0, from + moves[event.key])), true);
  }

  async select(index, byKey = false) {
    if (index < 0 || index >= this.total) return;
    this.cursor = index;
    const top = index * ROW;
    const { scrollTop, clientHeight } = this.viewport;
    if (top < scrollTop) this.viewport.scrollTop = top;
    else if (top + ROW > scrollTop + clientHeight) this.viewport.scrollTop = top + ROW - clientHeight;
    if (!this.item(index)) await this.load(Math.floor(index / PAGE));
    const item = this.item(index);
    if (!item || this.cursor !== index) return;
    this.mark(item.unique_id);
    this.onSelect(item, byKey);
  }
}
