/** Names shorter than this are too close to each other's and to other programs'. */
const SHORTEST = 7;
const LONG = 10;

/** The one of `names` that `written` is probably a misspelling of: one slip away, or two if it is long. */
export function closeName(written: string, names: readonly string[]): string | undefined {
  const plain = bare(written);
  return names.find((name) => {
    const wanted = bare(name);
    if (wanted.length < SHORTEST || Math.abs(wanted.length - plain.length) > 2) return false;
    return slips(plain, wanted) <= (wanted.length < LONG ? 1 : 2);
  });
}

function bare(name: string): string {
  return name.replace(/[^A-Za-z0-9]/g, '').toUpperCase();
}

/** Characters that were left out, added, replaced, or swapped with their neighbour (optimal string alignment). */
function slips(one: string, other: string): number {
  let earlier: readonly number[] = [];
  let before: readonly number[] = Array.from({ length: other.length + 1 }, (_, i) => i);
  for (let i = 1; i <= one.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const at = (cells: readonly number[], k: number): number => cells[k] ?? Number.POSITIVE_INFINITY;
      const replaced = at(before, j - 1) + (one[i - 1] === other[j - 1] ? 0 : 1);
      const isSwap = one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      const swapped = isSwap ? at(earlier, j - 2) + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min(at(before, j) + 1, at(row, j - 1) + 1, replaced, swapped));
    }
    [earlier, before] = [before, row];
  }
  return before[other.length] ?? Number.POSITIVE_INFINITY;
}
