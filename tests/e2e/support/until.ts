const EVERY_MS = 60;

/**
 * Asks until the answer is there: `ask` answers undefined, null, false or throws while it is not.
 * @throws Error naming `what`, and the last failure, when `within` milliseconds have passed
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | null | false>,
  within = 40_000,
): Promise<T> {
  const deadline = performance.now() + within;
  for (;;) {
    let failure: unknown;
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== null && answer !== false) return answer;
    } catch (error) {
      failure = error;
    }
    if (performance.now() > deadline)
      throw new Error(`${what}: not within ${within / 1000} s`, failure === undefined ? {} : { cause: failure });
    await new Promise((again) => setTimeout(again, EVERY_MS));
  }
}
