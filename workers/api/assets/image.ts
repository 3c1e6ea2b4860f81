import { type ImageType, imageTypeOf } from '@hissaback/shared/domain/image-type';
import { readBytes } from '@hissaback/shared/http/body';
import { ProblemError } from '@hissaback/shared/http/problem';

const HASH_BYTES = 16;

export type Image = { bytes: Uint8Array<ArrayBuffer>; type: ImageType; name: string };

/**
 * The image in a body, named by its content. What it is its first bytes say, not its sender; SVG, which can hold scripts, is refused.
 *
 * @throws ProblemError `body_too_large` (413), `unsupported_media_type` (415)
 */
export async function readImage(request: Request, maxBytes: number): Promise<Image> {
  const bytes = await readBytes(request, { maxBytes });
  const type = imageTypeOf(bytes);
  if (type === null) throw new ProblemError('unsupported_media_type', { detail: 'Send a PNG, JPEG or WebP image.' });
  return { bytes, type, name: `${await hashOf(bytes)}.${type.extension}` };
}

async function hashOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...digest.subarray(0, HASH_BYTES)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
