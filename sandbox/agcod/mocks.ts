import { type Answer, json } from '../kit/http.ts';
import { AGCOD_ERRORS, type AgcodError, errorAnswer, type Operation } from './errors.ts';
import mockIds from './vectors/mock_creation_request_ids.json' with { type: 'json' };
import responses from './vectors/responses.json' with { type: 'json' };

const SAMPLES: Record<string, unknown> = responses;
// Mock ids that Amazon documents without a recorded answer.
const UNRECORDED: Record<string, AgcodError> = {
  F2000: AGCOD_ERRORS.requestNull,
  F2001: AGCOD_ERRORS.cardNumberNull,
  F2002: AGCOD_ERRORS.partnerIdNull,
};

/**
 * What Amazon's own sandbox answers to its mock creationRequestIds, whatever else the request says; `undefined` for any
 * other id. The success mock echoes the value asked for. No card comes into being.
 */
export function mockAnswer(operation: Operation, id: unknown, value: unknown): Answer | undefined {
  if (typeof id !== 'string' || id === 'note' || !Object.hasOwn(mockIds, id)) return undefined;
  const sample = SAMPLES[`mock.${id}`];
  if (id === 'F0000') return success(operation, sample, value);
  const error = isError(sample) ? sample : UNRECORDED[id];
  return error === undefined ? undefined : errorAnswer(operation, error);
}

function success(operation: Operation, sample: unknown, value: unknown): Answer {
  const { cardInfo, ...rest } = responses['mock.F0000'];
  if (operation === 'CancelGiftCard') {
    return json(200, { creationRequestId: rest.creationRequestId, gcId: rest.gcId, status: rest.status });
  }
  return json(200, value === undefined ? sample : { cardInfo: { ...cardInfo, value }, ...rest });
}

function isError(sample: unknown): sample is AgcodError {
  return typeof sample === 'object' && sample !== null && 'errorCode' in sample;
}
