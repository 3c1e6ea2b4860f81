import { createHmac } from 'node:crypto';
import pg from 'pg';

/** The login roles of the workers, by their names in stack.json. */
export const ROLES = { api: 'hissaback_api', webhook: 'hissaback_ingest', payout: 'hissaback_payout' } as const;

export type DatabaseUrls = { owner: string } & Record<keyof typeof ROLES, string>;

/**
 * The password of a worker's role. It derives from the owner's own, so that all stacks on one server agree on it.
 */
function rolePassword(ownerUrl: string, role: string): string {
  const key = decodeURIComponent(new URL(ownerUrl).password);
  return createHmac('sha256', key).update(`role:${role}`).digest('hex');
}

/** Each worker's connection string: the owner's server and database under the worker's own role. */
export function databaseUrls(ownerUrl: string): DatabaseUrls {
  const roleUrl = (role: string) => {
    const url = new URL(ownerUrl);
    url.username = role;
    url.password = rolePassword(ownerUrl, role);
    // Asking a local server for TLS costs every connection a round trip.
    if (['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname) && !url.searchParams.has('sslmode')) {
      url.searchParams.set('sslmode', 'disable');
    }
    return url.href;
  };
  return {
    owner: ownerUrl,
    api: roleUrl(ROLES.api),
    webhook: roleUrl(ROLES.webhook),
    payout: roleUrl(ROLES.payout),
  };
}

/** Lets the workers' roles, which the migrations made, log in with the passwords of `databaseUrls`. */
export async function setRolePasswords(ownerUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    // In one transaction, and one stack after the other: two that change the same role at once would fail.
    await client.query('begin');
    await client.query("select pg_advisory_xact_lock(hashtext('hissaback roles'))");
    for (const role of Object.values(ROLES)) {
      const password = client.escapeLiteral(rolePassword(ownerUrl, role));
      await client.query(`alter role ${client.escapeIdentifier(role)} login password ${password}`);
    }
    await client.query('commit');
  } finally {
    await client.end();
  }
}
