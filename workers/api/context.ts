import type { Database } from '@hissaback/shared/db/types';
import type { HttpVariables } from '@hissaback/shared/http/context';

/** What every route of this worker finds on its context. */
export type ApiContext = {
  Bindings: ApiEnv;
  Variables: HttpVariables & {
    /** One connection for this request, opened at its first transaction. */
    db: Database;
  };
};
