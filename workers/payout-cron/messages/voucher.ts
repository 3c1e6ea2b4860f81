import { formatPaise, type Paise } from '@hissaback/shared/domain/money';
import { voucherInEnglish } from './en.ts';
import { voucherInHindi } from './hi.ts';

/** The languages that a voucher's SMS is written in; everybody else reads English. */
export type MessageLanguage = 'en' | 'hi';

/** `users.language` is a BCP 47 tag such as `hi` or `hi-IN`. */
export function messageLanguage(tag: string): MessageLanguage {
  return /^hi\b/i.test(tag) ? 'hi' : 'en';
}

/** The text of a voucher's SMS; `amount` in paise. */
export function voucherMessage(language: MessageLanguage, amount: Paise, currency: string, code: string): string {
  const price = `${currency === 'INR' ? 'Rs' : currency} ${formatPaise(amount)}`;
  return language === 'hi' ? voucherInHindi(price, code) : voucherInEnglish(price, code);
}
