import type { Clock, Random } from '@hissaback/shared/domain/chance';
import { requestScope } from '@hissaback/shared/http/context';
import { idempotency } from '@hissaback/shared/http/idempotency';
import { notFound, onError } from '@hissaback/shared/http/problem';
import { securityHeaders } from '@hissaback/shared/http/security-headers';
import { type ErrorHandler, Hono } from 'hono';
import { creatorAnalyticsRoute } from './analytics/creator.ts';
import { apiKeyRoutes } from './api-keys/routes.ts';
import { createCampaign } from './campaigns/create.ts';
import { getCampaign } from './campaigns/get.ts';
import { listCampaignsRoute } from './campaigns/list.ts';
import { updateCampaignRoute } from './campaigns/update.ts';
import type { ApiContext } from './context.ts';
import { docs } from './docs/routes.ts';
import { clickEvent } from './events/click.ts';
import { conventions } from './http/conventions.ts';
import { requestDatabase } from './http/database.ts';
import { identityRoutes } from './identity/routes.ts';
import { createLink } from './links/create.ts';
import { getLink } from './links/get.ts';
import { listLinksRoute } from './links/list.ts';
import { updateLinkRoute } from './links/update.ts';
import { memberRoutes } from './members/routes.ts';
import { offersRoute } from './offers/list.ts';
import { openApiJson } from './openapi/openapi-json.ts';
import { healthz } from './pages/healthz.ts';
import { landing } from './pages/landing.tsx';
import { robots } from './pages/robots.ts';
import { profileRoutes } from './profile/routes.ts';
import { payoutRun } from './rewards/payout-run.ts';
import { userRewards } from './rewards/user.ts';
import { sessionRoutes } from './sessions/routes.ts';
import { createTenant } from './tenants/create.ts';
import { getTenant } from './tenants/get.ts';
import { listTenants } from './tenants/list.ts';
import { updateTenantRoute } from './tenants/update.ts';
import { widgetRoutes } from './widgets/routes.ts';

/** The worker's application: one line a route, each in the file its URL names. */
export function createApp(chance: { clock: Clock; random: Random; write?: (line: string) => void }) {
  const app = new Hono<ApiContext>();
  app.use(requestScope({ ...chance, service: 'api' }), securityHeaders(), ...conventions(app));
  app.use(requestDatabase, idempotency());
  const routes = app
    .route('/', landing)
    .route('/', robots)
    .route('/', healthz)
    .route('/', identityRoutes)
    .route('/', sessionRoutes)
    .route('/', profileRoutes)
    .route('/', memberRoutes)
    .route('/', apiKeyRoutes)
    .route('/', widgetRoutes)
    .route('/', createTenant)
    .route('/', listTenants)
    .route('/', getTenant)
    .route('/', updateTenantRoute)
    .route('/', offersRoute)
    .route('/', createCampaign)
    .route('/', listCampaignsRoute)
    .route('/', getCampaign)
    .route('/', updateCampaignRoute)
    .route('/', createLink)
    .route('/', listLinksRoute)
    .route('/', getLink)
    .route('/', updateLinkRoute)
    .route('/', clickEvent)
    .route('/', creatorAnalyticsRoute)
    .route('/', userRewards)
    .route('/', payoutRun)
    .route(
      '/',
      openApiJson(() => app),
    );
  // The handler needs a part of this context only, which the types of contexts cannot say.
  app.onError(onError as unknown as ErrorHandler<ApiContext>);
  app.notFound(notFound(app));
  return routes;
}
