import { type Markup, markup, page } from '../kit/page.ts';
import type { Message } from './messages.ts';

const SHOWN = 200;

/** The newest messages as a page for people. */
export function inboxPage(messages: Message[]): string {
  const rows: Markup[] = messages
    .slice(-SHOWN)
    .reverse()
    .map(
      ({ at, to, kind, text }) =>
        markup`<tr><td><time datetime="${at}">${at}</time></td><td>${to}</td><td>${kind}</td><td>${text}</td></tr>`,
    );
  const table = markup`<table><caption>Newest first</caption>
<thead><tr><th scope="col">Time</th><th scope="col">To</th><th scope="col">Kind</th><th scope="col">Text</th></tr></thead>
<tbody>${rows}</tbody></table>`;
  return page(
    'Text messages (sandbox)',
    markup`<h1>Text messages</h1>
<p>What the SMS gateway's stand-in accepted. <a href="/">Refresh</a></p>
${messages.length === 0 ? markup`<p>No messages yet.</p>` : table}`,
  );
}
