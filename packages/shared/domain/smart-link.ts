/** Where a smart link leads, prepared once per link: only the click reference and the visitor's parameters are still missing. */
export type Target = {
  /** The URL up to and including `p1=`. */
  readonly prefix: string;
  /** Canonical names that the URL already holds. */
  readonly taken: ReadonlySet<string>;
};

/** The tracking parameter that carries the click reference. */
export const REFERENCE_PARAMETER = 'p1';

// What the network reads itself: who is paid, for which click and device, and where the network sends the shopper.
const NETWORK_PARAMETERS = new Set(
  'campaign_id pub_id click_id clickid offer_id tid sub_pub_id gaid idfa android_id url redirect redirect_url deeplink deep_link'.split(
    ' ',
  ),
);
const MAX_OWN_LENGTH = 3_500;
const MAX_PASSED_LENGTH = 2_000;
const MAX_PASSED_PARAMETERS = 50;

/**
 * Prepares a tracking URL. A `p1` in it is dropped, as is any parameter that `own` sets; the rest is kept to the letter.
 *
 * @param trackingUrl an absolute URL
 * @param own parameters set on the link itself (sub-ids, UTM); what does not fit in 3,500 characters is left out
 */
export function prepareTarget(trackingUrl: string, own: Readonly<Record<string, string | undefined>>): Target {
  const url = new URL(trackingUrl);
  const ownNames = new Set(Object.keys(own).map(canonicalParameter));
  const parts: string[] = [];
  const taken = new Set<string>();
  for (const part of url.search.slice(1).split('&')) {
    const [name] = new URLSearchParams(part).keys();
    if (name === undefined) continue;
    const canonical = canonicalParameter(name);
    if (canonical === REFERENCE_PARAMETER || ownNames.has(canonical)) continue;
    taken.add(canonical);
    parts.push(part);
  }
  let room = MAX_OWN_LENGTH;
  for (const [name, value] of Object.entries(own)) {
    if (value === undefined || canonicalParameter(name) === REFERENCE_PARAMETER) continue;
    const part = new URLSearchParams([[name, value]]).toString();
    taken.add(canonicalParameter(name));
    if (part.length + 1 > room) continue;
    room -= part.length + 1;
    parts.push(part);
  }
  const query = parts.map((part) => `${part}&`).join('');
  return { prefix: `${url.origin}${url.pathname}?${query}${REFERENCE_PARAMETER}=`, taken };
}

/**
 * The URL a shopper is sent to. The visitor's parameters follow ours, but never override or repeat one of them, in whatever spelling; at most
 * 50 of them and 2,000 characters are passed on, so that the whole stays below 8 KB.
 *
 * @param reference the click reference, in base64url
 * @param query the visitor's query string, with or without `?`
 */
export function targetUrl(target: Target, reference: string, query: string): string {
  const own = target.prefix + reference;
  return query === '' || query === '?' ? own : own + passedParameters(target, query);
}

function passedParameters(target: Target, query: string): string {
  let passed = '';
  let count = 0;
  for (const [name, value] of new URLSearchParams(query)) {
    if (isProtected(target, name)) continue;
    const part = `&${new URLSearchParams([[name, value]]).toString()}`;
    if (++count > MAX_PASSED_PARAMETERS || passed.length + part.length > MAX_PASSED_LENGTH) break;
    passed += part;
  }
  return passed;
}

function isProtected(target: Target, name: string): boolean {
  const canonical = canonicalParameter(name);
  return (
    canonical === '' ||
    /^p\d+$/.test(canonical) ||
    canonical.startsWith('hb_') ||
    NETWORK_PARAMETERS.has(canonical) ||
    target.taken.has(canonical)
  );
}

/**
 * The name a lenient server may take a parameter for: decoded again, lower case, without array brackets, surrounding white space, control
 * characters or what follows a NUL, with `.` and inner spaces as `_` (as PHP reads `campaign.id`).
 */
export function canonicalParameter(name: string): string {
  let text = name;
  for (let round = 0; round < 3 && text.includes('%'); round++) {
    text = text.replace(/%([0-7][0-9a-f])/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  }
  return text
    .normalize('NFKC')
    .replace(/(?<=.)[[\0].*$/s, '')
    .replace(/[\p{Cc}\p{Cf}]/gu, '')
    .replace(/[[\]]/g, '')
    .trim()
    .replace(/[\s.+-]/g, '_')
    .toLowerCase();
}
