import type { LimitCalls, ObjectNamespace, OtpCalls } from '@hissaback/shared/contracts/durable-objects';
import type { PostbackMessage } from '@hissaback/shared/contracts/postback-message';
import type { Database } from '@hissaback/shared/db/types';
import type { SessionNamespace } from '@hissaback/shared/http/auth-context';
import type { HttpVariables } from '@hissaback/shared/http/context';

/** What logging in needs of the api's environment. */
export type IdentityBindings = {
  OTP: ObjectNamespace<OtpCalls>;
  LIMIT: ObjectNamespace<LimitCalls>;
  SESSIONS: SessionNamespace;
  POSTBACKS: { send(message: PostbackMessage): Promise<unknown> };
  JWT_KEYS: string;
  VISITOR_KEYS: string;
  API_KEY_KEYS: string;
  /** Keys of the hashes that PANs are kept as. */
  KYC_KEYS: string;
  /** Countries whose phones may log in, ISO 3166-1, comma separated. */
  OTP_COUNTRIES: string;
  /** Codes requested per address (IPv6: per /64) and hour. */
  OTP_PER_ADDRESS_PER_HOUR?: string;
  /** Codes sent per hour in all: what a flood may cost at most. */
  OTP_TOTAL_PER_HOUR?: string;
  /** Days without a login or refresh after which a phone alone opens no account that holds anything. */
  RECYCLED_PHONE_DAYS?: string;
  SMS_ENDPOINT: string;
  SMS_AUTH_KEY: string;
  SMS_SENDER: string;
  DLT_ENTITY_ID: string;
  DLT_TEMPLATE_OTP: string;
  /** The Hindi text's own template; without one everybody gets the English text. */
  DLT_TEMPLATE_OTP_HI?: string;
};

export type IdentityEnv = { Bindings: IdentityBindings; Variables: HttpVariables & { db: Database } };
