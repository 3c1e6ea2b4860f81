import { systemClock, systemRandom } from '@hissaback/shared/domain/chance';
import { routesOf } from '@hissaback/shared/http/routes';
import { createApp } from '../app.ts';
import { describedRoutes } from './described-route.ts';
import { openApiDocument } from './document.ts';

/** The application as it stands, to be asked what it says of itself. */
export const app = createApp({ clock: systemClock, random: systemRandom, write: () => undefined });
export const registered = routesOf(app);
export const described = describedRoutes(registered);
export const openApi = openApiDocument(described);
