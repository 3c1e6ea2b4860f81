type Fetch = (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>;

/** An access token that renews itself by the refresh cookie. */
export class AccessToken {
  readonly #origin: string;
  readonly #fetch: Fetch;
  #jwt: string | null;
  #renewing: Promise<string | null> | null = null;

  constructor(origin: string, jwt: string | null, fetch: Fetch) {
    this.#origin = origin;
    this.#jwt = jwt;
    this.#fetch = fetch;
  }

  get current(): string | null {
    return this.#jwt;
  }

  set(jwt: string | null): void {
    this.#jwt = jwt;
  }

  /**
   * A fresh token in place of one that was refused, or null if the session has ended. Several requests that are refused at once share one renewal, since the
   * cookie changes with each.
   */
  async renewed(refused: string): Promise<string | null> {
    if (this.#jwt !== refused) return this.#jwt;
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  async #renew(): Promise<string | null> {
    // A browser sends the cookie along; the type of a Worker's request does not know the word.
    const init: RequestInit & { credentials: 'include' } = {
      method: 'POST',
      credentials: 'include',
      headers: { 'x-requested-with': 'hissaback-client' },
    };
    const answer = await this.#fetch(new URL('/v1/auth/refresh', this.#origin), init);
    const body: unknown = answer.ok ? await answer.json() : null;
    const jwt = typeof body === 'object' && body !== null ? (body as { jwt?: unknown }).jwt : undefined;
    this.#jwt = typeof jwt === 'string' ? jwt : null;
    return this.#jwt;
  }
}
