/** The SMS that carries a voucher. `amount` as in `Rs 500.00`. */
export function voucherInEnglish(amount: string, code: string): string {
  return (
    `Hissaback: your cashback is here. Amazon gift card of ${amount}, code ${code}. ` +
    'To use it, open Amazon, go to Gift Cards, then Add a Gift Card. Do not share this code.'
  );
}
