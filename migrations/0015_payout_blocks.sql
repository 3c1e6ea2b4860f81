-- Payouts: what blocks a payee is asked for each payout that is about to be sent; a payout's time of creation is no part of its identity.

create index payouts_blocking on payouts (payee, side) where status = 'error_hard' and resolved_at is null;

-- created_at may be moved, as every other time of a payout may: nothing is keyed by it.
create or replace function payouts_move_by_their_machine() returns trigger language plpgsql as $$
begin
  if (new.payout_id, new.tenant_id, new.side, new.payee, new.user_id, new.method, new.currency, new.amount, new.creation_request_id,
      new.agcod_endpoint, new.agcod_region, new.partner_id)
     is distinct from
     (old.payout_id, old.tenant_id, old.side, old.payee, old.user_id, old.method, old.currency, old.amount, old.creation_request_id,
      old.agcod_endpoint, old.agcod_region, old.partner_id) then
    raise exception 'a payout keeps its amount, payee and creationRequestId' using errcode = 'restrict_violation';
  end if;
  if old.gc_id is not null and new.gc_id is distinct from old.gc_id then
    raise exception 'a payout keeps its gift card' using errcode = 'restrict_violation';
  end if;
  if new.status = old.status
     or (old.status = 'queued' and new.status in ('sending', 'cancelled', 'held'))
     or (old.status = 'sending' and new.status in ('issued', 'error_hard', 'error_soft', 'held', 'cancelled'))
     or (old.status = 'held' and new.status in ('queued', 'sending', 'cancelled'))
     or (old.status = 'error_soft' and new.status in ('sending', 'held', 'cancelled'))
     or (old.status = 'error_hard' and new.status in ('sending', 'cancelled'))
     or (old.status = 'issued' and new.status in ('paid', 'cancelled')) then
    return new;
  end if;
  raise exception 'payout status cannot go from % to %', old.status, new.status using errcode = 'restrict_violation';
end
$$;
