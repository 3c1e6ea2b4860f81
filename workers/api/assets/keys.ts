/** Where a tenant's file lies in R2: everything of a tenant is below one prefix (the spec's section 4). */
export function assetKey(tenantId: string, name: string): string {
  return `tenants/${tenantId}/${name}`;
}

/** Its public address. `origin` is the platform's. */
export function assetUrl(origin: string, tenantId: string, name: string): string {
  return `${origin.replace(/\/$/, '')}/assets/${tenantId}/${name}`;
}
