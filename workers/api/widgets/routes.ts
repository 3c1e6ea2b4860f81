import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { archiveWidgetRoute } from './archive.ts';
import { createWidget } from './create.ts';
import { createWidgetToken } from './create-token.ts';
import { getWidget } from './get.ts';
import { listWidgetsRoute } from './list.ts';
import { listWidgetTokensRoute } from './list-tokens.ts';
import { revokeWidgetTokenRoute } from './revoke-token.ts';
import { updateWidgetRoute } from './update.ts';

/** Widgets and the publishable tokens that they carry. */
export const widgetRoutes = new Hono<ApiContext>()
  .route('/', createWidget)
  .route('/', listWidgetsRoute)
  .route('/', getWidget)
  .route('/', updateWidgetRoute)
  .route('/', archiveWidgetRoute)
  .route('/', createWidgetToken)
  .route('/', listWidgetTokensRoute)
  .route('/', revokeWidgetTokenRoute);
