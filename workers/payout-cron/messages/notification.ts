import type { NotificationKind } from '@hissaback/shared/domain/notification';
import type { MessageLanguage } from './voucher.ts';

type Words = { readonly amount: string; readonly brand: string };

/** Registered texts (DLT), one a kind and language: only amount and shop vary. `{brand}` is empty words where the shop is unknown. */
const TEXTS: Readonly<Record<NotificationKind, Readonly<Record<MessageLanguage, (words: Words) => string>>>> = {
  tracked: {
    en: ({ amount, brand }) =>
      `Hissaback: your purchase${brand && ` at ${brand}`} is tracked. Cashback of ${amount} is on its way; it is confirmed after the return period.`,
    hi: ({ amount, brand }) =>
      `Hissaback: ${brand && `${brand} पर `}आपकी खरीद दर्ज हो गई है। ${amount} का कैशबैक रिटर्न अवधि के बाद पक्का होगा।`,
  },
  confirmed: {
    en: ({ amount, brand }) =>
      `Hissaback: your cashback of ${amount}${brand && ` from ${brand}`} is confirmed. It is paid as an Amazon gift voucher.`,
    hi: ({ amount, brand }) =>
      `Hissaback: ${brand && `${brand} का `}आपका ${amount} का कैशबैक पक्का हो गया है। इसका भुगतान Amazon गिफ्ट वाउचर से होता है।`,
  },
  paid: {
    en: ({ amount }) =>
      `Hissaback: cashback of ${amount} was paid to you as a gift voucher. The code is in a message of its own.`,
    hi: ({ amount }) => `Hissaback: ${amount} का कैशबैक आपको गिफ्ट वाउचर के रूप में दिया गया है। कोड अलग संदेश में है।`,
  },
  reversed: {
    en: ({ amount, brand }) =>
      `Hissaback: the shop${brand && ` ${brand}`} cancelled a purchase or took it back, so its cashback of ${amount} was withdrawn.`,
    hi: ({ amount, brand }) =>
      `Hissaback: ${brand && `${brand} ने `}खरीद रद्द हुई या वापस ली गई, इसलिए ${amount} का कैशबैक हटा दिया गया है।`,
  },
};

/** Longest name of a shop in a message, so that it stays within two parts. */
const LONGEST_BRAND = 40;

/** The text of a notification. @param amount decimal text */
export function notificationMessage(
  kind: NotificationKind,
  language: MessageLanguage,
  words: { amount: string; currency: string; brand: string | null },
): string {
  const amount = `${words.currency === 'INR' ? 'Rs' : words.currency} ${words.amount}`;
  return TEXTS[kind][language]({ amount, brand: shopOf(words.brand ?? '') });
}

/** A shop's name on one line, cut between characters. */
function shopOf(brand: string): string {
  const line = brand.toWellFormed().replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ');
  return Array.from(new Intl.Segmenter().segment(line.trim()), ({ segment }) => segment)
    .slice(0, LONGEST_BRAND)
    .join('');
}
