/** The SMS that carries a voucher. `amount` as in `Rs 500.00`. */
export function voucherInHindi(amount: string, code: string): string {
  return (
    `Hissaback: आपका कैशबैक आ गया है। ${amount} का Amazon गिफ्ट कार्ड, कोड ${code}. ` +
    'इस्तेमाल के लिए Amazon खोलें, Gift Cards में जाएँ और Add a Gift Card चुनें। यह कोड किसी को न बताएँ।'
  );
}
