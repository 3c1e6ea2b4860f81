const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

/** Markup that needs no further escaping. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A template tag that escapes every value which is not markup itself. */
export function markup(strings: TemplateStringsArray, ...values: (string | number | Markup | Markup[])[]): Markup {
  const render = (value: string | number | Markup | Markup[]): string => {
    if (value instanceof Markup) return value.text;
    if (Array.isArray(value)) return value.map((part) => part.text).join('');
    return escapeText(String(value));
  };
  return new Markup(strings.reduce((out, part, index) => out + render(values[index - 1] ?? '') + part));
}

const STYLE = `body{font:1rem/1.5 system-ui,sans-serif;margin:0 auto;max-width:60rem;padding:1rem;color:#1a1a1a;background:#fff}
label{display:block;margin-top:1rem}input{font:inherit;padding:.5rem;min-width:16rem}
button{font:inherit;margin-top:1rem;padding:.6rem 1.2rem}table{border-collapse:collapse;width:100%}
th,td{border-bottom:1px solid #767676;padding:.5rem;text-align:left;vertical-align:top}
:focus-visible{outline:3px solid #0b57d0;outline-offset:2px}`;

/** A whole page around `main`. */
export function page(title: string, main: Markup): string {
  const document = markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title><style>${new Markup(STYLE)}</style></head>
<body><main>${main}</main></body></html>
`;
  return document.text;
}
