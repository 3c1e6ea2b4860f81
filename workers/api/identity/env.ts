import type { LimitCalls, OtpCalls } from '@hissaback/shared/contracts/durable-objects';
import type { PostbackMessage } from '@hissaback/shared/contracts/postback-message';
import type { Database } from '@hissaback/shared/db/types';
import type { HttpVariables } from '@hissaback/shared/http/context';

/** A namespace of objects that answer `Calls`. */
export type ObjectNamespace<Calls> = {
  idFromName(name: string): DurableObjectId;
  idFromString(id: string): DurableObjectId;
  get(id: DurableObjectId): Calls;
};

/** What logging in needs of the api's environment. */
export type IdentityBindings = {
  OTP: ObjectNamespace<OtpCalls>;
  LIMIT: ObjectNamespace<LimitCalls>;
  POSTBACKS: { send(message: PostbackMessage): Promise<unknown> };
  JWT_KEYS: string;
  VISITOR_KEYS: string;
  /** Countries whose phones may log in, ISO 3166-1, comma separated. */
  OTP_COUNTRIES: string;
  /** Codes requested per address (IPv6: per /64) and hour. */
  OTP_PER_ADDRESS_PER_HOUR?: string;
  /** Codes sent per hour in all: what a flood may cost at most. */
  OTP_TOTAL_PER_HOUR?: string;
  SMS_ENDPOINT: string;
  SMS_AUTH_KEY: string;
  SMS_SENDER: string;
  DLT_ENTITY_ID: string;
  DLT_TEMPLATE_OTP: string;
};

export type IdentityEnv = { Bindings: IdentityBindings; Variables: HttpVariables & { db: Database } };
