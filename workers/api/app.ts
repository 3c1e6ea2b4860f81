import type { Clock, Random } from '@hissaback/shared/domain/chance';
import { requestScope } from '@hissaback/shared/http/context';
import { notFound, onError } from '@hissaback/shared/http/problem';
import { securityHeaders } from '@hissaback/shared/http/security-headers';
import { type ErrorHandler, Hono } from 'hono';
import { breakdownCsv, breakdownRoute } from './analytics/breakdown.ts';
import { creatorAnalyticsRoute } from './analytics/creator.ts';
import { timeSeriesCsv, timeSeriesRoute } from './analytics/timeseries.ts';
import { apiKeyRoutes } from './api-keys/routes.ts';
import { deleteLogo } from './assets/delete-logo.ts';
import { getAsset } from './assets/get.ts';
import { listAssets } from './assets/list.ts';
import { putLogo } from './assets/put-logo.ts';
import { removeAsset } from './assets/remove.ts';
import { uploadAsset } from './assets/upload.ts';
import { createCampaign } from './campaigns/create.ts';
import { getCampaign } from './campaigns/get.ts';
import { listCampaignsRoute } from './campaigns/list.ts';
import { updateCampaignRoute } from './campaigns/update.ts';
import type { ApiContext } from './context.ts';
import { getConversion } from './conversions/get.ts';
import { listConversionsRoute } from './conversions/list.ts';
import { docs } from './docs/routes.ts';
import { claimDomainRoute } from './domains/claim.ts';
import { listDomainsRoute } from './domains/list.ts';
import { releaseDomainRoute } from './domains/release.ts';
import { verifyDomain } from './domains/verify.ts';
import { earningsRoute } from './earnings/get.ts';
import { clickEvent } from './events/click.ts';
import { conventions, onceOnly } from './http/conventions.ts';
import { requestDatabase } from './http/database.ts';
import { identityRoutes } from './identity/routes.ts';
import { killSwitchRoutes } from './kill-switches/routes.ts';
import { createLinks } from './links/bulk.ts';
import { createLink } from './links/create.ts';
import { getLink } from './links/get.ts';
import { listLinksRoute } from './links/list.ts';
import { linkQrPng, linkQrSvg } from './links/qr.ts';
import { updateLinkRoute } from './links/update.ts';
import { memberRoutes } from './members/routes.ts';
import { createMissingCashback } from './missing-cashback/create.ts';
import { decideMissingCashback } from './missing-cashback/decide.ts';
import { listMissingCashback } from './missing-cashback/list.ts';
import { listNoticesRoute } from './notices/list.ts';
import { readNoticeRoute } from './notices/read.ts';
import { notificationRoutes } from './notifications/routes.ts';
import { offerCategoriesRoute } from './offers/categories.ts';
import { offersRoute } from './offers/list.ts';
import { openApiJson } from './openapi/openapi-json.ts';
import { healthz } from './pages/healthz.ts';
import { landing } from './pages/landing.tsx';
import { robots } from './pages/robots.ts';
import { listPayoutsRoute } from './payouts/list.ts';
import { payoutOperations } from './payouts/operate.ts';
import { resendVoucher } from './payouts/resend.ts';
import { profileRoutes } from './profile/routes.ts';
import { reconciliationFindingsRoute } from './reconciliation/findings.ts';
import { importConversions } from './reconciliation/import.ts';
import { reconciliationReportCsv, reconciliationReportRoute } from './reconciliation/report.ts';
import { payoutRun } from './rewards/payout-run.ts';
import { rewardStatement } from './rewards/statement.ts';
import { rewardTotalsRoute } from './rewards/totals.ts';
import { userRewards } from './rewards/user.ts';
import { sessionRoutes } from './sessions/routes.ts';
import { payoutStatement } from './statements/payouts.ts';
import { tenantStatementRoute } from './statements/tenant.ts';
import { createTenant } from './tenants/create.ts';
import { getTenant } from './tenants/get.ts';
import { listTenants } from './tenants/list.ts';
import { updateTenantRoute } from './tenants/update.ts';
import { assignUnmatchedRoute } from './unmatched/assign.ts';
import { dismissUnmatchedRoute } from './unmatched/dismiss.ts';
import { listUnmatchedRoute } from './unmatched/list.ts';
import { showVoucher } from './vouchers/show.ts';
import { createWebhook } from './webhooks/create.ts';
import { listWebhookDeliveries } from './webhooks/deliveries.ts';
import { getWebhook } from './webhooks/get.ts';
import { listWebhooks } from './webhooks/list.ts';
import { removeWebhook } from './webhooks/remove.ts';
import { replayWebhookDelivery } from './webhooks/replay.ts';
import { rotateWebhookSecret } from './webhooks/rotate.ts';
import { updateWebhook } from './webhooks/update.ts';
import { widgetRoutes } from './widgets/routes.ts';

