const FIELDS = [
  { name: 'minute', from: 0, to: 59 },
  { name: 'hour', from: 0, to: 23 },
  { name: 'day of month', from: 1, to: 31 },
  { name: 'month', from: 1, to: 12 },
  { name: 'day of week', from: 1, to: 7 },
] as const;

type Field = (typeof FIELDS)[number];

/** The values a field such as `1-5`, `* / 10` (without blanks) or `5,35` stands for. */
function valuesOf(text: string, field: Field): Set<number> {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^(?:\*|(?<low>\d+)(?:-(?<high>\d+))?)(?:\/(?<step>\d+))?$/.exec(part);
    const { low, high, step } = match?.groups ?? {};
    const from = low === undefined ? field.from : Number(low);
    const to = high === undefined ? (low === undefined || step ? field.to : from) : Number(high);
    const by = step === undefined ? 1 : Number(step);
    if (!match || by < 1 || from < field.from || to > field.to || from > to) {
      throw new Error(`cron field ${JSON.stringify(text)} is no ${field.name}`);
    }
    for (let value = from; value <= to; value += by) values.add(value);
  }
  return values;
}

/**
 * Whether a five-field cron expression falls on the minute of `at` (milliseconds since the epoch, UTC), as Cloudflare reads it:
 * weekdays run from 1 (Sunday) to 7; when both days are restricted either is enough. Throws on an expression it cannot read.
 */
export function fallsOn(cron: string, at: number): boolean {
  const fields = cron.trim().split(/\s+/);
  if (fields.length !== FIELDS.length) throw new Error(`cron expression ${JSON.stringify(cron)} needs five fields`);
  const date = new Date(at);
  const now = [
    date.getUTCMinutes(),
    date.getUTCHours(),
    date.getUTCDate(),
    date.getUTCMonth() + 1,
    date.getUTCDay() + 1,
  ];
  const [minute, hour, day, month, weekday] = FIELDS.map((field, index) =>
    valuesOf(fields[index] ?? '', field).has(now[index] ?? -1),
  );
  const eitherDay = fields[2] !== '*' && fields[4] !== '*';
  return Boolean(minute && hour && month && (eitherDay ? day || weekday : day && weekday));
}
