/** The look of the reference page. It follows the reader's colour scheme, fits a phone, and prints. */
export const STYLE = `
:root{color-scheme:light dark;--ink:#1d1b2e;--soft:#5b5870;--paper:#fdfaf5;--card:#fff;--line:#e4ded2;--link:#5a2ca0;--focus:#b4470b}
@media(prefers-color-scheme:dark){:root{--ink:#f4f1fb;--soft:#b4b0cc;--paper:#17152a;--card:#211e38;--line:#3a3558;--link:#c9a8ff;--focus:#ffb27a}}
*{box-sizing:border-box}
html{scroll-behavior:smooth;scroll-padding-top:1rem}
@media(prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;font:1rem/1.6 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
a{color:var(--link)}
:focus-visible{outline:3px solid var(--focus);outline-offset:2px}
.skip{position:absolute;left:-100vw}
.skip:focus{position:fixed;left:1rem;top:1rem;background:var(--card);padding:.5rem 1rem;z-index:1}
header,nav,main,footer{max-width:60rem;margin:0 auto;padding:1rem}
h1{font-size:1.75rem;line-height:1.2;margin:.5rem 0}
h2{font-size:1.35rem;margin:2.5rem 0 .75rem;border-bottom:1px solid var(--line);padding-bottom:.25rem}
h3{font-size:1rem;margin:0;font-weight:600;overflow-wrap:anywhere}
h4{font-size:.9rem;margin:1.25rem 0 .25rem}
header li{margin:.25rem 0}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1rem;list-style:none;margin:0;padding:0}
nav a{display:inline-block;padding:.35rem 0}
details{background:var(--card);border:1px solid var(--line);border-radius:.5rem;margin:.5rem 0}
summary{cursor:pointer;padding:.75rem 1rem;min-height:2.75rem}
summary h3{display:inline}
summary>span{color:var(--soft);display:block}
.body{padding:0 1rem 1rem}
code,pre{font:.875rem/1.5 ui-monospace,monospace}
pre{overflow-x:auto;margin:.25rem 0;padding:.75rem;background:var(--paper);border:1px solid var(--line);border-radius:.375rem}
.method{display:inline-block;min-width:4rem;font-weight:700}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .75rem .35rem 0;border-bottom:1px solid var(--line)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin:.5rem 0}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
@media(max-width:30rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}}
`.trim();
