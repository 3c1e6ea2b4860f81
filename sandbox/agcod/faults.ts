import { z } from 'zod';
import { faultTiming } from '../kit/faults.ts';

/**
 * A fault of AGCOD. It strikes calls that are properly signed and within the rate; `creates` makes a failing answer follow
 * a card that came into being all the same.
 */
export const agcodFault = z.strictObject({
  ...faultTiming,
  kind: z.enum([
    'delay',
    'drop-after',
    'drop-before',
    'resend',
    'throttle',
    'error',
    'http-500',
    'garbage',
    'refunded',
  ]),
  op: z.enum(['CreateGiftCard', 'CancelGiftCard', 'GetAvailableFunds']).optional(),
  creationRequestId: z.string().max(200).optional(),
  creates: z.boolean().default(false),
  errorCode: z.string().max(40).default('F100'),
  errorType: z.string().max(100).default('GeneralError'),
  message: z.string().max(500).default('General Error'),
});

export type AgcodFault = z.output<typeof agcodFault>;
