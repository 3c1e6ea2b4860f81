import type { TenantStatement } from '@hissaback/shared/db/queries/statements';
import { formatPaise, parsePaise } from '@hissaback/shared/domain/money';
import { html, raw } from 'hono/html';
import { encodeBase64 } from 'hono/utils/encode';

const STYLE = `
:root{color-scheme:light}
body{font:1rem/1.5 system-ui,sans-serif;color:#111;background:#fff;margin:0 auto;padding:1rem;max-width:42rem;overflow-wrap:anywhere}
h1{font-size:1.5rem;line-height:1.25;margin:0}
header{border-bottom:2px solid #111;padding-bottom:.75rem}
header p{margin:.25rem 0 0}
table{border-collapse:collapse;width:100%;margin:1.5rem 0;break-inside:avoid}
caption{text-align:left;font-weight:600;font-size:1.125rem;padding:.25rem 0}
th,td{padding:.5rem .25rem;border-bottom:1px solid #767676;text-align:left;vertical-align:top}
td{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
th{font-weight:400}
.total th,.total td{font-weight:700;border-bottom:2px solid #111}
footer{font-size:.875rem;color:#444}
@page{margin:2cm}
@media print{body{padding:0;max-width:none;font-size:11pt}}
`;

let policy: Promise<string> | undefined;

/** The content security policy under which the page's own style is used and nothing else. */
export function tenantStatementPolicy(): Promise<string> {
  policy ??= crypto.subtle
    .digest('SHA-256', new TextEncoder().encode(STYLE))
    .then(
      (hash) =>
        `default-src 'none'; style-src 'sha256-${encodeBase64(hash)}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
  return policy;
}

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

function nameOf(month: string): string {
  const [year = '', number = ''] = month.split('-');
  return `${MONTHS[Number(number) - 1] ?? ''} ${year}`;
}

function Row({ label, value, isTotal = false }: { label: string; value: string; isTotal?: boolean }) {
  return (
    <tr class={isTotal ? 'total' : undefined}>
      <th scope="row">{label}</th>
      <td>{value}</td>
    </tr>
  );
}

type Amounts = TenantStatement['amounts'][number];

/** What was there before is what is there after, less what was earned, plus what was paid. */
function openingOf({ balance, earned, paid }: Amounts): string {
  return formatPaise(parsePaise(balance) - parsePaise(earned) + parsePaise(paid));
}

/** A tenant's statement of a month, on a phone and on paper alike: no script, no image. @param month YYYY-MM */
export function tenantStatementPage(month: string, statement: TenantStatement) {
  const { tenant, clicks, conversions, reversals, amounts } = statement;
  const title = `Statement for ${nameOf(month)}`;
  return html`<!doctype html>${(
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{`${title} - ${tenant}`}</title>
        <style>{raw(STYLE)}</style>
      </head>
      <body>
        <header>
          <h1>{title}</h1>
          <p dir="auto">{tenant}</p>
        </header>
        <main>
          <table>
            <caption>Traffic</caption>
            <tbody>
              <Row label="Clicks" value={String(clicks)} />
              <Row label="Conversions" value={String(conversions)} />
              <Row label="Reversals" value={String(reversals)} />
            </tbody>
          </table>
          {amounts.length === 0 && <p>No money moved up to the end of this month.</p>}
          {amounts.map((each) => (
            <table>
              <caption>{`Money in ${each.currency}`}</caption>
              <tbody>
                <Row label="Shared with shoppers" value={each.shared} />
                <Row label="Balance at the beginning" value={openingOf(each)} />
                <Row label="Earned" value={each.earned} />
                <Row label="Paid to you" value={each.paid} />
                <Row label="Balance at the end" value={each.balance} isTotal />
              </tbody>
            </table>
          ))}
        </main>
        <footer>
          <p>
            Days count by India's time. What is shared and earned counts when a purchase is confirmed, after the shop's
            return period; what is taken back later is subtracted in its month. No tax was withheld.
          </p>
        </footer>
      </body>
    </html>
  )}`;
}
