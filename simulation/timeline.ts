type Happening = { readonly at: number; readonly order: number; readonly happen: () => void | Promise<void> };

/** What is to happen, by time; happenings of one moment in the order in which they were planned. */
export class Timeline {
  #planned: Happening[] = [];
  #count = 0;

  /** Plans a happening at `at`, milliseconds since the Unix epoch. */
  at(at: number, happen: () => void | Promise<void>): void {
    this.#count += 1;
    this.#planned.push({ at, order: this.#count, happen });
  }

  /** Takes out the first happening before `end`; null if there is none. */
  next(end: number): Happening | null {
    let first: Happening | null = null;
    for (const planned of this.#planned) {
      if (planned.at >= end) continue;
      if (first === null || planned.at < first.at || (planned.at === first.at && planned.order < first.order))
        first = planned;
    }
    if (first !== null) this.#planned = this.#planned.filter((planned) => planned !== first);
    return first;
  }
}
