import { conversion } from '@hissaback/shared/contracts/conversions';
import { conversionById } from '@hissaback/shared/db/queries/conversions';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { ownTenant } from '../http/ownership.ts';
import { BIGINT } from '../http/page.ts';
import { operation } from '../openapi/operation.ts';
import { conversionView } from './view.ts';

/** `GET /v1/conversions/:conv_id`. */
export const getConversion = new Hono<ApiContext>().get(
  '/v1/conversions/:conv_id',
  operation({
    id: 'getConversion',
    summary: 'Read a conversion, with what became of it',
    answer: conversion,
    params: { conv_id: z.string().regex(BIGINT) },
  }),
  authenticate(['creator']),
  async (c) => {
    const text = c.req.param('conv_id');
    const tenant_id = ownTenant(c.var.principal, undefined);
    if (!BIGINT.test(text)) throw new ProblemError('not_found');
    const conv_id = BigInt(text);
    const row = await withTenant(c.var.db, tenant_id, (tx) => conversionById(tx, { tenant_id, conv_id }));
    if (row === null) throw new ProblemError('not_found');
    return c.json(conversionView(row));
  },
);
