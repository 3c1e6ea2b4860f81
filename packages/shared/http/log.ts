import type { Clock } from '../domain/chance.ts';

export type LogLevel = 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

export type Log = Readonly<Record<LogLevel, (event: string, fields?: LogFields) => void>>;

export type LogOptions = {
  clock: Clock;
  /** The worker's name. */
  service: string;
  requestId?: string;
  /** Where lines go; the console unless told. */
  write?: (line: string) => void;
};

const MAX_TEXT = 500;

/**
 * A log of one JSON line an event: `at`, `level`, `service`, `event`, `request_id` and the fields given. Texts are cut, and what looks like a phone number
 * or a token is struck out. Give ids, counts and reasons; never a phone number, a code, a token or a body.
 */
export function createLog(options: LogOptions): Log {
  const write = options.write ?? ((line: string) => console.log(line));
  const line = (level: LogLevel) => (event: string, fields?: LogFields) => {
    const entry: Record<string, unknown> = {
      at: new Date(options.clock.now()).toISOString(),
      level,
      service: options.service,
      event,
      ...(options.requestId !== undefined && { request_id: options.requestId }),
    };
    for (const [name, value] of Object.entries(fields ?? {})) entry[name] = loggable(value);
    write(JSON.stringify(entry));
  };
  return { info: line('info'), warn: line('warn'), error: line('error') };
}

function loggable(value: unknown): unknown {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'string') return scrub(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Error) return describe(value);
  return value === undefined ? undefined : scrub(JSON.stringify(value, (_, inner) => plain(inner)) ?? '');
}

// A driver's error carries the row in `detail`: only name, code, message and the place it came from are written.
function describe(error: Error): Record<string, unknown> {
  const { code } = error as { code?: unknown };
  const frames = (error.stack ?? '').split('\n').filter((frame) => /^\s+at /.test(frame));
  return {
    name: scrub(error.name),
    message: scrub(error.message),
    ...(typeof code === 'string' && { code: scrub(code) }),
    at: frames.slice(0, 5).map((frame) => scrub(frame.trim())),
  };
}

function plain(value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

function scrub(text: string): string {
  const safe = text
    .replace(/\beyJ[\w-]+\.[\w-]*\.?[\w-]*/g, '[token]')
    .replace(/\+\d{7,15}\b|\b91[6-9]\d{9}\b|\b[6-9]\d{9}\b/g, '[phone]');
  return safe.length > MAX_TEXT ? `${safe.slice(0, MAX_TEXT)}…` : safe;
}
