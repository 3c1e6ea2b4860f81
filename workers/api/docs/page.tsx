import { WEBHOOK_EVENTS, webhookMessages } from '@hissaback/shared/contracts/webhooks';
import { PROBLEMS } from '@hissaback/shared/http/problem';
import { answersOf, isSchema } from '@hissaback/shared/http/route-facts';
import { html, raw } from 'hono/html';
import type { DescribedRoute } from '../openapi/described-route.ts';
import { CONVENTIONS, problemCodes, templateOf, WEBHOOK_HEADERS, WEBHOOK_SUMMARIES } from '../openapi/document.ts';
import { bodySchema, jsonSchema, problem } from '../openapi/schemas.ts';
import { accessText } from '../openapi/table.ts';
import { schemaText } from './schema-text.ts';
import { STYLE } from './style.ts';

type Section = { name: string; routes: DescribedRoute[] };

/** The reference of the API as one page that needs nothing else: no script, no font, no image. */
export function referencePage(routes: readonly DescribedRoute[]) {
  const sections = sectionsOf(routes);
  return html`<!doctype html>${(
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        <title>Hissaback API reference</title>
        <style>{raw(STYLE)}</style>
      </head>
      <body>
        <a class="skip" href="#reference">
          Skip to the reference
        </a>
        <header>
          <h1>Hissaback API</h1>
          <p>
            The same reference for machines: <a href="/v1/openapi.json">openapi.json</a> (OpenAPI 3.1).
          </p>
          <ul>
            {CONVENTIONS.map((line) => (
              <li>
                <WithCode text={line} />
              </li>
            ))}
          </ul>
        </header>
        <nav aria-label="Sections">
          <ul>
            {sections.map(({ name }) => (
              <li>
                <a href={`#${name}`}>{name}</a>
              </li>
            ))}
            <li>
              <a href="#messages">messages</a>
            </li>
            <li>
              <a href="#errors">errors</a>
            </li>
          </ul>
        </nav>
        <main id="reference">
          {sections.map((section) => (
            <SectionOf section={section} />
          ))}
          <Messages />
          <Errors />
        </main>
        <footer>Hissaback</footer>
      </body>
    </html>
  )}`;
}

/** A text whose parts between backticks are code. */
function WithCode({ text }: { text: string }) {
  return <>{text.split('`').map((part, index) => (index % 2 === 1 ? <code>{part}</code> : part))}</>;
}

function sectionsOf(routes: readonly DescribedRoute[]): Section[] {
  const names = [...new Set(routes.map(sectionName))];
  return names.map((name) => ({ name, routes: routes.filter((route) => sectionName(route) === name) }));
}

function sectionName({ path }: DescribedRoute): string {
  return /^\/v1\/([a-z-]+)/.exec(path)?.[1] ?? 'keys';
}

function SectionOf({ section }: { section: Section }) {
  return (
    <section aria-labelledby={section.name}>
      <h2 id={section.name}>{section.name}</h2>
      {section.routes.map((route) => (
        <Operation route={route} />
      ))}
    </section>
  );
}

function Operation({ route }: { route: DescribedRoute }) {
  const { operation } = route;
  return (
    <details id={operation.id}>
      <summary>
        <h3>
          <span class="method">{route.method}</span> <code>{templateOf(route.path)}</code>
        </h3>
        <span>{operation.summary}</span>
      </summary>
      <div class="body">
        {operation.description && <p>{operation.description}</p>}
        <dl>
          <dt>For</dt>
          <dd>{accessText(route)}</dd>
          {route.scope && (
            <>
              <dt>API key</dt>
              <dd>
                with the scope <code>{route.scope}</code>
              </dd>
            </>
          )}
          {operation.limit && (
            <>
              <dt>Limit</dt>
              <dd>{operation.limit}</dd>
            </>
          )}
          {route.takesIdempotencyKey && (
            <>
              <dt>Idempotency-Key</dt>
              <dd>taken: the same key and request get the same answer for 24 hours</dd>
            </>
          )}
        </dl>
        <Input route={route} />
        <Output route={route} />
      </div>
    </details>
  );
}

function Input({ route }: { route: DescribedRoute }) {
  const { query, body } = route;
  return (
    <>
      {query && (
        <>
          <h4>Query</h4>
          <pre tabindex={0}>{schemaText(jsonSchema(query, 'input'))}</pre>
        </>
      )}
      {body && (
        <>
          <h4>Body</h4>
          <pre tabindex={0}>{isSchema(body) ? schemaText(bodySchema(body)) : body.type}</pre>
        </>
      )}
    </>
  );
}

function Output({ route }: { route: DescribedRoute }) {
  return (
    <>
      {answersOf(route.operation).map(([status, holds]) => (
        <>
          <h4>Answer {status}</h4>
          {isSchema(holds) ? (
            <pre tabindex={0}>{schemaText(jsonSchema(holds, 'output'))}</pre>
          ) : (
            <p>{'type' in holds ? <code>{holds.type}</code> : 'No body.'}</p>
          )}
        </>
      ))}
      <h4>Errors</h4>
      <p>
        {route.errors.map((code, index) => (
          <>
            {index > 0 && ', '}
            <code>
              {PROBLEMS[code].status} {code}
            </code>
          </>
        ))}
      </p>
    </>
  );
}

function Messages() {
  return (
    <section aria-labelledby="messages">
      <h2 id="messages">messages</h2>
      <p>
        What endpoints of <code>POST /v1/webhooks</code> are sent, each with these headers, as Standard Webhooks says:
      </p>
      <dl>
        {Object.entries(WEBHOOK_HEADERS).map(([name, description]) => (
          <>
            <dt>
              <code>{name}</code>
            </dt>
            <dd>
              <WithCode text={description} />
            </dd>
          </>
        ))}
      </dl>
      {WEBHOOK_EVENTS.map((type) => (
        <details id={type}>
          <summary>
            <h3>
              <code>{type}</code>
            </h3>
            <span>{WEBHOOK_SUMMARIES[type]}</span>
          </summary>
          <div class="body">
            <pre tabindex={0}>{schemaText(jsonSchema(webhookMessages[type], 'output'))}</pre>
          </div>
        </details>
      ))}
    </section>
  );
}

function Errors() {
  return (
    <section aria-labelledby="errors">
      <h2 id="errors">errors</h2>
      <p>Every error is a problem (RFC 9457) of this form:</p>
      <pre tabindex={0}>{schemaText(jsonSchema(problem, 'output'))}</pre>
      <section class="scroll" tabindex={0} aria-label="Codes">
        <table>
          <thead>
            <tr>
              <th scope="col">Status</th>
              <th scope="col">Code</th>
              <th scope="col">Meaning</th>
            </tr>
          </thead>
          <tbody>
            {problemCodes().map(({ code, status, title }) => (
              <tr>
                <td>{status}</td>
                <td>
                  <code>{code}</code>
                </td>
                <td>{title}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}
