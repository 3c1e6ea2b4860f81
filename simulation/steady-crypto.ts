import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto';

type Key = { readonly secret: Uint8Array };
type Bytes = ArrayBuffer | ArrayBufferView;

const TAG_BYTES = 16;

/**
 * Lets Web Crypto answer at once instead of from a pool of threads, whose order would be chance of its own. Only what the workers use:
 * SHA-256, HMAC-SHA256, AES-256-GCM. Returns what puts the platform's own back.
 */
export function installSteadyCrypto(): () => void {
  const { subtle } = crypto;
  const importKey = subtle.importKey.bind(subtle);
  const steady: Record<string, (...given: never[]) => Promise<unknown>> = {
    digest: async (_algorithm: unknown, data: Bytes) => plain(createHash('sha256').update(view(data)).digest()),
    importKey: async (
      format: 'raw',
      secret: Bytes,
      algorithm: string | { name: string },
      ...rest: [boolean, Parameters<typeof importKey>[4]]
    ) => {
      const { name } = typeof algorithm === 'string' ? { name: algorithm } : algorithm;
      // Only pg derives keys, while it connects and nothing else goes on.
      if (name === 'PBKDF2') return importKey(format, secret as BufferSource, algorithm, ...rest);
      return { secret: Uint8Array.from(view(secret)) } satisfies Key;
    },
    sign: async (_algorithm: unknown, key: Key, data: Bytes) =>
      plain(createHmac('sha256', key.secret).update(view(data)).digest()),
    encrypt: async (algorithm: { iv: Bytes; additionalData?: Bytes }, key: Key, data: Bytes) => {
      const cipher = createCipheriv('aes-256-gcm', key.secret, view(algorithm.iv));
      if (algorithm.additionalData) cipher.setAAD(view(algorithm.additionalData));
      return plain(Buffer.concat([cipher.update(view(data)), cipher.final(), cipher.getAuthTag()]));
    },
    decrypt: async (algorithm: { iv: Bytes; additionalData?: Bytes }, key: Key, data: Bytes) => {
      const sealed = view(data);
      const decipher = createDecipheriv('aes-256-gcm', key.secret, view(algorithm.iv));
      if (algorithm.additionalData) decipher.setAAD(view(algorithm.additionalData));
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
      return plain(Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]));
    },
  };
  for (const [name, value] of Object.entries(steady))
    Object.defineProperty(subtle, name, { value, configurable: true, writable: true });
  return () => {
    for (const name of Object.keys(steady)) Reflect.deleteProperty(subtle, name);
  };
}

function view(data: Bytes): Uint8Array {
  return data instanceof ArrayBuffer
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function plain(buffer: Buffer): ArrayBuffer {
  return Uint8Array.from(buffer).buffer;
}
