const GAP = '  ';

/** Rows as lines with aligned columns; the first row is the heading. Cells lose control characters. */
export function textTable(rows: readonly (readonly string[])[]): readonly string[] {
  const clean = rows.map((row) => row.map(oneLine));
  const widths: number[] = [];
  for (const row of clean) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  }
  return clean.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
}

/** Text that came from elsewhere, fit for a terminal: without control and formatting characters. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
}

/** A number with its thing, which makes its plural with an s: `1 device`, `2 devices`. */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}

/** A duration for people, one decimal. */
export function milliseconds(ms: number): string {
  return `${ms.toFixed(1)} ms`;
}