/** The worker's application: one line a route, each in the file its URL names. */
export function createApp(chance: { clock: Clock; random: Random; write?: (line: string) => void }) {
  const app = new Hono<ApiContext>();
  app.use(requestScope({ ...chance, service: 'api' }), securityHeaders(), ...conventions(app));
  app.use(requestDatabase, onceOnly(app));
  const routes = app
    .route('/', landing)
    .route('/', robots)
    .route('/', getAsset)
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
    .route('/', putLogo)
    .route('/', deleteLogo)
    .route('/', uploadAsset)
    .route('/', listAssets)
    .route('/', removeAsset)
    .route('/', claimDomainRoute)
    .route('/', listDomainsRoute)
    .route('/', verifyDomain)
    .route('/', releaseDomainRoute)
    .route('/', offersRoute)
    .route('/', offerCategoriesRoute)
    .route('/', createCampaign)
    .route('/', listCampaignsRoute)
    .route('/', getCampaign)
    .route('/', updateCampaignRoute)
    .route('/', createLink)
    .route('/', createLinks)
    .route('/', listLinksRoute)
    .route('/', getLink)
    .route('/', linkQrSvg)
    .route('/', linkQrPng)
    .route('/', updateLinkRoute)
    .route('/', createWebhook)
    .route('/', listWebhooks)
    .route('/', getWebhook)
    .route('/', updateWebhook)
    .route('/', removeWebhook)
    .route('/', rotateWebhookSecret)
    .route('/', listWebhookDeliveries)
    .route('/', replayWebhookDelivery)
    .route('/', clickEvent)
    .route('/', creatorAnalyticsRoute)
    .route('/', getConversion)
    .route('/', listConversionsRoute)
    .route('/', breakdownRoute)
    .route('/', breakdownCsv)
    .route('/', timeSeriesRoute)
    .route('/', timeSeriesCsv)
    .route('/', userRewards)
    .route('/', rewardStatement)
    .route('/', rewardTotalsRoute)
    .route('/', createMissingCashback)
    .route('/', listMissingCashback)
    .route('/', decideMissingCashback)
    .route('/', listUnmatchedRoute)
    .route('/', assignUnmatchedRoute)
    .route('/', dismissUnmatchedRoute)
    .route('/', importConversions)
    .route('/', reconciliationReportRoute)
    .route('/', reconciliationReportCsv)
    .route('/', reconciliationFindingsRoute)
    .route('/', payoutRun)
    .route('/', listPayoutsRoute)
    .route('/', earningsRoute)
    .route('/', payoutOperations)
    .route('/', resendVoucher)
    .route('/', showVoucher)
    .route('/', payoutStatement)
    .route('/', tenantStatementRoute)
    .route('/', listNoticesRoute)
    .route('/', readNoticeRoute)
    .route('/', notificationRoutes)
    .route('/', killSwitchRoutes)
    .route('/', openApiJson(app))
    .route('/', docs(app));
  // The handler needs a part of this context only, which the types of contexts cannot say.
  app.onError(onError as unknown as ErrorHandler<ApiContext>);
  app.notFound(notFound(app));
  return routes;
}
