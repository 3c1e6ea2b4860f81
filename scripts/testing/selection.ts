/** What `npm test -- ...` asks for. */
export type Selection = {
  steps: string[];
  /** Part of a test file's path, or of a test's name. */
  filter: string | undefined;
};

/** An argument names a step by its whole name, by its first words (`workers`, `types`) or by its last (`e2e`). */
function isNamedBy(step: string, argument: string): boolean {
  const name = argument.replace(/\/$/, '');
  return step === name || step.startsWith(`${name}/`) || step.endsWith(`/${name}`);
}

/**
 * Reads the arguments: names of steps, then at most one filter. Without arguments every step is meant.
 * @throws RangeError with the names there are, if the first argument is none of them or more than one filter is given
 */
export function select(known: readonly string[], args: readonly string[]): Selection {
  if (args.length === 0) return { steps: [...known], filter: undefined };
  const named = (argument: string | undefined) =>
    argument === undefined ? [] : known.filter((step) => isNamedBy(step, argument));
  const filterAt = args.findIndex((argument) => named(argument).length === 0);
  const names = filterAt === -1 ? args : args.slice(0, filterAt);
  const filters = args.slice(names.length);
  if (names.length === 0 || filters.length > 1)
    throw new RangeError(
      `There is no step "${names.length === 0 ? args[0] : filters[1]}". Usage: npm test -- [step ...] [file or name of a test]\n` +
        `Steps: ${known.join(', ')}`,
    );
  const wanted = new Set(names.flatMap(named));
  return { steps: known.filter((step) => wanted.has(step)), filter: filters[0] };
}
