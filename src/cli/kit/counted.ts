/** A number with its thing, which makes its plural with an s: `1 device`, `2 devices`. */
export const counted = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? '' : 's'}`;
