/** Everything of a tenant in R2 is below one prefix (the spec's section 4). */
export function assetPrefix(tenantId: string): string {
  return `tenants/${tenantId}/`;
}

/** Where a tenant's file lies in R2. */
export function assetKey(tenantId: string, name: string): string {
  return assetPrefix(tenantId) + name;
}

/** Its public address. `origin` is the platform's. */
export function assetUrl(origin: string, tenantId: string, name: string): string {
  return `${origin.replace(/\/$/, '')}/assets/${tenantId}/${name}`;
}
