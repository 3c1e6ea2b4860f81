import type { z } from 'zod';

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
};
const FORMS: Readonly<Record<string, string>> = {
  guid: 'an id',
  uuid: 'an id',
  datetime: 'a time such as 2026-11-30T18:30:00Z',
  date: 'a date such as 2026-11-30',
  email: 'an email address',
  url: 'a URL',
};

/** What is wrong with a field, where its schema has no words of its own for it: for people, and naming no pattern or type of ours. */
export function wordsFor(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.input === undefined && issue.code !== 'custom') return 'Is missing';
  switch (issue.code) {
    case 'invalid_type':
      return `Must be ${KINDS[issue.expected] ?? 'of another type'}`;
    case 'invalid_format':
      return `Must be ${FORMS[issue.format] ?? 'of the form that the API describes'}`;
    case 'invalid_value':
      return `Must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`;
    case 'invalid_union':
      return 'Must be of a type that the API describes';
    case 'too_small':
      return atLeast(issue.origin, Number(issue.minimum));
    case 'too_big':
      return atMost(issue.origin, Number(issue.maximum));
    default:
      return undefined;
  }
}

function atLeast(origin: string, minimum: number): string {
  if (origin === 'string') return minimum <= 1 ? 'May not be empty' : `Must have at least ${minimum} characters`;
  if (origin === 'array') return minimum <= 1 ? 'May not be empty' : `Must have at least ${minimum} entries`;
  return `Must be ${minimum} or more`;
}

function atMost(origin: string, maximum: number): string {
  if (origin === 'string') return `May have at most ${maximum} characters`;
  if (origin === 'array') return `May have at most ${maximum} entries`;
  return `Must be ${maximum} or less`;
}
