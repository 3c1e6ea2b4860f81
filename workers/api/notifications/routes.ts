import { notificationChange, notificationPreferences } from '@hissaback/shared/contracts/payouts';
import {
  changeNotificationPreferences,
  notificationPreferences as preferencesOf,
} from '@hissaback/shared/db/queries/notifications';
import { withUser } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { jsonInput } from '../http/input.ts';
import { operation } from '../openapi/operation.ts';

/** `GET` and `PATCH /v1/me/notifications`: which text messages about rewards a shopper wants. Codes and vouchers come in any case. */
export const notificationRoutes = new Hono<ApiContext>()
  .get(
    '/v1/me/notifications',
    operation({
      id: 'getNotifications',
      summary: 'Tell which text messages about your rewards you get',
      answer: notificationPreferences,
    }),
    authenticate(['shopper', 'creator']),
    async (c) => {
      const user_id = c.var.principal.sub;
      return c.json(await withUser(c.var.db, user_id, (tx) => preferencesOf(tx, { user_id })));
    },
  )
  .patch(
    '/v1/me/notifications',
    operation({
      id: 'updateNotifications',
      summary: 'Switch text messages about your rewards on or off',
      answer: notificationPreferences,
    }),
    authenticate(['shopper', 'creator']),
    jsonInput(notificationChange),
    async (c) => {
      const user_id = c.var.principal.sub;
      const at = new Date(c.var.clock.now());
      const changed = await withUser(c.var.db, user_id, (tx) =>
        changeNotificationPreferences(tx, { user_id, change: c.req.valid('json').check(), at }),
      );
      return c.json(changed);
    },
  );
