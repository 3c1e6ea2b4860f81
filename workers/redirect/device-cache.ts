import { type Device, deviceOf } from '@hissaback/shared/domain/device';

const MAX_ENTRIES = 1_000;
/** A longer user agent than this, in characters, is none that comes again. */
const LONGEST = 512;

/** What user agents say of the device: few are in use at a time, and telling bots apart takes longer than finding one again. Bounded. */
export class DeviceCache {
  readonly #known = new Map<string, Device>();

  of(userAgent: string): Device {
    const known = this.#known.get(userAgent);
    if (known !== undefined) return known;
    const device = deviceOf(userAgent);
    if (userAgent.length > LONGEST) return device;
    if (this.#known.size >= MAX_ENTRIES) this.#known.clear();
    this.#known.set(userAgent, device);
    return device;
  }
}
