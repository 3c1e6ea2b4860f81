/** A step that did not go as it should; the message says what was seen. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed';
}

const EVERY_MS = 100;

export type Step = {
  /** When the step must have ended: milliseconds as performance.now() counts. */
  deadline: number;
  /** Ends with the step: for every fetch of it. */
  signal: AbortSignal;
};

/** Runs one step and prints what it says, with the time it took. Throws StepFailed if it does not end within its deadline (milliseconds). */
export async function step<T>(
  name: string,
  deadlineMs: number,
  work: (step: Step) => Promise<{ value: T; says: string }>,
): Promise<T> {
  const began = performance.now();
  const print = (text: string) => console.log(`${`${Math.round(performance.now() - began)} ms`.padStart(9)}  ${text}`);
  try {
    const { value, says } = await work({ deadline: began + deadlineMs, signal: AbortSignal.timeout(deadlineMs) });
    print(says);
    return value;
  } catch (error) {
    print(`FAILED: ${name}`);
    if (!(error instanceof DOMException && error.name === 'TimeoutError')) throw error;
    throw new StepFailed(`no answer within ${deadlineMs / 1000} s`);
  }
}

/** Throws StepFailed unless the condition holds. */
export function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new StepFailed(message);
}

/** Asks every tenth of a second until there is an answer. Throws StepFailed at the step's deadline. */
export async function until<T>({ deadline }: Step, what: string, ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    check(performance.now() < deadline, `waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}
