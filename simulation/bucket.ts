/** The part of R2 that the workers use, in memory; it lists a few keys at a time, as R2 may. */
export class MemoryBucket {
  readonly objects = new Map<string, string>();

  put(key: string, value: string, isCreateOnly: boolean): { key: string } | null {
    if (isCreateOnly && this.objects.has(key)) return null;
    this.objects.set(key, value);
    return { key };
  }

  get(key: string): { text(): Promise<string>; json(): Promise<unknown> } | null {
    const value = this.objects.get(key);
    if (value === undefined) return null;
    return { text: async () => value, json: async () => JSON.parse(value) as unknown };
  }

  head(key: string): { key: string } | null {
    return this.objects.has(key) ? { key } : null;
  }

  delete(keys: string | readonly string[]): void {
    for (const key of typeof keys === 'string' ? [keys] : keys) this.objects.delete(key);
  }

  list(options: { prefix: string; limit?: number; cursor?: string }): {
    objects: { key: string }[];
    truncated: boolean;
    cursor?: string;
  } {
    const { prefix, limit = 50, cursor = '' } = options;
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > cursor).toSorted();
    const page = keys.slice(0, limit);
    const last = page.at(-1);
    const objects = page.map((key) => ({ key }));
    return keys.length > page.length && last !== undefined
      ? { objects, truncated: true, cursor: last }
      : { objects, truncated: false };
  }
}
