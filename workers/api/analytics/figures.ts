import type { Figures } from '@hissaback/shared/db/queries/analytics';

/** The columns of figures in a CSV file, in their order. */
export const FIGURE_COLUMNS = ['clicks', 'unique_clicks', 'conversions', 'order_value', 'earnings', 'shared'] as const;

export const NO_FIGURES: FiguresView = {
  clicks: 0,
  unique_clicks: 0,
  conversions: 0,
  order_value: '0.00',
  earnings: '0.00',
  shared: '0.00',
};

export type FiguresView = {
  clicks: number;
  unique_clicks: number;
  conversions: number;
  order_value: string;
  earnings: string;
  shared: string;
};

/** Figures as the API shows them. */
export function figuresView(row: Figures): FiguresView {
  return {
    clicks: Number(row.clicks),
    unique_clicks: Number(row.unique_clicks),
    conversions: Number(row.conversions),
    order_value: row.order_value,
    earnings: row.earnings,
    shared: row.shared,
  };
}
