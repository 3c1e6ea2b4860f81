import type { ObjectId, SessionCalls } from '../contracts/durable-objects.ts';
import type { Database } from '../db/types.ts';
import type { HttpVariables } from './context.ts';

/** The namespace of the sessions as a generated environment knows it: without the methods of another worker's objects. */
export type SessionNamespace = {
  idFromName(name: string): ObjectId;
  get(id: ObjectId): unknown;
};

/** What authentication finds on a request's context. */
export type AuthContext = {
  Bindings: {
    JWT_KEYS: string;
    /** Keys of the hashes that API keys are kept as. */
    API_KEY_KEYS: string;
    SESSIONS: SessionNamespace;
  };
  Variables: HttpVariables & { db: Database };
};

/** The object of a session. A stub that failed once may fail again: take a new one to repeat a call. */
export function sessionObject(sessions: SessionNamespace, sessionId: string): SessionCalls {
  return sessions.get(sessions.idFromName(sessionId)) as SessionCalls;
}
