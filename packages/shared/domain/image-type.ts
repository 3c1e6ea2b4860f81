/** An image that browsers show and that can hold no script: SVG is none of them. */
export type ImageType = { extension: 'png' | 'jpg' | 'webp'; mediaType: 'image/png' | 'image/jpeg' | 'image/webp' };

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const PNG_HEADER = [0x49, 0x48, 0x44, 0x52]; // IHDR
const JPEG = [0xff, 0xd8, 0xff];
const RIFF = [0x52, 0x49, 0x46, 0x46];
const WEBP = [0x57, 0x45, 0x42, 0x50];

/** What an image is by its first bytes, whatever its sender says it is; null for anything else. */
export function imageTypeOf(bytes: Uint8Array): ImageType | null {
  if (startsWith(bytes, PNG, 0) && startsWith(bytes, PNG_HEADER, 12))
    return { extension: 'png', mediaType: 'image/png' };
  if (startsWith(bytes, JPEG, 0) && bytes.length > 4) return { extension: 'jpg', mediaType: 'image/jpeg' };
  if (startsWith(bytes, RIFF, 0) && startsWith(bytes, WEBP, 8)) return { extension: 'webp', mediaType: 'image/webp' };
  return null;
}

/** The media type of an image by the ending of its name, or null. */
export function imageTypeNamed(extension: string): ImageType['mediaType'] | null {
  const types: Readonly<Record<string, ImageType['mediaType']>> = {
    png: 'image/png',
    jpg: 'image/jpeg',
    webp: 'image/webp',
  };
  return Object.hasOwn(types, extension) ? (types[extension] ?? null) : null;
}

function startsWith(bytes: Uint8Array, expected: readonly number[], from: number): boolean {
  return expected.every((byte, index) => bytes[from + index] === byte);
}
