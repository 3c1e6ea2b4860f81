import type pg from 'pg';

const DAY_SECONDS = 86_400;

/** Whose history it is: a tenant with a link, and one shopper who has bought more than others. */
export type HistoryOf = { tenantId: string; linkId: string; campaignId: string; offerId: number; user: string };

/**
 * A tenant's past: conversions of 200.00 over the year before `until` (milliseconds since the Unix epoch), half of it the shopper's and half the creator's, paid
 * by gift cards, but for every twentieth, which a debt used up. One in `shopperHas` is the one shopper's, the others are of 500 others. Two payouts stand for all cards.
 */
export async function seedHistory(
  owner: pg.Client,
  of: HistoryOf,
  params: { conversions: number; shopperHas: number; until: number },
): Promise<void> {
  const { conversions, shopperHas, until } = params;
  await owner.query('select ensure_partitions($1, 14, 3)', [new Date(until)]);
  const [tenant, link, campaign] = [`'${of.tenantId}'::uuid`, `'${of.linkId}'::uuid`, `'${of.campaignId}'::uuid`];
  const last = `timestamptz '${new Date(until).toISOString()}'`;
  // Far from the ids that the clock mints.
  const id = 'n::bigint';
  const other = (n: string) => `('dddddddd-0000-4000-8000-' || lpad((${n})::text, 12, '0'))::uuid`;
  await owner.query(`
    insert into users (user_id, phone, created_at) select ${other('n')}, '+9196' || lpad(n::text, 8, '0'), ${last} from generate_series(1, 500) n
      on conflict do nothing;
    create temporary table past on commit preserve rows as
      select ${id} as conv_id, date_trunc('second', ${last} - make_interval(secs => ${365 * DAY_SECONDS} * (n::float8 / ${conversions}) + ${DAY_SECONDS})) as at,
        case when n % ${shopperHas} = 0 then '${of.user}'::uuid else ${other('1 + n % 500')} end as user_id, n % 20 = 7 as is_settled
      from generate_series(1, ${conversions}) n;
    set session_replication_role = replica;
    insert into conversion_identities (conv_id, tenant_id, occurred_at, click_id, link_id, offer_id, status, order_value, net_commission, changed_at)
      select conv_id, ${tenant}, at, conv_id, ${link}, ${of.offerId}, 'approved', 2000, 200, at from past;
    insert into conversions (conv_id, created_at, tenant_id, click_id, link_id, campaign_id, offer_id, user_id, net_commission, currency, status, cool_off_days,
        received_at)
      select conv_id, at, ${tenant}, conv_id, ${link}, ${campaign}, ${of.offerId}, user_id, 200, 'INR', 'approved', 30, at from past;
    insert into ledger (led_id, tenant_id, created_at, conv_id, user_id, currency, user_pct, user_amount, creator_amount, status, release_at, status_at)
      select conv_id, ${tenant}, at, conv_id, user_id, 'INR', 50, 100, 100, 'paid', at, at from past;
    insert into payouts (payout_id, tenant_id, side, payee, user_id, currency, amount, status, creation_request_id, agcod_endpoint, agcod_region, partner_id,
        card_may_exist, next_attempt_at, gc_id, paid_at, created_at, status_at)
      select md5(s)::uuid, ${tenant}, s, case s when 'shopper' then '${of.user}'::uuid else ${tenant} end, '${of.user}', 'INR', 100, 'paid', 'Hissa' || s,
        'https://agcod.test', 'eu', 'Hissa', true, ${last}, 'card-' || s, ${last}, ${last}, ${last} from unnest(array['shopper', 'creator']) s;
    insert into payout_items (led_id, tenant_id, side, event_id, payout_id, amount)
      select conv_id, ${tenant}, s, 'past', case when is_settled then null else md5(s)::uuid end, 100 from past, unnest(array['shopper', 'creator']) s;
    insert into journal_entries (event_id, account, amount, currency, tenant_id, kind, created_at)
      select 'c' || conv_id || '.accrual', a.account, a.amount, 'INR', ${tenant}, 'accrual', at from past
      cross join lateral (values ('network:' || ${tenant}, -200), ('vouchers:' || ${tenant}, 200)) a(account, amount);
    reset session_replication_role;
    drop table past`);
  await owner.query(
    `do $$ begin if to_regclass('reward_cover') is not null then
       perform refresh_reward_cover(array_agg(tenant_id), array_agg(created_at), array_agg(conv_id)) from ledger having count(*) > 0; end if; end $$`,
  );
  await owner.query('vacuum analyze');
}
