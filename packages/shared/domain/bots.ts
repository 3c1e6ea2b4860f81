// Fetchers that name themselves: search engines, link previews of messengers and networks, feed readers, site checks, model crawlers.
// Tools that act for a person (curl, a script, a headless browser) are not here: they follow a link as a shopper does.
const BOT = new RegExp(
  [
    // Any "...bot": Googlebot, Slackbot-LinkExpanding, TelegramBot, ClaudeBot. The phone maker Cubot is none.
    '(?<!cu)bots?(?![a-z])',
    'crawl|spider|slurp|scrap|archiver|validator|monitoring|favicon',
    // Link previews that do not say "bot". An in-app browser has a name of its own (FBAN, Instagram, Line, [Pinterest/iOS]).
    'facebookexternal|facebookcatalog|facebot|meta-external|whatsapp/|snap url preview|pinterest/0|skypeuripreview|microsoft preview',
    'link ?preview|linkpreview|web preview|previewbot|bingpreview|slack-imgproxy|viber/|vkshare|cardyb|mastodon/|pleroma|misskey',
    'embedly|iframely|flipboardproxy|tumblr/|xing-content|outbrain|quora link|redditbot|nuzzel|bitly|whatcms|hubspot',
    // Google's, Microsoft's and other fetchers without "bot".
    'google-|googleother|apis-google|mediapartners|adsbot|feedfetcher|googleimageproxy|googledocs|lighthouse|pagespeed|ptst/',
    'yandex(?!browser|search)[a-z]+/|baiduspider|duckduckgo-fav|yahoo ad|chatgpt-user|perplexity-user|claude-user|mistralai-user|cohere-ai',
    'uptime|pingdom|statuscake|site24x7|feedly|inoreader|newsblur|w3c_|ia_archiver|heritrix|nutch|virustotal|urlscan|safebrowsing',
  ].join('|'),
  'i',
);

/** True for the user agent of a crawler or a link preview: it is redirected, not counted. */
export function isBot(userAgent: string): boolean {
  return BOT.test(userAgent);
}
