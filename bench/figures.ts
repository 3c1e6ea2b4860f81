/** One line of a bench's table. */
export type Figure = { what: string; value: string; aim?: string };

/** Says what is going on; a bench may take a minute or two. */
export type Log = (line: string) => void;

/** A measurement that does not come to an end is given up after this, in milliseconds. */
export const GIVEN_UP_AFTER_MS = 240_000;

/** The figures as a table of text. */
export function table(figures: readonly Figure[]): string {
  const width = (pick: (figure: Figure) => string) => Math.max(...figures.map((figure) => pick(figure).length));
  const [what, value] = [width((figure) => figure.what), width((figure) => figure.value)];
  return figures
    .map((figure) =>
      `${figure.what.padEnd(what)}  ${figure.value.padStart(value)}  ${figure.aim === undefined ? '' : `(${figure.aim})`}`.trimEnd(),
    )
    .join('\n');
}

export function median(list: readonly number[]): number {
  return quantile(list, 0.5);
}

/** The value that a share of the list does not exceed. */
export function quantile(list: readonly number[], share: number): number {
  const sorted = list.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
