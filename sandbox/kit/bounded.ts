/** The newest `limit` items, oldest first. */
export class BoundedList<T> {
  readonly #limit: number;
  #items: T[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(item: T): void {
    this.#items.push(item);
    // Trimming in strides keeps a push cheap.
    if (this.#items.length >= this.#limit * 2) this.#items = this.#items.slice(-this.#limit);
  }

  all(): T[] {
    return this.#items.slice(-this.#limit);
  }

  clear(): void {
    this.#items = [];
  }
}

/** A map that forgets its oldest entries beyond `limit`. */
export class BoundedMap<V> {
  readonly #limit: number;
  readonly #items = new Map<string, V>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: string): V | undefined {
    return this.#items.get(key);
  }

  set(key: string, value: V): void {
    this.#items.set(key, value);
    if (this.#items.size <= this.#limit) return;
    const oldest = this.#items.keys().next();
    if (!oldest.done) this.#items.delete(oldest.value);
  }

  delete(key: string): void {
    this.#items.delete(key);
  }

  values(): V[] {
    return [...this.#items.values()];
  }

  clear(): void {
    this.#items.clear();
  }
}
