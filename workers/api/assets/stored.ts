import { type Asset, assetName, MAX_ASSETS } from '@hissaback/shared/contracts/assets';
import { imageTypeNamed } from '@hissaback/shared/domain/image-type';
import { ProblemError } from '@hissaback/shared/http/problem';
import { assetPrefix, assetUrl } from './keys.ts';

/** Where files lie, and the platform's origin. */
export type Place = { bucket: R2Bucket; origin: string };

/** A tenant's files, newest first; one more than there may be at most. */
export async function storedAssets({ bucket, origin }: Place, tenantId: string): Promise<Asset[]> {
  const prefix = assetPrefix(tenantId);
  const { objects } = await bucket.list({ prefix, limit: MAX_ASSETS + 1 });
  const assets = objects.flatMap(({ key, size, uploaded }): Asset[] => {
    const name = key.slice(prefix.length);
    const media_type = imageTypeNamed(name.split('.')[1] ?? '');
    if (!assetName.safeParse(name).success || media_type === null) return [];
    return [{ name, url: assetUrl(origin, tenantId, name), media_type, size, stored_at: uploaded.toISOString() }];
  });
  return assets.toSorted((a, b) =>
    a.stored_at === b.stored_at ? (a.name < b.name ? -1 : 1) : a.stored_at < b.stored_at ? 1 : -1,
  );
}

/**
 * The file of this name if the tenant has it, null if it does not and has room for it.
 *
 * @throws ProblemError `conflict` (409)
 */
export async function storedOrRoom(place: Place, tenantId: string, name: string): Promise<Asset | null> {
  const there = await storedAssets(place, tenantId);
  const known = there.find((one) => one.name === name);
  if (known !== undefined) return known;
  if (there.length < MAX_ASSETS) return null;
  throw new ProblemError('conflict', { detail: `A tenant has at most ${MAX_ASSETS} files. Remove one first.` });
}
