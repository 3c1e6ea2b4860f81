import { type CountryCode, isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/max';

const MAX_LENGTH = 32;

export type ParsedPhone =
  | { ok: true; e164: string; country: string }
  | { ok: false; reason: 'malformed' | 'country' | 'not_mobile' };

/**
 * The countries of `OTP_COUNTRIES`: ISO 3166-1 codes, comma separated; the first is meant where a number has no country code.
 *
 * @throws RangeError for a code that is none, or an empty list
 */
export function parseCountries(text: string): readonly CountryCode[] {
  const countries: CountryCode[] = [];
  for (const code of text.split(',').map((part) => part.trim().toUpperCase())) {
    if (!isSupportedCountry(code)) throw new RangeError(`OTP_COUNTRIES: not a country: ${code}`);
    countries.push(code);
  }
  return countries;
}

/** A phone number in E.164 if it is a mobile number of one of the countries. */
export function parsePhone(text: string, countries: readonly CountryCode[]): ParsedPhone {
  const [home] = countries;
  if (text.length > MAX_LENGTH || home === undefined || !/^[+\d\s().-]+$/.test(text))
    return { ok: false, reason: 'malformed' };
  const phone = parsePhoneNumberFromString(text, { defaultCountry: home, extract: false });
  if (phone === undefined || !phone.isPossible()) return { ok: false, reason: 'malformed' };
  const { country, number } = phone;
  if (country === undefined || !countries.includes(country)) return { ok: false, reason: 'country' };
  if (!phone.isValid()) return { ok: false, reason: 'malformed' };
  return isMobile(number, phone.getType()) ? { ok: true, e164: number, country } : { ok: false, reason: 'not_mobile' };
}

// India's mobile numbers begin with 6 to 9; new series are in use before the library's list of them grows.
function isMobile(e164: string, type: string | undefined): boolean {
  return type === 'MOBILE' || type === 'FIXED_LINE_OR_MOBILE' || /^\+91[6-9]\d{9}$/.test(e164);
}
