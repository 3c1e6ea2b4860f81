import { systemClock, systemRandom } from '@hissaback/shared/domain/chance';
import { createApp } from './app.ts';

export default createApp({ clock: systemClock, random: systemRandom });
