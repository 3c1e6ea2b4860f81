import { drizzle, NodePgSession, NodePgTransaction } from 'drizzle-orm/node-postgres';
import { PgDialect } from 'drizzle-orm/pg-core';
import type pg from 'pg';
import { type Random, systemRandom } from '../domain/chance.ts';
import { isUuid } from '../domain/uuid.ts';
import { type DatabaseBinding, newClient } from './connection.ts';
import {
  AmbiguousCommitError,
  isConnectionLoss,
  isRetryable,
  TransactionAbortedError,
  TransactionInProgressError,
} from './errors.ts';
