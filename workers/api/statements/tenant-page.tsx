import type { TenantStatement } from '@hissaback/shared/db/queries/statements';

const STYLE = `
:root{color-scheme:light}
body{font:1rem/1.5 system-ui,sans-serif;color:#111;background:#fff;margin:0 auto;padding:1rem;max-width:42rem}
h1{font-size:1.4rem;margin:0}
table{border-collapse:collapse;width:100%;margin:1rem 0}
caption{text-align:left;font-weight:600;padding:.25rem 0}
th,td{padding:.5rem .25rem;border-bottom:1px solid #767676;text-align:left;vertical-align:top}
td{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
th{font-weight:400}
@media print{body{padding:0;max-width:none}a{color:inherit}}
`;

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

function Row({ label, value }: { label: string; value: string }) {
  return (
    <tr>
      <th scope="row">{label}</th>
      <td>{value}</td>
    </tr>
  );
}

/** A tenant's statement of a month, on a phone and on paper alike. @param props.month YYYY-MM */
export function TenantStatementPage({ month, statement }: { month: string; statement: TenantStatement }) {
  const { tenant, clicks, conversions, reversals, amounts } = statement;
  const title = `Statement for ${nameOf(month)}`;
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{`${title} - ${tenant}`}</title>
        {/* The text is ours: nothing of a tenant's is in it. */}
        <style dangerouslySetInnerHTML={{ __html: STYLE }} />
      </head>
      <body>
        <main>
          <h1>{title}</h1>
          <p>{tenant}. Days count by India's time.</p>
          <table>
            <caption>Traffic</caption>
            <tbody>
              <Row label="Clicks" value={String(clicks)} />
              <Row label="Conversions" value={String(conversions)} />
              <Row label="Reversals" value={String(reversals)} />
            </tbody>
          </table>
          {amounts.length === 0 && <p>No money moved up to the end of this month.</p>}
          {amounts.map(({ currency, shared, earned, paid, balance }) => (
            <table>
              <caption>{`Money in ${currency}`}</caption>
              <tbody>
                <Row label="Shared with shoppers" value={shared} />
                <Row label="Earned" value={earned} />
                <Row label="Paid to you" value={paid} />
                <Row label="Balance at the end" value={balance} />
              </tbody>
            </table>
          ))}
          <p>
            What is shared and earned counts when a purchase is confirmed, after the shop's return period. What is taken
            back later is subtracted in its month.
          </p>
        </main>
      </body>
    </html>
  );
}
