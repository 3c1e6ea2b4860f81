-- Campaigns that the network lists in a form that cannot be read: their offers are not gone.
alter table offer_sync_pages add column kept int[] not null default '{}';
