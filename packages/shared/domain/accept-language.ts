const WEIGHT = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

/** The one of `offered` that an `Accept-Language` header wants most; the first of them if it wants none. */
export function preferredLanguage<Language extends string>(
  header: string | null | undefined,
  offered: readonly [Language, ...Language[]],
): Language {
  let best: { language: Language; weight: number } = { language: offered[0], weight: 0 };
  for (const part of (header ?? '').slice(0, 400).split(',')) {
    const [tag = '', parameter = 'q=1'] = part.split(';').map((piece) => piece.trim().toLowerCase());
    const language = offered.find((each) => tag === each || tag.startsWith(`${each}-`));
    const weight = Number(WEIGHT.exec(parameter)?.[1] ?? 0);
    if (language !== undefined && weight > best.weight) best = { language, weight };
  }
  return best.language;
}
