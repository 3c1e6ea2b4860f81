import { z } from 'zod';
import { nameText } from '../http/validate.ts';
import { instant, offerId, pageQuery, uuid } from './fields.ts';
import { LANGUAGES } from './profile.ts';

const look = {
  theme: z.enum(['auto', 'light', 'dark']),
  layout: z.enum(['grid', 'list']),
  /** `#rrggbb`. */
  accent: z
    .string()
    .regex(/^#[0-9a-fA-F]{6}$/)
    .toLowerCase(),
  language: z.enum(LANGUAGES),
  /** Shows these offers only, in this order. */
  offer_ids: z.array(offerId).min(1).max(50),
  /** Offers shown at most. */
  max_offers: z.int().min(1).max(50),
};

/** How a widget looks and what it shows. What is left out follows the page it is on. */
export const widgetConfig = z
  .strictObject({
    title: nameText(120),
    /** Shows offers of this category only. */
    category: nameText(120),
    ...look,
  })
  .partial();

const shownConfig = z.object({ title: z.string(), category: z.string(), ...look }).partial();

/** `POST /v1/widgets`. */
export const newWidget = z.strictObject({ campaign_id: uuid, config: widgetConfig.default({}) });

export const widget = z.object({
  widget_id: uuid,
  tenant_id: uuid,
  campaign_id: uuid,
  config: shownConfig,
  created_at: instant,
});
export const widgets = z.array(widget);

/** `GET /v1/widgets`. */
export const widgetQuery = z.object({ campaign_id: uuid.optional(), ...pageQuery });

/** `PATCH /v1/widgets/:widget_id`: a config replaces the one before. */
export const widgetChange = z
  .strictObject({ campaign_id: uuid, config: widgetConfig })
  .partial()
  .refine((change) => Object.keys(change).length > 0, { message: 'Name at least one field to change' });

/** A token of a widget in the list of those in use. */
export const widgetToken = z.object({ token_id: uuid, created_at: instant, expires_at: instant });
export const widgetTokens = z.array(widgetToken);

/** `POST /v1/widgets/:widget_id/tokens`: publishable, so made to stand in a page's source. */
export const createdWidgetToken = widgetToken.extend({ token: z.string() });

export type WidgetConfig = z.output<typeof widgetConfig>;
export type Widget = z.output<typeof widget>;
export type WidgetToken = z.output<typeof widgetToken>;
