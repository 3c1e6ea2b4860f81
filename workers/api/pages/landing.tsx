import { Hono } from 'hono';
import { html, raw } from 'hono/html';
import type { ApiContext } from '../context.ts';

const STYLE =
  'body{margin:0;min-height:100vh;display:grid;place-content:center;padding:2rem;box-sizing:border-box;font:1.125rem/1.6 system-ui,sans-serif;color:#1d1b2e;background:#fdfaf5}main{max-width:38rem}h1{font-size:2rem;line-height:1.2;margin:0 0 1rem}li{margin:.5rem 0}footer{margin-top:2.5rem;font-size:1rem;color:#5b5870}@media(prefers-color-scheme:dark){body{color:#f4f1fb;background:#17152a}footer{color:#b4b0cc}}';
/** SHA-256 of STYLE: the policy admits this style and nothing else. */
const STYLE_HASH = 'sha256-6YLGI/gFi3FhZzAKDE/MxIdp3okG3X8LSugeT2HXdBU=';
const POLICY = `default-src 'none'; style-src '${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

function Landing() {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        <title>Hissaback: share the offer, share the reward</title>
        <meta
          name="description"
          content="Creators share offers, shoppers get a share of the commission as gift vouchers."
        />
        <style>{raw(STYLE)}</style>
      </head>
      <body>
        <main>
          <h1>Share the offer, share the reward</h1>
          <p>When you buy through a creator's Hissaback link, the shop pays a commission, and part of it is yours.</p>
          <ol>
            <li>Follow a creator's link and shop as you always do.</li>
            <li>Your reward shows up, and waits until the time for returns is over.</li>
            <li>Then an Amazon gift voucher reaches you by SMS.</li>
          </ol>
          <footer>Hissaback</footer>
        </main>
      </body>
    </html>
  );
}

/** `GET /`: what Hissaback is. */
export const landing = new Hono<ApiContext>().get('/', (c) =>
  c.html(html`<!doctype html>${<Landing />}`, 200, {
    'content-security-policy': POLICY,
    'cache-control': 'public, max-age=3600',
  }),
);
