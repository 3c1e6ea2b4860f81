/** How long an answer may stay away before its head is sent, and how often a sign of life follows, in milliseconds. */
const HEAD_AFTER_MS = 20_000;
const SIGN_EVERY_MS = 10_000;

/**
 * The answer of a request that may take many minutes. What comes within 20 seconds is answered as ever, a refusal with its own status. Later the head goes
 * out with status 200 and blank lines follow, which JSON allows, so that no client and nothing between takes the connection for dead; the value ends it. Should
 * the work fail then, the body breaks off.
 * @throws what `work` throws within the first 20 seconds
 */
export async function patientJson(
  work: Promise<unknown>,
  after: { headMs: number; signMs: number } = { headMs: HEAD_AFTER_MS, signMs: SIGN_EVERY_MS },
): Promise<Response> {
  const quick = await Promise.race([work.then((value) => ({ value })), pause(after.headMs)]);
  if (quick !== undefined) return Response.json(quick.value);
  const encoder = new TextEncoder();
  let timer: ReturnType<typeof setInterval> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const sign = (): void => controller.enqueue(encoder.encode('\n'));
      sign();
      timer = setInterval(sign, after.signMs);
      work
        .then((value) => {
          controller.enqueue(encoder.encode(JSON.stringify(value)));
          controller.close();
        })
        .catch((error: unknown) => controller.error(error))
        .finally(() => clearInterval(timer));
    },
    cancel() {
      clearInterval(timer);
    },
  });
  // A compressor on the way would hold the signs back until there is enough of them.
  return new Response(body, { headers: { 'content-type': 'application/json', 'content-encoding': 'identity' } });
}

function pause(milliseconds: number): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(undefined), milliseconds);
  });
}
