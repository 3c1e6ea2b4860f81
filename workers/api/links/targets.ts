import type { Countries, Devices, Link } from '@hissaback/shared/contracts/links';
import type { LinkTargets } from '@hissaback/shared/db/queries/links';
import { invalidField } from '@hissaback/shared/http/problem';

/** Countries and devices as a link's row keeps them. */
export function targetsOf(countries: Countries | null | undefined, devices: Devices | null | undefined): LinkTargets {
  return {
    ...(countries && {
      geo: { countries: countries.only, ...(countries.else !== undefined && { else: countries.else }) },
    }),
    ...(devices && Object.keys(devices).length > 0 && { dev: devices }),
  };
}

/** The targets after a change: what it does not name stays. */
export function changedTargets(
  before: LinkTargets,
  change: { countries?: Countries | null | undefined; devices?: Devices | null | undefined },
): LinkTargets {
  return {
    ...before,
    ...('countries' in change && { geo: targetsOf(change.countries, null).geo }),
    ...('devices' in change && { dev: targetsOf(null, change.devices).dev }),
  };
}

export function countriesOf({ geo }: LinkTargets): Link['countries'] {
  return geo === undefined ? null : { only: geo.countries, ...(geo.else !== undefined && { else: geo.else }) };
}

export function devicesOf({ dev }: LinkTargets): Link['devices'] {
  return dev ?? {};
}

/**
 * A device's link carries the click reference, so it stays with the network of the offer.
 *
 * @param trackingLink the offer's
 * @throws ProblemError `invalid_field` (422)
 */
export function assertSameNetwork(devices: Devices | null | undefined, trackingLink: string): void {
  const host = URL.parse(trackingLink)?.host;
  for (const [system, url] of Object.entries(devices ?? {})) {
    if (URL.parse(url)?.host !== host) throw invalidField(`devices.${system}`, "Must lead to the offer's network");
  }
}
