import { z } from 'zod';
import { SCOPES } from '../domain/api-key.ts';
import { nameText } from '../http/validate.ts';
import { instant, uuid } from './fields.ts';

/** `POST /v1/api-keys`. */
export const newApiKey = z.strictObject({
  name: nameText(80),
  scopes: z
    .array(z.enum(SCOPES))
    .min(1)
    .max(SCOPES.length)
    .refine((scopes) => new Set(scopes).size === scopes.length, { message: 'Name each scope once' }),
});

/** A key in the tenant's list. */
export const apiKey = z.object({
  key_id: uuid,
  name: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  /** The member whose rights the key has. */
  created_by: uuid,
  created_at: instant,
  /** To the minute. */
  last_used_at: instant.nullable(),
});
export const apiKeys = z.array(apiKey);

/** A new key: the one time that `key` is shown. */
export const createdApiKey = apiKey.extend({ key: z.string() });

export type ApiKeyView = z.output<typeof apiKey>;
