/** The part of R2 that the workers use, in memory. */
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

  list(prefix: string): { objects: { key: string }[]; truncated: boolean } {
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix)).toSorted();
    return { objects: keys.map((key) => ({ key })), truncated: false };
  }
}
