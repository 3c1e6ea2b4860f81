import { pooled, systemClock, systemRandom } from '@hissaback/shared/domain/chance';
import { createApp } from './app.ts';

/** Enough for two hundred redirects, in bytes. */
const POOL = 4_096;

export default createApp({ clock: systemClock, random: pooled(systemRandom, POOL) });
