import { type Answer, json } from '../kit/http.ts';

/** The network's error bodies: each endpoint has its own. */

export function campaignsError(status: number, message: string): Answer {
  return json(status, { success: false, error: { code: 102, codeMsg: 'ERR_INVALID_REQUEST', message } });
}

export function conversionsError(status: number, message: string): Answer {
  return json(status, {
    success: false,
    errors: [{ statusCode: status, code: 'ERR_VALIDATION', codeMsg: 'ERR_INVALID_REQUEST', message }],
  });
}

export function plainError(status: number, message: string): Answer {
  return json(status, { success: false, error: { code: 13, message } });
}

/** The rate limit is not the endpoint's but that of the gateway in front: its body is the same everywhere. */
export function rateLimitError(): Answer {
  return json(
    429,
    { success: false, error: { code: 13, message: 'Too many requests, please try again later' } },
    { 'retry-after': '1' },
  );
}
